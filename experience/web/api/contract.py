"""One way to offer an operation: the route, its checks and its OpenAPI entry come from the same words."""

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Flask, Response, request
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Setting
from werkzeug.datastructures import MultiDict

from experience.ground.errors import HuishengError, Invalid
from experience.ground.i18n import say
from experience.organisation.operations.repeats import Repeat, remember, seen_before
from experience.web import door, errors
from experience.web.words import N_

BODY_LIMIT = 2 * 2**20
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class Body(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(Body):
    """The query of every list."""

    cursor: str | None = Setting(None, max_length=200, description="`next` of the page before")
    limit: int = Setting(50, ge=1, le=200)


class ProblemError(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(BaseModel):
    """Every refusal (RFC 9457)."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemError]


@dataclass(frozen=True, slots=True)
class Operation:
    """What is known of one operation, for OpenAPI and for the authorisation matrix."""

    method: str
    path: str
    act: str | None
    summary: str
    status: int
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: Any
    statuses: Sequence[int] = ()
    is_idempotent: bool = False
    view: Callable[..., Response] | None = field(default=None, compare=False)
    rule: str = ""
    endpoint: str = ""
    media: Sequence[str] = ("application/json",)


#: Every operation, in the order of registration.
OPERATIONS: list[Operation] = []
View = TypeVar("View", bound=Callable[..., Any])


class BadRequest(HuishengError):
    """The request is not even JSON."""


class TooLarge(HuishengError):
    """The body is longer than we take."""


class WrongType(HuishengError):
    """The body is not `application/json`."""


errors.STATUS |= {BadRequest: 400, TooLarge: 413, WrongType: 415}


def operation(
    method: str,
    path: str,
    *,
    act: str | None,
    answer: Any = dict,
    status: int = 200,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    summary: str = "",
    idempotent: bool | None = None,
    keeps_key: bool = False,
    media: Sequence[str] = ("application/json",),
    statuses: Sequence[int] = (),
    limits: Sequence[Callable[[Any], Any]] = (),
) -> Callable[[View], View]:
    """Registers a function as an operation of the API.

    `act=None` is public (the caller may be nobody); `act=""` is for any known caller. The function gets `body` and
    `query` (validated models) and the path's parameters, and returns a model, a JSON-ready value, (value, status),
    or a Response. Writes are idempotent under `Idempotency-Key` unless `idempotent=False`; the door commits.
    `keeps_key` is for a function that takes the key itself, `media` for one that answers with a file.
    """
    is_write = method != "GET"
    is_idempotent = is_write if idempotent is None else idempotent
    public = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)

    def register(function: View) -> View:
        def view(**params: Any) -> Response:
            if act is not None:
                caller = door.scope()
                if act:
                    caller.demand(act)
            given = dict(params)
            if query is not None:
                given["query"] = _query(query)
            if body is not None:
                given["body"] = _body(body)
            if is_idempotent and request.headers.get("Idempotency-Key"):
                return _once(function, given, status)
            answered = _response(function(**given), status)
            if is_write:
                door.commit()
            return answered

        for limit in limits:
            view = limit(view)
        view.required_act = act  # type: ignore[attr-defined]
        endpoint = "api " + f"{function.__module__}.{function.__name__}".replace(".", "_")
        words = summary or (function.__doc__ or "").partition("\n")[0]
        OPERATIONS.append(
            Operation(
                method,
                public,
                act,
                words,
                status,
                body,
                query,
                answer,
                tuple(statuses),
                is_idempotent or keeps_key,
                view,
                path,
                endpoint,
                tuple(media),
            )  # fmt: skip
        )
        return function

    return register


def mount(app: Flask) -> None:
    """Gives the application every operation registered so far that it does not have yet."""
    for known in OPERATIONS:
        if known.view is not None and known.endpoint not in app.view_functions:
            app.add_url_rule(known.rule, endpoint=known.endpoint, view_func=known.view, methods=[known.method])


def _once(function: Callable[..., Any], given: dict[str, Any], status: int) -> Response:
    key = request.headers["Idempotency-Key"]
    if not _KEY.fullmatch(key):
        raise Invalid(
            say("Idempotency-Key 需要 1 到 200 个可见的英文字符。"),
            [{"field": "Idempotency-Key", "sentence": say("格式有误")}],
        )
    caller = door.somebody()
    actor = f"user:{caller.user_id}" if caller else f"ip:{request.remote_addr}"
    asked = hashlib.sha256(request.get_data(cache=True)).hexdigest()
    repeat = Repeat(actor, key, f"{request.method} {request.path} {asked}")
    seen = seen_before(door.db(), repeat, door.answered())
    if seen is not None:
        answered = Response(seen[1], seen[0], mimetype="application/json")
        answered.headers["Idempotency-Replayed"] = "true"
        return answered
    answered = _response(function(**given), status)
    remember(door.db(), repeat, (answered.status_code, answered.get_data(as_text=True)), now=door.now())
    door.commit()
    return answered


def _response(value: Any, status: int) -> Response:
    if isinstance(value, Response):
        return value
    if isinstance(value, tuple):
        value, status = value
    if isinstance(value, BaseModel):
        text = value.model_dump_json(by_alias=True, exclude_unset=False)
    else:
        text = json.dumps(value, ensure_ascii=False, default=_plain, separators=(",", ":"))
    return Response(text if status != 204 else "", status, mimetype="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON-ready")


def _query(model: type[BaseModel]) -> BaseModel:
    found = _flat(request.args, model)
    _demand_storable(found)
    return _validated(lambda: model.model_validate(found), found)


def _flat(args: MultiDict[str, str], model: type[BaseModel]) -> dict[str, Any]:
    """Query parameters as a dict; a parameter given twice is a list only where the model wants one."""
    flat: dict[str, Any] = {}
    for name, values in args.lists():
        known = next((f for n, f in model.model_fields.items() if name in (n, f.alias)), None)
        wants_list = known is not None and "list" in str(known.annotation)
        if not wants_list and len(values) > 1:
            raise Invalid(say("参数重复。"), [{"field": name, "sentence": say("只能给一次")}])
        flat[name] = values if wants_list else values[0]
    return flat


def _body(model: type[BaseModel]) -> BaseModel:
    if request.content_length is not None and request.content_length > BODY_LIMIT:
        raise TooLarge(say("内容超过 2 MB，请缩短或分批提交。"))
    if request.mimetype != "application/json":
        raise WrongType(say("请把 Content-Type 设为 application/json。"))
    raw = request.get_data(cache=True)
    if len(raw) > BODY_LIMIT:
        raise TooLarge(say("内容超过 2 MB，请缩短或分批提交。"))
    try:
        found = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or a number of thousands of digits
        raise BadRequest(say("请求体不是有效的 UTF-8 JSON。")) from error
    if not isinstance(found, dict):
        raise Invalid(say("请求体应是一个 JSON 对象。"))
    _demand_storable(found)
    return _validated(lambda: model.model_validate_json(raw, strict=True), found)


def _validated(validate: Callable[[], BaseModel], given: dict[str, Any]) -> BaseModel:
    """What is validated. A body says its types, so "true" is no boolean and "5" no number; a query is all text."""
    try:
        return validate()
    except ValidationError as error:
        raise Invalid(say("提交的内容有误，请按提示修改。"), _told(error.errors()[:20], given)) from error


def _told(faults: Sequence[Any], given: dict[str, Any]) -> list[dict[str, Any]]:
    """The faults by the names the caller used. What may be of several types is judged by the one it is nearest to."""
    found = [(_place(fault, given), fault) for fault in faults]
    chosen = [(place, fault) for place, fault in found if len(place) < len(fault["loc"])]  # of one of several types
    nearer = [place for place, fault in chosen if not fault["type"].endswith("_type")]
    deeper = [place for place, _ in chosen]

    def is_of_another_type(place: tuple[str, ...], fault: Any) -> bool:
        if (place, fault) not in chosen or not fault["type"].endswith("_type"):
            return False
        return place in nearer or any(other[: len(place)] == place != other for other in deeper)

    return [
        {"field": ".".join(place), "sentence": _in_words(fault)}
        for place, fault in found
        if not is_of_another_type(place, fault)
    ]


def _place(fault: Any, given: Any) -> tuple[str, ...]:
    """Where the fault is in what was given: pydantic names the types it tried on the way, and they are no fields."""
    steps, place = fault["loc"], []
    for number, step in enumerate(steps):
        is_lacking = fault["type"] == "missing" and number == len(steps) - 1
        if isinstance(given, dict) and (step in given or is_lacking):
            place.append(str(step))
            given = given.get(step)
        elif isinstance(given, list) and isinstance(step, int) and step < len(given):
            place.append(str(step))
            given = given[step]
    return tuple(place)


def _demand_storable(found: Any, where: str = "", depth: int = 0) -> None:
    """Raises Invalid for what no column holds: NUL, lone surrogates, endless numbers; and for absurd nesting."""
    if depth > 40:
        raise Invalid(say("内容嵌套太深。"), [{"field": where[:200], "sentence": say("最多 40 层")}])
    if isinstance(found, str):
        if _UNSTORABLE.search(found):
            raise Invalid(
                say("文字里有无法保存的字符。"), [{"field": where, "sentence": say("请去掉 NUL 或不完整的字符")}]
            )
    elif isinstance(found, float) and not math.isfinite(found):
        raise Invalid(say("数字超出范围。"), [{"field": where, "sentence": say("应是有限的数字")}])
    elif isinstance(found, dict):
        for name, value in found.items():
            _demand_storable(name, where, depth + 1)
            _demand_storable(value, f"{where}.{name}".strip("."), depth + 1)
    elif isinstance(found, list):
        for number, value in enumerate(found):
            _demand_storable(value, f"{where}.{number}".strip("."), depth + 1)


#: pydantic's kinds of error -> our sentence; others keep pydantic's English message.
_WORDS = {
    "missing": N_("缺少这一项"),
    "extra_forbidden": N_("不认识的字段，请去掉"),
    "string_type": N_("应是文字"),
    "string_too_long": N_("太长，最多 %(max_length)s 个字符"),
    "string_too_short": N_("太短，至少 %(min_length)s 个字符"),
    "int_type": N_("应是整数"),
    "int_parsing": N_("应是整数"),
    "int_from_float": N_("应是整数"),
    "float_type": N_("应是数字"),
    "float_parsing": N_("应是数字"),
    "bool_type": N_("应是 true 或 false"),
    "bool_parsing": N_("应是 true 或 false"),
    "list_type": N_("应是列表"),
    "dict_type": N_("应是对象"),
    "too_long": N_("太多，最多 %(max_length)s 项"),
    "too_short": N_("太少，至少 %(min_length)s 项"),
    "greater_than_equal": N_("应不小于 %(ge)s"),
    "greater_than": N_("应大于 %(gt)s"),
    "less_than_equal": N_("应不大于 %(le)s"),
    "less_than": N_("应小于 %(lt)s"),
    "literal_error": N_("只能是 %(expected)s"),
    "enum": N_("只能是 %(expected)s"),
    "datetime_parsing": N_("应是 ISO 8601 时间，如 2026-11-23T10:00:00+08:00"),
    "datetime_from_date_parsing": N_("应是 ISO 8601 时间，如 2026-11-23T10:00:00+08:00"),
    "datetime_type": N_("应是 ISO 8601 时间，如 2026-11-23T10:00:00+08:00"),
    "timezone_aware": N_("时间要带时区，如 +08:00"),
    "date_from_datetime_parsing": N_("应是日期，如 2026-11-23"),
    "date_parsing": N_("应是日期，如 2026-11-23"),
    "string_pattern_mismatch": N_("格式不对"),
    "model_type": N_("应是对象"),
}


def _in_words(error: Any) -> str:
    template = _WORDS.get(error["type"])
    if template is None:
        return str(error["msg"])
    return (
        say(template, **{k: str(v) for k, v in (error.get("ctx") or {}).items()}) if "%(" in template else say(template)
    )


def cursor_of(*parts: Any) -> str:
    """An opaque cursor holding the last row's sort key."""
    text = json.dumps([part.isoformat() if hasattr(part, "isoformat") else part for part in parts])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def cursor_parts(cursor: str | None, *kinds: type) -> list[Any] | None:
    """The sort key inside a cursor, of exactly these types, or None without one.

    Raises Invalid for a cursor we did not make.
    """
    if not cursor:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError) as error:
        raise _bad_cursor() from error
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise _bad_cursor()
    if any(isinstance(part, int) and not 0 <= part < 2**63 for part in parts):
        raise _bad_cursor()
    return parts


def _bad_cursor() -> Invalid:
    return Invalid(
        say("翻页标记无效，请从第一页重新开始。"), [{"field": "cursor", "sentence": say("请用上一页给出的 next")}]
    )


def page(items: Sequence[Any], next_: str | None) -> dict[str, Any]:
    """The shape of every list."""
    return {"items": list(items), "next": next_}
