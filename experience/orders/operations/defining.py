"""Calendars and policies: the ones every database needs, and those of a setup document."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.orders import policies, workdays
from experience.orders.queries import calendars
from experience.orders.tables import Calendar, CalendarDay, Policy

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def ensure_defaults(session: Session) -> None:
    """The office calendar with the announced days, and the shipped policies; what staff changed stays."""
    office = workdays.office()
    weekly = {str(day): workdays.written(spans) for day, spans in enumerate(office.weekly)}
    made = {"name": office.name, "zone": office.zone, "weekly": weekly, "covered_until": office.covered_until}
    if session.get(Calendar, office.name) is None:
        session.execute(insert(Calendar).values(made).on_conflict_do_nothing())
        exceptions, _ = workdays.announced()
        rows = [
            {
                "calendar": office.name,
                "day": day,
                "kind": kind,
                "spans": workdays.written(office.days[day]),
                "source": "State Council notice",
            }
            for day, kind in exceptions.items()
        ]
        session.execute(insert(CalendarDay).values(rows).on_conflict_do_nothing())
    shipped = [{**policy, "version": 1} for policy in policies.DEFAULTS]
    session.execute(insert(Policy).values(shipped).on_conflict_do_nothing())


def ensure_calendar(session: Session, told: Mapping[str, Any]) -> Calendar:
    """The calendar as described: `weekly` maps mon…sun (or "0"…"6") to spans, `days` dates to spans.

    Raises Invalid for spans that overlap or dates that are none.
    """
    try:
        weekly = {_day(name): _spans(spans) for name, spans in (told.get("weekly") or {}).items()}
        days = {date.fromisoformat(str(day)): _spans(spans) for day, spans in (told.get("days") or {}).items()}
        until = date.fromisoformat(str(told["covered_until"])) if told.get("covered_until") else None
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid(say("日历 %(name)s 写得不对：%(why)s", name=told["name"], why=str(error))) from error
    found = session.get(Calendar, told["name"]) or Calendar(name=told["name"])
    found.zone, found.weekly, found.covered_until = told.get("zone", "Asia/Shanghai"), weekly, until
    session.add(found)
    session.flush()
    session.execute(delete(CalendarDay).where(col(CalendarDay.calendar) == found.name))
    for day, spans in days.items():
        kind = "custom" if spans else "holiday"
        session.add(CalendarDay(calendar=found.name, day=day, kind=kind, spans=spans, source="setup"))
    session.flush()
    calendars.forget()
    return found


def _day(name: Any) -> str:
    text = str(name).lower()
    if text in _WEEK:
        return str(_WEEK.index(text))
    if text not in "0123456" or len(text) != 1:
        raise ValueError(f"not a weekday: {name}")
    return text


def _spans(told: Any) -> list[list[str]]:
    return workdays.written(workdays.spans_of(told or []))


def ensure_policy(session: Session, told: Mapping[str, Any]) -> Policy:
    """The policy as described, a version newer when it changed. Raises Invalid for what the rules cannot read."""
    match, limits = dict(told.get("match") or {}), {k: str(v) for k, v in (told.get("clocks") or {}).items()}
    policies.demand_sound(match, limits)
    found = session.get(Policy, told["code"]) or Policy(code=told["code"], name=told["name"], version=0)
    if (found.clocks, found.match) != (limits, match):
        found.version += 1
    found.name, found.match, found.clocks = told["name"], match, limits
    found.position = int(told.get("position", 100))
    session.add(found)
    session.flush()
    return found
