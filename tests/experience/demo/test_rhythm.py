"""The demo's people work in shifts."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from experience.demo.rhythm import BEIJING, SHIFT, on_shift

MIDNIGHT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


@given(st.integers(0, 7 * 86400).map(lambda seconds: MIDNIGHT + timedelta(seconds=seconds)))
def test_whoever_acts_is_at_work_and_never_later_than_meant(at: datetime) -> None:
    acts = on_shift(at)
    assert SHIFT[0] <= acts.astimezone(BEIJING).time() < SHIFT[1]
    assert timedelta() <= at - acts < timedelta(hours=16)


def test_the_day_is_left_alone_and_the_night_keeps_its_order() -> None:
    noon = MIDNIGHT + timedelta(hours=12)
    assert on_shift(noon) == noon
    night = [on_shift(MIDNIGHT + timedelta(hours=hour)) for hour in range(9)]
    assert night == sorted(night)
    assert len(set(night)) == len(night)
