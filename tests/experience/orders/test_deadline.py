"""Deadlines: the golden vectors, and laws that hold for any start and limit."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experience.ground.errors import Invalid
from experience.orders import deadline, workdays
from experience.orders.deadline import Pause

BEIJING = timezone(timedelta(hours=8))
OFFICE = workdays.office()


def at(text: str) -> datetime:
    """`11-20 16:00` of 2026 in Beijing; 24:00 is the next midnight."""
    if text.endswith("24:00"):
        return at(text.replace("24:00", "00:00")) + timedelta(days=1)
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=BEIJING)


GOLDEN = [
    ("11-20 16:00", "8wh", "11-23 11:00", "11-23 14:54", "11-23 16:30", "11-24 09:06"),
    ("11-23 12:30", "1wh", "11-23 14:00", "11-23 14:18", "11-23 14:30", "11-23 14:42"),
    ("02-13 17:00", "8wh", "02-14 12:00", "02-14 15:54", "02-14 17:30", "02-24 10:06"),
    ("02-18 10:00", "15wh", "02-24 18:00", "02-25 15:00", "02-25 18:00", "02-26 12:00"),
    ("02-27 15:00", "7.5wh", "02-28 09:45", "02-28 12:00", "02-28 15:00", "02-28 16:30"),
    ("04-30 17:30", "24wh", "05-07 14:30", "05-08 14:12", "05-09 10:00", "05-09 16:18"),
    ("09-30 12:00", "15wh", "10-08 12:00", "10-08 18:00", "10-09 12:00", "10-09 16:30"),
    ("02-13 17:00", "3wd", "02-24 13:45", "02-25 11:48", "02-25 18:00", None),
    ("09-30 10:00", "5wd", "10-10 09:30", "10-12 16:42", "10-13 18:00", None),
    ("11-21 22:00", "1wd", "11-23 14:15", "11-23 16:30", "11-23 18:00", None),
]


@pytest.mark.parametrize(("start", "limit", "half", "eighty", "due", "over"), GOLDEN)
def test_golden_vectors(start: str, limit: str, half: str, eighty: str, due: str, over: str | None) -> None:  # noqa: PLR0917
    found = deadline.calculate(at(start), limit, OFFICE)
    assert datetime.fromisoformat(found["due"]) == at(due)
    assert datetime.fromisoformat(found["marks"]["50"]) == at(half)
    assert datetime.fromisoformat(found["marks"]["80"]) == at(eighty)
    if over:
        assert datetime.fromisoformat(found["marks"]["120"]) == at(over)
    assert found["provisional"] is False


def test_a_pause_gives_back_what_was_left() -> None:
    pause = Pause(at("11-20 15:00"), at("11-24 09:30"))
    assert deadline.due_with_pauses(OFFICE, deadline.parse("16wh"), at("11-19 10:00"), []) == at("11-23 11:00")
    assert deadline.due_with_pauses(OFFICE, deadline.parse("16wh"), at("11-19 10:00"), [pause]) == at("11-24 16:00")


@pytest.mark.parametrize(
    ("start", "due", "legal", "internal"),
    [
        ("09-20 10:00", "10-05 24:00", "10-08 24:00", "09-30 24:00"),
        ("02-05 10:00", "02-20 24:00", "02-24 24:00", "02-14 24:00"),
    ],
)
def test_fifteen_natural_days_roll_by_law_and_by_our_own_rule(start: str, due: str, legal: str, internal: str) -> None:
    found = deadline.calculate(at(start), "15nd", OFFICE)
    assert [datetime.fromisoformat(found[name]) for name in ("due", "legal", "internal")] == [
        at(due),
        at(legal),
        at(internal),
    ]


def test_beyond_the_announced_holidays_the_due_is_provisional() -> None:
    found = deadline.calculate(at("12-28 10:00"), "30wd", OFFICE)
    assert found["provisional"] is True
    assert found["due"].startswith("2027-02-0")


@pytest.mark.parametrize("text", ["", "8", "wh", "8 wh", "-1wh", "1.5wd", "0wh", "1e3wh", "9999wd"])
def test_an_unreadable_limit_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        deadline.parse(text)


@pytest.mark.parametrize("start", ["0001-01-02 10:00", "9999-12-30 10:00"])
def test_a_start_beyond_all_calendars_is_refused(start: str) -> None:
    with pytest.raises(Invalid):
        deadline.calculate(datetime.fromisoformat(f"{start}+08:00"), "8wh", OFFICE)


moments = st.datetimes(datetime(2025, 1, 1), datetime(2026, 10, 1)).map(lambda d: d.replace(microsecond=0, tzinfo=UTC))
lengths = st.integers(1, 60 * 3600)


@given(moments, lengths)
def test_what_was_added_is_what_lies_between(start: datetime, seconds: int) -> None:
    assert deadline.between(OFFICE, start, deadline.add(OFFICE, start, seconds)) == pytest.approx(seconds)


@given(moments, lengths, lengths)
def test_adding_twice_is_adding_the_sum(start: datetime, one: int, other: int) -> None:
    assert deadline.add(OFFICE, deadline.add(OFFICE, start, one), other) == deadline.add(OFFICE, start, one + other)


@given(moments, st.integers(1, 40), moments, st.integers(0, 10 * 86400))
def test_a_pause_never_makes_a_deadline_earlier(start: datetime, hours: int, begin: datetime, length: int) -> None:
    limit = deadline.parse(f"{hours}wh")
    pause = Pause(begin, begin + timedelta(seconds=length))
    without = deadline.due_with_pauses(OFFICE, limit, start, [])
    assert deadline.due_with_pauses(OFFICE, limit, start, [pause]) >= without
    assert deadline.due_with_pauses(OFFICE, limit, start, [Pause(begin, begin)]) == without


@given(moments, st.integers(1, 40), st.dates(datetime(2025, 1, 1).date(), datetime(2026, 12, 1).date()))
def test_another_holiday_never_makes_a_deadline_earlier(start: datetime, hours: int, day) -> None:  # noqa: ANN001
    more = workdays.WorkCalendar("x", OFFICE.zone, OFFICE.weekly, {**OFFICE.days, day: ()}, OFFICE.covered_until)
    limit = deadline.parse(f"{hours}wh")
    assert deadline.due(more, start, limit) >= deadline.due(OFFICE, start, limit)
