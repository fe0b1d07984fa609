"""Apply a setup document: units, users, touchpoints, sites, calendars and policies; repeatable."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from experience.ground.errors import HuishengError, Invalid, NotFound
from experience.ground.i18n import Sentence, say
from experience.orders import operations as orders
from experience.orders.tables import Calendar
from experience.organisation import credentials
from experience.organisation.operations import UnitIn, UserIn, ensure_unit, ensure_user
from experience.touchpoints import operations as touchpoints
from experience.touchpoints.operations import TouchpointIn

_OFFICE = "cn-office"
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
#: section -> (required fields, optional fields)
_FIELDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "calendars": (frozenset({"name"}), frozenset({"zone", "weekly", "days", "covered_until"})),
    "policies": (frozenset({"code", "name", "clocks"}), frozenset({"match", "position"})),
    "units": (
        frozenset({"code", "name", "kind"}),
        frozenset({"parent", "territory", "product_line", "internal_review", "calendar"}),
    ),
    "users": (frozenset({"login", "name", "unit", "roles"}), frozenset({"password", "email"})),
    "touchpoints": (
        frozenset({"code", "name", "channel"}),
        frozenset({"journey", "stage", "key", "steps", "product_line", "weight"}),
    ),
    "sites": (frozenset({"key", "name", "origins"}), frozenset({"secret"})),
}


def apply(session: Session, document: Any, *, now: datetime) -> dict[str, int]:
    """How many of each section were made or brought up to date; calendars and policies first, then what uses them.

    Raises Invalid naming the section, the entry and what is wrong; then nothing is kept.
    """
    if not isinstance(document, Mapping):
        raise Invalid(say("配置文件应是一个对象，包含 units、users、touchpoints、sites 等部分。"))
    unknown = sorted(set(document) - set(_FIELDS))
    if unknown:
        raise Invalid(say("配置文件里有不认识的部分：%(unknown)s。", unknown="、".join(map(str, unknown))))
    hashes: dict[str, str] = {}  # one hash for one password in one file: argon2 is slow on purpose
    makers: dict[str, Callable[[Mapping[str, Any]], object]] = {
        "calendars": lambda told: orders.ensure_calendar(session, told),
        "policies": lambda told: orders.ensure_policy(session, told),
        "units": lambda told: _unit(session, told),
        "users": lambda told: ensure_user(session, _user(told, hashes), now=now),
        "touchpoints": lambda told: touchpoints.ensure_touchpoint(session, _touchpoint(told)),
        "sites": lambda told: touchpoints.ensure_site(session, **told),
    }
    return {section: _apply_section(section, document.get(section) or (), makers[section]) for section in _FIELDS}


def _apply_section(section: str, entries: Any, make: Callable[[Mapping[str, Any]], object]) -> int:
    if not isinstance(entries, Iterable) or isinstance(entries, str | Mapping):
        raise Invalid(say("%(section)s 应是一个列表。", section=section))
    number = 0
    for number, told in enumerate(entries, 1):
        try:
            make(_checked(section, told))
        except (HuishengError, TypeError, ValueError, AttributeError) as error:
            sentence = error.sentence if isinstance(error, HuishengError) else str(error)
            where = say("%(section)s 第 %(number)d 项：%(sentence)s", section=section, number=number, sentence=sentence)
            raise Invalid(where) from error
    return number


def _checked(section: str, entry: Any) -> Mapping[str, Any]:
    """The entry without what is left empty, every field of its kind. Raises Invalid."""
    required, optional = _FIELDS[section]
    if not isinstance(entry, Mapping):
        raise Invalid(say("应是一个对象。"))
    told = {name: value for name, value in entry.items() if value is not None}
    missing, unknown = required - set(told), set(told) - required - optional
    if missing:
        raise Invalid(say("缺少 %(fields)s。", fields="、".join(sorted(missing))))
    if unknown:
        raise Invalid(say("不认识的字段 %(fields)s。", fields="、".join(sorted(map(str, unknown)))))
    for name, value in told.items():
        is_sound, sentence = _KINDS.get(f"{section}.{name}") or _KINDS.get(name) or _TEXT
        if not is_sound(value):
            raise Invalid(say("字段 %(field)s：%(sentence)s", field=name, sentence=sentence))
    return told


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not _UNSTORABLE.search(value)


def _is_condition(value: Any) -> bool:
    """A policy's `match`: each name with one value or several."""
    return isinstance(value, Mapping) and all(
        _is_text(one) or isinstance(one, int)
        for told in value.values()
        for one in (told if isinstance(told, list) else [told])
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_TEXT = (_is_text, say("应是文字"))
_TEXTS = (_are_texts, say("应是列表，每一项是文字"))
_FLAG = (lambda value: isinstance(value, bool), say("应是 true 或 false"))
_OTHERWISE = (lambda _: True, say("应是文字"))  # looked at by whoever takes it
#: What a field must hold, by its name or by section and name; the others hold text.
_KINDS: dict[str, tuple[Callable[[Any], bool], Sentence]] = {
    "roles": _TEXTS,
    "steps": _TEXTS,
    "origins": _TEXTS,
    "users.unit": (lambda value: _is_text(value) or _are_texts(value), say("应是文字")),
    "internal_review": _FLAG,
    "touchpoints.key": _FLAG,
    "weight": (lambda value: isinstance(value, int | float) and 0 <= value < 1e6, say("应是数字")),  # noqa: PLR2004
    "password": (lambda value: not isinstance(value, list | Mapping), say("应是文字")),
    "position": (lambda value: isinstance(value, int) and 0 <= value <= 10**6, say("应是整数")),
    "match": (_is_condition, say("应是对象")),
    "clocks": (lambda value: isinstance(value, Mapping) and _are_texts(list(value)), say("应是对象")),
    **dict.fromkeys(("weekly", "days", "covered_until"), _OTHERWISE),
}


def _unit(session: Session, told: Mapping[str, Any]) -> object:
    name = told.get("calendar", _OFFICE)
    if name != _OFFICE and session.get(Calendar, name) is None:
        raise NotFound(say("没有工作日历 %(name)s。", name=name))  # nothing could be dispatched to the unit
    return ensure_unit(session, UnitIn(**told))


def _user(told: Mapping[str, Any], hashes: dict[str, str]) -> UserIn:
    password = str(told.get("password", ""))
    if password and password not in hashes:
        hashes[password] = credentials.hash_password(password)
    units = told["unit"] if isinstance(told["unit"], list) else [told["unit"]]
    return UserIn(
        login=told["login"],
        name=told["name"],
        grants=tuple((unit, role) for unit in units for role in told["roles"]),
        password_hash=hashes.get(password, ""),
        email=told.get("email", ""),
    )


def _touchpoint(told: Mapping[str, Any]) -> TouchpointIn:
    renamed = {("is_key" if name == "key" else name): value for name, value in told.items()}
    return TouchpointIn(**renamed)
