"""Working time: the spans of each day, from a weekly pattern and the days that replace it.

China's holidays and make-up days (调休) come from the State Council's yearly notice; `days_cn.json` holds them as they
were published for 2004 to 2026, made from the chinesecalendar package and checked against a second source by a test.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

#: One stretch of work in a day, [start, end), in seconds from local midnight.
Span = tuple[int, int]
OFFICE: tuple[Span, ...] = ((9 * 3600, 12 * 3600), (13 * 3600 + 1800, 18 * 3600))
#: Holidays are announced late in the year for the next; so long before they run out people are told to enter them.
AHEAD = timedelta(days=60)
#: The longest limit of a shipped policy, natural days: nearer to the end, deadlines of new orders are provisional.
REACHED = timedelta(days=15)
_DAY = timedelta(days=1)
_BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class WorkCalendar:
    """The working spans of every day.

    Beyond `covered_until` only the weekly pattern is known, and results are provisional.
    """

    name: str
    zone: str
    weekly: tuple[tuple[Span, ...], ...]  # Monday first
    days: Mapping[date, tuple[Span, ...]]
    covered_until: date | None = None

    def spans(self, day: date) -> tuple[Span, ...]:
        """The day's working spans; a day override replaces the weekly pattern entirely."""
        return self.days.get(day, self.weekly[day.weekday()])

    def is_working(self, day: date) -> bool:
        """Whether anybody works that day."""
        return bool(self.spans(day))

    def is_covered(self, instant: datetime) -> bool:
        """Whether the holidays up to this instant have been announced."""
        return self.covered_until is None or self.local(instant).date() <= self.covered_until

    def local(self, instant: datetime) -> datetime:
        """The instant on the calendar's own wall clock."""
        return instant.astimezone(ZoneInfo(self.zone))

    def at(self, day: date, seconds: int) -> datetime:
        """The instant so many seconds after local midnight of the day, in UTC."""
        midnight = datetime.combine(day, time(), ZoneInfo(self.zone))
        return (midnight + timedelta(seconds=seconds)).astimezone(UTC)

    def stretches(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working stretches from `start` on, as instants, the first one cut at `start`; without end."""
        day = self.local(start).date()
        for _ in range(366 * 30):
            for begin, end in self.spans(day):
                opened, closed = self.at(day, begin), self.at(day, end)
                if closed > start:
                    yield max(opened, start), closed
            day += _DAY
        raise ValueError("no working time within thirty years")


def is_short(covered_until: date | None, now: datetime, ahead: timedelta = AHEAD) -> bool:
    """Whether so much of the time to come, in Beijing's days, is not all covered by announced holidays."""
    return covered_until is not None and covered_until < now.astimezone(_BEIJING).date() + ahead


def spans_of(told: Sequence[Sequence[str]]) -> tuple[Span, ...]:
    """Spans written as [["09:00", "12:00"], …]. Raises ValueError unless they rise and do not overlap."""
    spans = tuple((_seconds(begin), _seconds(end)) for begin, end in told)
    flat = [edge for span in spans for edge in span]
    if flat != sorted(set(flat)):
        raise ValueError(f"working spans must rise and not overlap: {told}")
    return spans


def _seconds(text: str) -> int:
    hours, _, minutes = str(text).partition(":")
    found = int(hours) * 3600 + int(minutes or 0) * 60
    if not 0 <= found <= 86400:
        raise ValueError(f"not a time of day: {text}")
    return found


def written(spans: Sequence[Span]) -> list[list[str]]:
    """Spans as `spans_of` reads them."""
    return [[f"{edge // 3600:02d}:{edge % 3600 // 60:02d}" for edge in span] for span in spans]


@cache
def announced() -> tuple[dict[date, str], date]:
    """China's announced exceptions, day -> holiday or makeup, and the last day covered by a notice."""
    known = json.loads(Path(__file__).with_name("days_cn.json").read_text("utf-8"))
    days = {date.fromisoformat(day): kind for kind in ("holiday", "makeup") for day in known[kind]}
    return days, date.fromisoformat(known["covered_until"])


@cache
def office() -> WorkCalendar:
    """`cn-office`: Monday to Friday 09:00–12:00 and 13:30–18:00, China's holidays and make-up days."""
    exceptions, covered_until = announced()
    weekly = (OFFICE,) * 5 + ((), ())
    days = {day: OFFICE if kind == "makeup" else () for day, kind in exceptions.items()}
    return WorkCalendar("cn-office", "Asia/Shanghai", weekly, days, covered_until)
