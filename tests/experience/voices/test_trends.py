"""What days of counts say of a topic: shares with intervals, honest arrows, bursts against like weekdays."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experience.voices import trends
from experience.voices.trends import Span, Tally

TODAY = date(2026, 11, 22)
WEEK = Span(TODAY - timedelta(days=6), TODAY)


def steady(n: int, *, negative: int = 0, days: int = 60) -> dict[date, Tally]:
    return {TODAY - timedelta(days=i): Tally(n, n, negative, 0, -0.5 * negative) for i in range(days)}


def test_a_steady_topic_has_no_arrow_and_no_burst() -> None:
    billing, store = trends.lines({"billing": steady(30, negative=20), "store": steady(10)}, WEEK)
    assert (billing.topic, billing.now.n, billing.before.n, billing.share.value) == ("billing", 210, 210, 0.75)
    assert billing.change is not None
    assert not billing.change.excludes_zero
    assert (billing.bursts, store.bursts) == ((), ())
    assert billing.now.negative_share is not None
    assert billing.now.negative_share.low < 140 / 210 < billing.now.negative_share.high


def test_a_day_far_over_its_like_weekdays_is_a_burst() -> None:
    rising = steady(4)
    rising[TODAY - timedelta(days=2)] = Tally(22, 22, 22, 0, -20.0)
    (store, billing) = sorted(
        trends.lines({"billing": rising, "store": steady(40)}, WEEK), key=lambda line: -line.now.n
    )
    assert billing.bursts == (TODAY - timedelta(days=2),)
    assert store.bursts == ()


def test_a_weekly_rhythm_is_no_burst() -> None:
    rhythm = {day: Tally(40 if day.weekday() == 0 else 5) for day in (TODAY - timedelta(days=i) for i in range(60))}
    assert trends.bursts({"store": rhythm}, WEEK) == {}


def test_the_first_weeks_of_a_new_system_are_no_bursts() -> None:
    assert trends.bursts({"store": steady(50, days=8)}, WEEK) == {}


def test_a_topic_that_came_up_is_told_with_its_interval() -> None:
    late = {TODAY - timedelta(days=i): Tally(20) for i in range(7)}
    (store, billing) = trends.lines({"store": steady(40), "billing": late}, WEEK)
    assert billing.change is not None
    assert billing.change.value == pytest.approx(1 / 3)
    assert billing.change.excludes_zero
    assert store.change is not None
    assert store.change.high < 0


def test_a_span_is_cut_into_weeks_that_end_today() -> None:
    month = Span(TODAY - timedelta(days=27), TODAY)
    assert [len(week) for week in month.weeks()] == [7, 7, 7, 7]
    ten = Span(TODAY - timedelta(days=9), TODAY).weeks()
    assert [(len(week), week.last) for week in ten] == [(3, TODAY - timedelta(days=7)), (7, TODAY)]


def test_a_cell_is_marked_where_a_place_differs_from_all_others() -> None:
    cells = {
        ("guangdong", "billing"): Tally(80), ("guangdong", "store"): Tally(20),
        ("hunan", "billing"): Tally(30), ("hunan", "store"): Tally(70),
        ("hubei", "billing"): Tally(1),
    }  # fmt: skip
    grid = trends.grid(cells, ["billing", "store"], most=2)
    assert [(place, total.n, [cell.sign for cell in row]) for place, total, row in grid.rows] == [
        ("guangdong", 100, [1, -1]), ("hunan", 100, [-1, 1])
    ]  # fmt: skip
    assert grid.left_out == 1


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=40))
def test_shares_of_all_topics_make_one(counts: list[tuple[int, int]]) -> None:
    days = {
        f"t{i}": {TODAY: Tally(here), TODAY - timedelta(days=7): Tally(before)}
        for i, (here, before) in enumerate(counts)
    }
    lines = trends.lines(days, WEEK)
    total = sum(line.now.n for line in lines)
    assert total == sum(here for here, _ in counts)
    if total:
        assert sum(line.share.value for line in lines) == pytest.approx(1)
