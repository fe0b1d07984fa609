"""Apply a setup document: units, users, touchpoints, sites, calendars and policies; repeatable."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from experience.ground.errors import HuishengError, Invalid
from experience.ground.i18n import say
from experience.orders import operations as orders
from experience.organisation import credentials
from experience.organisation.operations import UnitIn, UserIn, ensure_unit, ensure_user
from experience.touchpoints import operations as touchpoints
from experience.touchpoints.operations import TouchpointIn

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
        "units": lambda told: ensure_unit(session, UnitIn(**told)),
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
            _demand_fields(section, told)
            make(told)
        except (HuishengError, TypeError, ValueError, AttributeError) as error:
            sentence = error.sentence if isinstance(error, HuishengError) else str(error)
            where = say("%(section)s 第 %(number)d 项：%(sentence)s", section=section, number=number, sentence=sentence)
            raise Invalid(where) from error
    return number


def _demand_fields(section: str, told: Any) -> None:
    required, optional = _FIELDS[section]
    if not isinstance(told, Mapping):
        raise Invalid(say("应是一个对象。"))
    missing, unknown = required - set(told), set(told) - required - optional
    if missing:
        raise Invalid(say("缺少 %(fields)s。", fields="、".join(sorted(missing))))
    if unknown:
        raise Invalid(say("不认识的字段 %(fields)s。", fields="、".join(sorted(map(str, unknown)))))


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
