"""Scores and what may be shown of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import metrics

KINDS = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "score10": (1, 10), "rating": (1, 5)}


def test_nps_is_promoters_less_detractors_with_the_adjusted_wald_interval() -> None:
    found = metrics.figure("nps", {10: 50, 8: 30, 3: 20})
    assert found.value == 30
    # m=103, p=50.75/103, d=20.75/103: 29.13 ± 1.96·√((p+d−(p−d)²)/m)·100
    assert found.low == pytest.approx(14.05, abs=0.05)
    assert found.high == pytest.approx(44.20, abs=0.05)


def test_csat_is_the_share_of_four_and_five_with_the_wilson_interval() -> None:
    found = metrics.figure("csat", {5: 30, 4: 30, 3: 20, 1: 20})
    assert (found.n, found.value) == (100, 60)
    assert found.low == pytest.approx(50.2, abs=0.05)
    assert found.high == pytest.approx(69.1, abs=0.05)
    assert found.worst == pytest.approx(0.2)


def test_score10_is_the_mean_on_a_hundred() -> None:
    found = metrics.figure("score10", {10: 20, 8: 20})
    assert (found.value, found.best) == (90, 0.5)


@pytest.mark.parametrize(("n", "display"), [(0, "none"), (4, "hidden"), (5, "grey"), (29, "grey"), (30, "full")])
def test_small_samples_are_shown_as_such(n: int, display: str) -> None:
    found = metrics.figure("csat", {4: n} if n else {})
    assert found.display == display
    assert (found.value is None) == (display in ("none", "hidden"))
    assert metrics.share(n, n).display == display


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_a_score_lies_in_its_interval_and_is_never_nan(kind: str, data: st.DataObject) -> None:
    low, high = KINDS[kind]
    counts = data.draw(st.dictionaries(st.integers(low, high), st.integers(0, 50)))
    found = metrics.figure(kind, {answer: count for answer, count in counts.items() if count})
    if found.value is not None:
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value + 1e-9
        assert found.value <= found.high + 1e-9


def test_the_lift_is_anomaly_less_baseline_and_excludes_zero_only_when_it_should() -> None:
    lift = metrics.lift("csat", {1: 30, 5: 10}, {5: 40, 1: 10})
    assert lift is not None
    assert lift.value == pytest.approx(-55)
    assert lift.high < 0
    assert metrics.lift("csat", {1: 4}, {5: 40}) is None
    same = metrics.lift("nps", {10: 20, 0: 20}, {10: 20, 0: 20})
    assert same is not None
    assert not same.excludes_zero
