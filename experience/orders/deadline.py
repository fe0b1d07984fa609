"""Deadlines: limits in working or natural time, pauses, marks, roll-over.

Units are never mixed: `wh` counts working seconds; `wd_eod` ends at the last span of the Nth working day after the
start day; `nh` counts seconds; `nd_eod` ends at 24:00 of the Nth day after the start day (Civil Code 201 and 203).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.orders.workdays import WorkCalendar

UNITS = {"wh": "wh", "wd": "wd_eod", "nh": "nh", "nd": "nd_eod"}
#: Percent of the budget at which a clock rings.
LEVELS = (50, 80, 100, 120)
_LIMIT = re.compile(r"(\d+(?:\.\d+)?)(wh|wd|nh|nd)")
_DAY = timedelta(days=1)
#: Years in which deadlines are calculated: well inside what a calendar's arithmetic can hold.
YEARS = (1970, 2200)


@dataclass(frozen=True, slots=True)
class Limit:
    """So much of a unit, such as 8 wh."""

    amount: float
    unit: str

    @property
    def is_working(self) -> bool:
        """Whether only working time counts."""
        return self.unit in ("wh", "wd_eod")

    def __str__(self) -> str:
        return f"{self.amount:g}{self.unit.removesuffix('_eod')}"


def parse(text: str) -> Limit:
    """`8wh`, `3wd`, `48nh`, `15nd`. Raises Invalid for anything else, and for days that are not whole."""
    found = _LIMIT.fullmatch(text.strip())
    if not found:
        raise Invalid(say("时限“%(text)s”看不懂：请写成 8wh、3wd、48nh 或 15nd。", text=text[:40]))
    amount, unit = float(found[1]), UNITS[found[2]]
    if not 0 < amount <= 100_000 or (unit.endswith("_eod") and (amount != int(amount) or amount > 2000)):
        raise Invalid(say("时限“%(text)s”超出范围，按天的时限要是整数天。", text=text[:40]))
    return Limit(amount, unit)


def add(calendar: WorkCalendar, start: datetime, seconds: float) -> datetime:
    """The instant when so many working seconds have passed since `start`; a span's end, not the next span's start."""
    left = seconds
    if left <= 0:
        return start
    for begin, end in calendar.stretches(start):
        length = (end - begin).total_seconds()
        if left <= length + 1e-6:
            return begin + timedelta(seconds=left)
        left -= length
    raise AssertionError("stretches never end")


def between(calendar: WorkCalendar, start: datetime, end: datetime) -> float:
    """Working seconds from `start` to `end`; 0 when `end` is not later."""
    if end <= start:
        return 0.0
    total = 0.0
    for begin, finish in calendar.stretches(start):
        if begin >= end:
            break
        total += (min(finish, end) - begin).total_seconds()
    return total


def due(calendar: WorkCalendar, start: datetime, limit: Limit) -> datetime:
    """When a limit that starts at `start` runs out, in UTC."""
    if limit.unit == "wh":
        return add(calendar, start, limit.amount * 3600)
    if limit.unit == "nh":
        return start.astimezone(UTC) + timedelta(hours=limit.amount)
    if limit.unit == "nd_eod":
        return calendar.at(calendar.local(start).date() + timedelta(days=int(limit.amount)), 86400)
    day, left = calendar.local(start).date(), int(limit.amount)
    while left:
        day += _DAY
        left -= calendar.is_working(day)
    return calendar.at(day, calendar.spans(day)[-1][1])


def counted(calendar: WorkCalendar, limit: Limit, start: datetime, end: datetime) -> float:
    """Seconds of the limit's own time between two instants: working seconds, or all of them."""
    return between(calendar, start, end) if limit.is_working else max((end - start).total_seconds(), 0.0)


def forward(calendar: WorkCalendar, limit: Limit, start: datetime, seconds: float) -> datetime:
    """The instant so many seconds of the limit's own time after `start`."""
    return add(calendar, start, seconds) if limit.is_working else start + timedelta(seconds=max(seconds, 0))


