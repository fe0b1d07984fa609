"""The launch gate: exactly the threshold passes, a hair under is vetoed, too few decide nothing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experience.ground.errors import Invalid
from experience.releases.gate import Decision, decide


@pytest.mark.parametrize(
    ("approvals", "total", "decision"),
    [
        (5999, 10000, "vetoed"),
        (6000, 10000, "pass"),
        (60, 100, "pass"),
        (18, 30, "pass"),
        (17, 30, "vetoed"),
        (29, 29, "undecidable"),
        (0, 0, "undecidable"),
        (0, 30, "vetoed"),
        (30, 30, "pass"),
    ],
)
def test_the_edge_is_exact(approvals: int, total: int, decision: str) -> None:
    assert decide(approvals, total).decision == decision


def test_without_a_minimum_nobodys_judgement_still_decides_nothing() -> None:
    nobody = decide(0, 0, minimum=0)
    assert (nobody.decision, nobody.rate, nobody.low) == (Decision.undecidable, None, None)


@pytest.mark.parametrize(("approvals", "total"), [(-1, 10), (11, 10), (1, -1)])
def test_numbers_that_are_no_counts_are_refused(approvals: int, total: int) -> None:
    with pytest.raises(Invalid):
        decide(approvals, total)


@pytest.mark.parametrize("threshold", ["-1", "100.01", "nan", "inf"])
def test_a_threshold_beyond_a_percentage_is_refused(threshold: str) -> None:
    with pytest.raises(Invalid):
        decide(1, 2, threshold_percent=Decimal(threshold))


@given(
    total=st.integers(30, 10_000),
    share=st.floats(0, 1),
    threshold=st.decimals(0, 100, places=2),
    more=st.integers(0, 50),
)
def test_another_approval_never_turns_a_pass_into_a_veto(
    total: int, share: float, threshold: Decimal, more: int
) -> None:
    approvals = int(total * share)
    before = decide(approvals, total, threshold_percent=threshold)
    after = decide(min(total, approvals + more), total, threshold_percent=threshold)
    assert not (before.decision is Decision.passed and after.decision is Decision.vetoed)
    assert before.low is not None
    assert before.high is not None
    assert before.rate is not None
    assert before.low - 1e-9 <= before.rate <= before.high + 1e-9
