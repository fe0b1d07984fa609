"""Calendars as the rules want them, kept in the process for a minute."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from experience.audit.tables import AuditLine
from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.orders import workdays
from experience.orders.queries.visible import visible
from experience.orders.tables import Calendar, CalendarDay, Clock, Policy, WorkOrder
from experience.orders.workdays import WorkCalendar
from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit

#: The audited act that changes special days; its detail names the days.
CHANGED_DAYS = "change_days"
MOST_CALENDARS = 200
_MOST_NAMED = 5
_MOST_VERSIONS = 20
_OPEN = text("work_order.state not in ('archived', 'merged', 'cancelled')")

_KEPT_SECONDS = 60.0
_kept: dict[tuple[str, str], tuple[float, WorkCalendar]] = {}


def calendar(session: Session, name: str) -> WorkCalendar:
    """The calendar under this name. Raises NotFound when there is none."""
    key = (str(session.get_bind().engine.url), name)
    known = _kept.get(key)
    if known and time.monotonic() - known[0] < _KEPT_SECONDS:
        return known[1]
    found = session.get(Calendar, name)
    if found is None:
        if name == "cn-office":
            return workdays.office()
        raise NotFound(say("没有工作日历 %(name)s。", name=name))
    days = session.exec(select(CalendarDay).where(CalendarDay.calendar == name)).all()
    made = WorkCalendar(
        name=name,
        zone=found.zone,
        weekly=tuple(workdays.spans_of(found.weekly.get(str(day), [])) for day in range(7)),
        days={day.day: workdays.spans_of(day.spans) for day in days},
        covered_until=found.covered_until,
    )
    _kept[key] = (time.monotonic(), made)
    return made


def forget() -> None:
    """Reads calendars anew from now on, after one was changed."""
    _kept.clear()


def covered_until(session: Session) -> date | None:
    """The earliest day up to which a calendar's holidays are known."""
    known = [row.covered_until for row in session.exec(select(Calendar)) if row.covered_until is not None]
    return min(known, default=None)


@dataclass(frozen=True, slots=True)
class Listed:
    """A calendar with how many units work by it and how many days of this year replace its week."""

    calendar: Calendar
    units: int
    specials: int


def row(session: Session, name: str) -> Calendar:
    """The calendar as staff see it. Raises NotFound when there is none."""
    found = session.get(Calendar, name)
    if found is None:
        raise NotFound(say("没有工作日历 %(name)s。", name=name))
    return found


def listed(session: Session, year: int) -> list[Listed]:
    """The calendars by name; the first `MOST_CALENDARS`."""
    units = select(func.count()).where(col(Unit.calendar) == Calendar.name).correlate(Calendar).scalar_subquery()
    specials = (
        select(func.count())
        .where(col(CalendarDay.calendar) == Calendar.name, *_within(year))
        .correlate(Calendar)
        .scalar_subquery()
    )
    found = session.exec(select(Calendar, units, specials).order_by(Calendar.name).limit(MOST_CALENDARS)).all()
    return [Listed(*row) for row in found]


def days_of(session: Session, name: str, year: int) -> list[CalendarDay]:
    """The year's special days in order."""
    wanted = select(CalendarDay).where(col(CalendarDay.calendar) == name, *_within(year))
    return list(session.exec(wanted.order_by(col(CalendarDay.day))))


def _within(year: int) -> tuple[Any, ...]:
    return col(CalendarDay.day) >= date(year, 1, 1), col(CalendarDay.day) <= date(year, 12, 31)


@dataclass(frozen=True, slots=True)
class Touched:
    """Clocks of working time that reach beyond a day: those that run, those that pause, and some of their orders."""

    running: int
    paused: int
    orders: tuple[str, ...]


def touched(session: Session, scope: Scope, name: str, since: datetime) -> Touched:
    """The live working-time clocks of a calendar that are due after `since`, the start of a day to be changed."""
    live = (
        visible(scope),
        _OPEN,
        col(Clock.calendar) == name,
        col(Clock.unit).in_(("wh", "wd_eod")),
        col(Clock.state).in_(("running", "paused")),
        col(Clock.due_at) > since,
    )
    joined = select(Clock.state, func.count()).join(WorkOrder, col(WorkOrder.id) == Clock.order_id).where(*live)
    numbers = dict(session.exec(joined.group_by(Clock.state)).all())
    codes = select(WorkOrder.code).join(Clock, col(Clock.order_id) == WorkOrder.id).where(*live).distinct()
    named = session.exec(codes.order_by(WorkOrder.code).limit(_MOST_NAMED)).all()
    return Touched(numbers.get("running", 0), numbers.get("paused", 0), tuple(named))


@dataclass(frozen=True, slots=True)
class Change:
    """Days of a calendar that were changed at an instant."""

    calendar: str
    days: tuple[date, ...]
    at: datetime


def changes(session: Session) -> list[Change]:
    """What staff changed of special days, from the audit, oldest first."""
    lines = session.exec(
        select(AuditLine)
        .where(AuditLine.subject_kind == "calendar", AuditLine.act == CHANGED_DAYS)
        .order_by(col(AuditLine.id))
    )
    return [
        Change(line.subject_id, tuple(date.fromisoformat(day) for day in line.detail["days"]), line.at)
        for line in lines
    ]


def keeps_promise(session: Session, clock: Clock, since: datetime, until: datetime, changed: Iterable[Change]) -> bool:
    """Whether days between the start of a stretch and the last of its marks were changed after it began.

    Then its due and marks are those promised before, and nothing to be calculated again.
    """
    days = calendar(session, clock.calendar)
    first, last = days.local(since).date(), days.local(until).date()
    return any(
        one.calendar == clock.calendar and one.at >= since and any(first <= day <= last for day in one.days)
        for one in changed
    )


def policies(session: Session) -> list[Policy]:
    """The policies in the order in which they match."""
    return list(session.exec(select(Policy).order_by(col(Policy.position), col(Policy.code))))


def versions(session: Session, code: str) -> list[AuditLine]:
    """The last changes of a policy, newest first, as the audit wrote them."""
    wanted = select(AuditLine).where(AuditLine.subject_kind == "policy", AuditLine.subject_id == code)
    return list(session.exec(wanted.order_by(col(AuditLine.id).desc()).limit(_MOST_VERSIONS)))
