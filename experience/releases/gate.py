"""The launch gate: the testers who approve must reach a share of those who judged, or the launch is vetoed."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from analysis.intervals import wilson
from experience.ground.errors import Invalid
from experience.ground.i18n import say

THRESHOLD_PERCENT = Decimal(60)
MINIMUM = 30


class Decision(StrEnum):
    """What the gate says."""

    passed = "pass"
    vetoed = "vetoed"
    undecidable = "undecidable"


@dataclass(frozen=True, slots=True)
class Gate:
    """The decision with what it rests on; `rate`, `low` and `high` are shares from 0 to 1, None without judgements."""

    decision: Decision
    approvals: int
    total: int
    rate: float | None
    low: float | None
    high: float | None
    threshold_percent: Decimal
    minimum: int


def decide(
    approvals: int, total: int, *, threshold_percent: Decimal = THRESHOLD_PERCENT, minimum: int = MINIMUM
) -> Gate:
    """The gate's decision: exactly the threshold passes, anything under it is vetoed, too few judges decide nothing.

    The comparison is exact (whole numbers, no rounding): 59.99 % is under 60 %. The interval is Wilson's, 95 %.
    Raises Invalid when the numbers cannot be counts or the threshold is no percentage.
    """
    if not 0 <= approvals <= total or minimum < 0:
        raise Invalid(say("赞成数须在 0 与评审总数之间：%(approvals)s / %(total)s。", approvals=approvals, total=total))
    if threshold_percent.is_nan() or not 0 <= threshold_percent <= 100:
        raise Invalid(say("门槛须是 0 到 100 之间的百分数：%(threshold)s。", threshold=threshold_percent))
    if total == 0 or total < minimum:
        decision = Decision.undecidable
    elif Decimal(approvals) * 100 >= threshold_percent * total:
        decision = Decision.passed
    else:
        decision = Decision.vetoed
    interval = wilson(approvals, total)
    return Gate(
        decision=decision,
        approvals=approvals,
        total=total,
        rate=interval.value if interval else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        threshold_percent=threshold_percent,
        minimum=minimum,
    )