def budget(calendar: WorkCalendar, limit: Limit, start: datetime) -> float:
    """The whole budget in seconds of the limit's own time, after conversion from days."""
    return counted(calendar, limit, start, due(calendar, start, limit))


def marks(
    calendar: WorkCalendar, limit: Limit, start: datetime, total: float, levels: Sequence[int] = LEVELS
) -> dict[int, datetime]:
    """Level in percent -> the instant at which that share of the budget is used, for a clock never paused."""
    return {level: forward(calendar, limit, start, total * level / 100) for level in levels}


def legal_roll(calendar: WorkCalendar, due_at: datetime) -> datetime:
    """A natural-day deadline moved forward when its last day is a holiday (Civil Code art. 203)."""
    day = calendar.local(due_at - timedelta(seconds=1)).date()
    while not calendar.is_working(day):
        day += _DAY
    return calendar.at(day, 86400)


def internal_roll(calendar: WorkCalendar, due_at: datetime) -> datetime:
    """The same deadline moved back to the last working day before it: what we ask of ourselves."""
    day = calendar.local(due_at - timedelta(seconds=1)).date()
    while not calendar.is_working(day):
        day -= _DAY
    return calendar.at(day, 86400)


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch in which a clock does not count."""

    start: datetime
    end: datetime


def merged(pauses: Iterable[Pause]) -> list[Pause]:
    """The pauses in order, overlapping ones as one. Raises Invalid for one that ends before it starts."""
    ordered: list[Pause] = []
    for pause in sorted(pauses, key=lambda p: p.start):
        if pause.end < pause.start:
            raise Invalid(say("挂起的结束时间早于开始时间。"))
        if ordered and pause.start <= ordered[-1].end:
            ordered[-1] = Pause(ordered[-1].start, max(ordered[-1].end, pause.end))
        else:
            ordered.append(pause)
    return ordered


def due_with_pauses(
    calendar: WorkCalendar, limit: Limit, start: datetime, pauses: Sequence[Pause], share: float = 1.0
) -> datetime:
    """When the given share of the budget is used, pauses left out."""
    left = budget(calendar, limit, start) * share
    at = start
    for pause in merged(pauses):
        begin = max(pause.start, at)
        if pause.end <= at:
            continue
        used = counted(calendar, limit, at, begin)
        if left <= used + 1e-6:
            break
        left, at = left - used, pause.end
    return forward(calendar, limit, at, left)


def calculate(start: datetime, limit_text: str, calendar: WorkCalendar, pauses: Sequence[Pause] = ()) -> dict[str, Any]:
    """What `huisheng due` prints: due, marks and whether holidays beyond the announced ones were needed.

    Raises Invalid for an unreadable limit and for instants outside YEARS, ValueError when the calendar's stretches end.
    """
    limit = parse(limit_text)
    if not all(YEARS[0] < at.year < YEARS[1] for at in (start, *(at for p in pauses for at in (p.start, p.end)))):
        raise Invalid(say("时间超出范围。"))
    ends = due_with_pauses(calendar, limit, start, pauses)
    rung = {
        str(level): _told(calendar, due_with_pauses(calendar, limit, start, pauses, level / 100))
        for level in LEVELS
        if level != 100
    }
    found: dict[str, Any] = {
        "due": _told(calendar, ends),
        "marks": rung,
        "provisional": not calendar.is_covered(ends),
        "limit": str(limit),
        "calendar": calendar.name,
    }
    if limit.unit == "nd_eod":
        found |= {
            "legal": _told(calendar, legal_roll(calendar, ends)),
            "internal": _told(calendar, internal_roll(calendar, ends)),
        }
    return found


def _told(calendar: WorkCalendar, instant: datetime) -> str:
    return calendar.local(instant).isoformat(timespec="seconds")
