"""Calendars as the rules want them, kept in the process for a minute."""

import time
from datetime import date

from sqlmodel import Session, select

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.orders import workdays
from experience.orders.tables import Calendar, CalendarDay
from experience.orders.workdays import WorkCalendar

_KEPT_SECONDS = 60.0
_kept: dict[tuple[str, str], tuple[float, WorkCalendar]] = {}


def calendar(session: Session, name: str) -> WorkCalendar:
    """The calendar under this name. Raises NotFound when there is none."""
    key = (str(session.get_bind().engine.url), name)
    known = _kept.get(key)
    if known and time.monotonic() - known[0] < _KEPT_SECONDS:
        return known[1]
    row = session.get(Calendar, name)
    if row is None:
        if name == "cn-office":
            return workdays.office()
        raise NotFound(say("没有工作日历 %(name)s。", name=name))
    days = session.exec(select(CalendarDay).where(CalendarDay.calendar == name)).all()
    made = WorkCalendar(
        name=name,
        zone=row.zone,
        weekly=tuple(workdays.spans_of(row.weekly.get(str(day), [])) for day in range(7)),
        days={day.day: workdays.spans_of(day.spans) for day in days},
        covered_until=row.covered_until,
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
