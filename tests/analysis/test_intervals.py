import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import intervals


def test_newcombes_own_example_comes_out() -> None:
    gap = intervals.difference_of_shares(56, 70, 48, 80)
    assert gap is not None
    assert (round(gap.value, 4), round(gap.low, 4), round(gap.high, 4)) == (0.2, 0.0524, 0.3339)


def test_wilson_of_nothing_good_reaches_above_zero() -> None:
    found = intervals.wilson(0, 10)
    assert found is not None
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.0, 0.0, 0.2775)


def test_nps_follows_the_adjusted_wald_formula() -> None:
    found = intervals.nps(50, 20, 100)
    assert found is not None
    m, p, d = 103, 50.75 / 103, 20.75 / 103
    half = 1.959964 * math.sqrt((p + d - (p - d) ** 2) / m)
    assert found.value == 30
    assert found.low == pytest.approx(100 * (p - d - half), abs=1e-3)
    assert found.high == pytest.approx(100 * (p - d + half), abs=1e-3)


def test_no_answers_give_no_figure() -> None:
    assert intervals.wilson(0, 0) is None
    assert intervals.nps(0, 0, 0) is None
    assert intervals.mean([]) is None
    assert intervals.difference_of_shares(1, 2, 0, 0) is None


def test_counts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="not a share"):
        intervals.wilson(3, 2)
    with pytest.raises(ValueError, match="do not fit"):
        intervals.nps(3, 3, 5)


def test_the_t_interval_of_a_small_sample() -> None:
    found = intervals.mean([1, 2, 3, 4, 5])
    assert found is not None
    assert (found.value, round(found.low, 3), round(found.high, 3)) == (3, 1.037, 4.963)


def test_the_t_quantile_goes_on_smoothly_beyond_the_table() -> None:
    assert intervals.t_quantile(31) == pytest.approx(2.0395, abs=1e-3)
    assert intervals.t_quantile(1000) == pytest.approx(1.9623, abs=1e-3)


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilson_holds_the_share_and_stays_between_0_and_1(k: int, more: int) -> None:
    found = intervals.wilson(k, k + more)
    if found is not None:
        assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_nps_holds_the_score_and_stays_on_its_scale(promoters: int, detractors: int, passive: int) -> None:
    found = intervals.nps(promoters, detractors, promoters + detractors + passive)
    if found is not None:
        assert -100 <= found.low <= found.value <= found.high <= 100


@given(st.integers(1, 200), st.integers(1, 200))
def test_ten_times_the_answers_make_the_interval_narrower(k: int, more: int) -> None:
    few, many = intervals.wilson(k, k + more), intervals.wilson(10 * k, 10 * (k + more))
    assert few is not None
    assert many is not None
    assert many.high - many.low < few.high - few.low


def test_equal_weights_are_worth_their_number() -> None:
    assert intervals.effective_n([2.0] * 7) == pytest.approx(7)
    assert intervals.effective_n([1, 0, 0]) == 1
    assert intervals.effective_n([]) == 0
