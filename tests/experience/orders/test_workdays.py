"""The calendar agrees with a second source, and says where its knowledge ends."""

from datetime import date, timedelta

import holidays
import pytest

from experience.orders import workdays

#: The one day on which the sources differ, of 8,401: a make-up Saturday that only the second source knows.
DIFFERING = [date(2005, 12, 31)]


def test_announced_days_agree_with_a_second_source() -> None:
    office, other = workdays.office(), holidays.country_holidays("CN", years=range(2004, 2027))
    days = [date(2004, 1, 1) + timedelta(days=n) for n in range(8401)]
    assert days[-1] == date(2026, 12, 31)
    assert [day for day in days if office.is_working(day) != other.is_working_day(day)] == DIFFERING


def test_the_calendar_says_until_when_holidays_are_announced() -> None:
    assert workdays.office().covered_until == date(2026, 12, 31)


def test_spans_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        workdays.spans_of([["09:00", "12:00"], ["11:00", "18:00"]])


def test_spans_are_read_as_they_were_written() -> None:
    told = [["09:00", "12:00"], ["13:30", "18:00"]]
    assert workdays.written(workdays.spans_of(told)) == told
