"""The only place that knows status codes: refusals become problem documents for programs and pages for people."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import psycopg
import structlog
from flask import Flask, Response, current_app, g, jsonify, redirect, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from psycopg import errors as refusals
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from experience.audit.operations import record
from experience.ground.errors import Busy, Conflict, Forbidden, HuishengError, Invalid, NotFound
from experience.ground.i18n import Sentence, say
from experience.organisation.permissions import ACTS
from experience.web import door, words

log = structlog.get_logger()

STATUS: dict[type[HuishengError], int] = {
    Invalid: 422,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Busy: 503,
    door.Unauthorised: 401,
}
#: What Werkzeug refuses by itself, in our words.
SENTENCES = {
    400: say("请求的格式不对，请检查后重试。"),
    401: say("请先登录。"),
    403: say("您没有权限这样做。"),
    404: say("没有找到您要的内容，它可能已被移走，或不在您的范围内。"),
    405: say("这个地址不支持这种请求方法。"),
    406: say("不能以您要的格式回答。"),
    408: say("请求超时，请重试。"),
    409: say("有人先您一步，请刷新后再试。"),
    413: say("内容太大，请缩短或分批提交。"),
    414: say("地址太长。"),
    415: say("请以 application/json 提交。"),
    422: say("提交的内容有误，请检查后重试。"),
    429: say("请求太频繁，请稍后再试。"),
    500: say("系统出了问题，已经记录。请稍后重试；若仍不行，请把下面的编号告诉管理员。"),
    503: say("系统正忙，请稍后重试。"),
}
#: First part of a page's address -> the words for the states of what it shows.
_SUBJECTS = {"orders": "order", "desk": "order", "issues": "issue"}
#: Addresses that customers open; a colleague who looks there sees what they see.
_CUSTOMERS = ("/rants", "/v/", "/s/", "/demo/")
#: What the database refuses to hold, whoever let it through: a number beyond bigint, a year beyond its calendar.
_BEYOND = (refusals.NumericValueOutOfRange, refusals.DatetimeFieldOverflow, refusals.UntranslatableCharacter)


def translated(sentence: str) -> str:
    """A sentence in the reader's language."""
    if isinstance(sentence, Sentence):
        words = {
            name: translated(value) if isinstance(value, str) else value for name, value in sentence.params.items()
        }
        return str(gettext(sentence.template) % words) if words else str(gettext(sentence.template))
    return str(sentence)


def status_of(error: HuishengError) -> int:
    """The status code of a refusal."""
    return next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)


