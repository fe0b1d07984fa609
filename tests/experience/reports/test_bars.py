"""Clocks drawn as bars: what was used, paused and is left."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from experience.reports.bars import WIDTH, Timing, bar, spark, tone

START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HOURS = st.floats(0, 500).map(lambda h: timedelta(hours=h))


def running(**more: object) -> Timing:
    return Timing("resolve", "running", "8wh", START, START + timedelta(hours=10), **more)  # type: ignore[arg-type]


def test_half_way_to_the_due_instant_half_of_the_bar_is_used() -> None:
    drawn = bar(running(), START + timedelta(hours=5))
    assert [(s.kind, s.width) for s in drawn.stretches] == [("used", WIDTH / 2)]
    assert drawn.tone == "calm"


def test_past_the_due_instant_the_rest_is_drawn_as_over() -> None:
    drawn = bar(running(), START + timedelta(hours=20))
    assert [(s.kind, s.start, s.width) for s in drawn.stretches] == [
        ("used", 0, WIDTH / 2),
        ("over", WIDTH / 2, WIDTH / 2),
    ]
    assert drawn.tone == "late"


def test_a_pause_is_drawn_where_it_was() -> None:
    pauses = ((START + timedelta(hours=2), START + timedelta(hours=4)),)
    drawn = bar(running(pauses=pauses), START + timedelta(hours=5))
    assert [(s.kind, s.start, s.width) for s in drawn.stretches if s.kind == "paused"] == [
        ("paused", WIDTH / 5, WIDTH / 5)
    ]


def test_a_clock_that_was_breached_stays_late_after_it_was_met() -> None:
    late = Timing(
        "resolve", "breached_met", "8wh", START, START + timedelta(hours=1), ended_at=START + timedelta(hours=2)
    )
    assert tone(late, START + timedelta(days=9)) == "late"


def test_a_clock_that_was_met_does_not_grow_any_more() -> None:
    met = Timing("accept", "met", "4wh", START, START + timedelta(hours=4), ended_at=START + timedelta(hours=1))
    assert bar(met, START + timedelta(days=30)).stretches == bar(met, START + timedelta(hours=2)).stretches
    assert tone(met, START + timedelta(days=30)) == "done"


def test_a_paused_clock_is_paused_and_not_late_however_long_it_stands_still() -> None:
    since = START + timedelta(hours=4)
    still = Timing(
        "resolve", "paused", "8wh", START, START + timedelta(hours=10), pauses=((since, None),), pause_reason="等用户"
    )
    drawn = bar(still, START + timedelta(hours=64))
    assert (drawn.tone, drawn.paused_at, drawn.pause_reason) == ("paused", since, "等用户")
    assert [s.kind for s in drawn.stretches] == ["used", "paused"]
    assert sum(s.width for s in drawn.stretches) < WIDTH


def test_a_clock_paused_after_its_due_instant_stays_late() -> None:
    since = START + timedelta(hours=12)
    late = Timing(
        "resolve", "paused", "8wh", START, START + timedelta(hours=10), breached_at=START + timedelta(hours=10),
        pauses=((since, None),),
    )  # fmt: skip
    drawn = bar(late, START + timedelta(hours=20))
    assert drawn.tone == "late"
    assert [s.kind for s in drawn.stretches if s.width] == ["used", "paused", "over"]


@given(HOURS, HOURS, HOURS, HOURS)
def test_nothing_is_drawn_outside_the_bar(due: timedelta, now: timedelta, first: timedelta, length: timedelta) -> None:
    pause = (START + first, START + first + length)
    marks = ((50, START + due / 2, None), (100, START + due, START + due))
    drawn = bar(Timing("resolve", "running", "8wh", START, START + due, pauses=(pause,), marks=marks), START + now)
    for stretch in drawn.stretches:
        assert 0 <= stretch.start <= WIDTH
        assert stretch.width >= 0
        assert stretch.start + stretch.width <= WIDTH + 1e-6
    assert all(0 <= mark.at <= WIDTH for mark in drawn.marks)


def test_a_small_line_breaks_where_a_value_is_missing() -> None:
    assert spark([1.0, None, 2.0]).count("M") == 2
    assert spark([None, None]) == ""
