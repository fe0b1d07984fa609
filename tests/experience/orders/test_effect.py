"""Before and after: what the numbers allow to be said, and from which rows they come."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from experience.measures.operations import Happened, add
from experience.orders import effect
from experience.orders.effect import Sample, compare
from experience.orders.operations import measure_effect
from experience.orders.tables import Effect
from tests.experience.orders.test_loop import Loop, issue, loop  # noqa: F401 - fixtures


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (Sample(600, 1000), Sample(950, 1000), "better"),
        (Sample(950, 1000), Sample(600, 1000), "worse"),
        (Sample(90, 100), Sample(92, 100), "unclear"),
        (Sample(10, 29), Sample(950, 1000), "undecidable"),
        (Sample(0, 0), Sample(950, 1000), "undecidable"),
    ],
)
def test_a_verdict_needs_numbers_and_an_interval_off_zero(before: Sample, after: Sample, verdict: str) -> None:
    assert compare(before, after).verdict == verdict


samples = st.integers(effect.LEAST_N, 5000).flatmap(lambda n: st.integers(0, n).map(lambda k: Sample(k, n)))


@given(samples, samples)
def test_turning_the_comparison_round_turns_the_verdict_round(one: Sample, other: Sample) -> None:
    turned = {"better": "worse", "worse": "better"}
    there, back = compare(one, other).verdict, compare(other, one).verdict
    assert back == turned.get(there, there)


@given(samples)
def test_the_same_figure_twice_is_no_effect(one: Sample) -> None:
    assert compare(one, one).verdict == "unclear"


def counts(at: datetime, success: int, fail: int, province: str = "guangdong") -> list[Happened]:
    return [
        Happened("web.recharge", "success", at, province, success),
        Happened("web.recharge", "fail", at, province, fail),
    ]


def test_success_and_satisfaction_are_compared_fourteen_days_before_and_after(loop: Loop) -> None:  # noqa: F811
    loop.now += timedelta(minutes=25)  # the change falls into the middle of an hour
    order = loop.confirmed()
    split = loop.now
    loop.sweep(split + timedelta(days=3))
    days = [timedelta(days=n) for n in range(1, 14)]
    rows = [row for day in days for row in counts(split - day, 60, 40)]
    rows += [row for day in days for row in counts(split + day, 95, 5)]
    rows += counts(split - timedelta(minutes=20), 3, 0)  # in the hour of the change: after
    rows += counts(split + timedelta(days=1), 0, 5000, province="hunan")  # somebody else's
    rows += counts(split - timedelta(days=20), 0, 5000)  # before the window
    rows += [Happened("web.recharge", "csat", split - day, "guangdong", 10, 4.0) for day in days]
    rows += [Happened("web.recharge", "csat", split + day, "guangdong", 10, 9.0) for day in days]
    add(loop.session, rows, windows=(3600, 86400))
    assert not measure_effect(loop.session, split + timedelta(days=13))
    while measure_effect(loop.session, split + timedelta(days=14, minutes=1)):
        pass
    found = {one.key: one for one in loop.session.exec(select(Effect).where(Effect.order_id == order.id))}
    success, csat = found["success_rate"], found["csat"]
    assert (success.before_n, success.after_n, success.verdict) == (1300, 1303, "better")
    assert success.before_value == pytest.approx(0.6)
    assert success.low is not None
    assert success.difference is not None
    assert 0 < success.low < success.difference
    assert (csat.before_n, csat.after_n, csat.verdict) == (130, 130, "better")
    assert csat.after_value == pytest.approx(0.9)
    assert len(success.series) >= 26


def test_an_effect_is_measured_once(loop: Loop, session: Session) -> None:  # noqa: F811
    order = loop.confirmed()
    loop.sweep(loop.now + timedelta(days=3))
    later = loop.now + timedelta(days=20)
    done = 0
    while measure_effect(session, later):
        done += 1
    assert done == len(session.exec(select(Effect).where(Effect.order_id == order.id)).all()) == 2