def problem(
    status: int,
    detail: str,
    *,
    errors: list[dict[str, Any]] | None = None,
    current: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An `application/problem+json` answer (RFC 9457); `current` tells the state a conflict is with."""
    said: dict[str, Any] = {
        "type": f"about:blank#{status}",
        "title": translated(SENTENCES.get(status, SENTENCES[400])),
        "status": status,
        "detail": translated(detail),
        "errors": [_plain(error, detail) for error in errors or []],
    }
    if current:
        said |= {"current": dict(current), **{k: v for k, v in current.items() if k in ("state", "version", "allowed")}}
    answer = jsonify(said)
    answer.status_code = status
    answer.content_type = "application/problem+json"
    answer.headers.update(headers or {})
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _plain(error: Mapping[str, Any], otherwise: str = "") -> dict[str, str]:
    """A field's error; one without words of its own gets the whole refusal's."""
    field = str(error.get("field", ""))
    sentence = error.get("sentence") or error.get("message") or otherwise
    return {"field": field, "message": translated(sentence)}


def install(app: Flask) -> None:
    """Registers the handlers."""
    app.register_error_handler(HuishengError, _refused)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DataError, _unstorable)
    app.register_error_handler(OperationalError, _unreachable)
    app.register_error_handler(Exception, _unexpected)


def _refused(error: HuishengError) -> Any:
    door.db().rollback()
    if isinstance(error, Forbidden):
        denied()
    status = status_of(error)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Busy) else {}
    if door.wants_json():
        return problem(
            status,
            error.sentence,
            errors=getattr(error, "errors", []),
            current=getattr(error, "current", {}),
            headers=headers,
        )
    faults = [_plain(e) for e in getattr(error, "errors", [])]
    return _page(status, translated(_in_words(error.sentence)), errors=faults, current=getattr(error, "current", {}))


def _in_words(sentence: str) -> str:
    """A refusal for a person's eyes: the act that is lacking by the name of its room, not by its code."""
    act = sentence.params.get("act", "") if isinstance(sentence, Sentence) else ""
    if act not in ACTS:
        return sentence
    return say("您没有“%(room)s”的这项权限，请联系管理员开通。", room=say(words.ROOMS[act.partition(".")[0]]))


def denied() -> None:
    """Writes into the audit what a known caller was denied; what they asked of the database is undone by then."""
    caller = door.somebody()
    if caller is not None:
        asked = {"method": request.method}
        record(door.db(), caller, "denied", ("path", request.path[:200]), now=door.now(), detail=asked)
        door.commit()


def _back() -> str:
    """The page of ours that the reader came from, to return to; "" for none, and never another site's."""
    came_from = urlsplit(request.referrer or "")
    is_here = request.method == "GET" and came_from.path == request.path
    is_path = came_from.path.startswith("/") and not came_from.path.startswith(("//", "/\\"))
    if came_from.netloc != request.host or is_here or not is_path:
        return ""
    return f"{came_from.path}?{came_from.query}".rstrip("?")


def _stale_form(_error: CSRFError) -> Any:
    return _answer(400, say("页面已经过期：请返回上一页，刷新后重新提交。"))


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error.get_response()
    if isinstance(error, MethodNotAllowed) and request.method in ("GET", "HEAD") and not door.wants_json():
        return redirect(_where_the_form_stands(), 303)
    answer = _answer(status, SENTENCES.get(status, SENTENCES[400]))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after", "www-authenticate"):
            answer.headers[name] = value
    if status == 429 and "Retry-After" not in answer.headers:
        answer.headers["Retry-After"] = "60"
    return answer


def _where_the_form_stands() -> str:
    """The nearest page above an address that only takes a form: a refused form is shown there, and may be reloaded."""
    adapter = current_app.create_url_adapter(request)
    path = request.path
    while adapter is not None and len(path) > 1:
        path = path.rpartition("/")[0] or "/"
        if adapter.test(path, method="GET"):
            return request.script_root + path
    return request.script_root + "/"


def _unstorable(error: DataError) -> Any:
    holds_nul = type(error.orig) is psycopg.DataError  # psycopg's own word, before the server is asked
    if not holds_nul and not isinstance(error.orig, _BEYOND):
        return _unexpected(error)
    door.db().rollback()
    log.warning("unstorable input", path=request.path, method=request.method, request=g.get("request_id"))
    return _answer(422, SENTENCES[422])


def _unreachable(error: OperationalError) -> Any:
    door.db().rollback()
    log.error("database failed", path=request.path, request=g.get("request_id"), failure=str(error.orig))
    answer = _answer(503, SENTENCES[503])
    answer.headers["Retry-After"] = "30"
    return answer


def _unexpected(error: Exception) -> Any:
    door.db().rollback()
    log.error("request failed", path=request.path, method=request.method, request=g.get("request_id"), exc_info=error)
    return _answer(500, SENTENCES[500])


def _answer(status: int, sentence: str) -> Response:
    return problem(status, sentence) if door.wants_json() else _page(status, translated(sentence))


def _is_staff(status: int) -> bool:
    """Whether the page stands in the staff's frame: who is logged in, at an address of theirs, while all is well."""
    if status >= 500 or request.path.startswith(_CUSTOMERS):
        return False
    try:
        return door.somebody() is not None
    except OperationalError:
        return False


def _page(
    status: int,
    sentence: str,
    errors: list[dict[str, str]] | None = None,
    current: Mapping[str, Any] | None = None,
) -> Response:
    page = render_template(
        "error.html",
        status=status,
        title=translated(SENTENCES.get(status, SENTENCES[400])),
        sentence=sentence,
        errors=errors or [],
        current=current or {},
        subject=_SUBJECTS.get(request.path.split("/")[1], ""),
        back=_back(),
        request_id=g.get("request_id", ""),
        is_staff=_is_staff(status),
        is_customers=request.path.startswith(_CUSTOMERS),
    )
    answer = Response(page, status, mimetype="text/html")
    if status == 503:
        answer.headers["Retry-After"] = "30"
    return answer
