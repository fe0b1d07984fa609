"""Did it help? The same figure before and after, with an interval, and a verdict only where the interval allows one."""

from dataclasses import dataclass

from analysis import intervals

WINDOW_DAYS = 14
#: Fewer than this on either side and nothing is claimed.
LEAST_N = 30
KEYS = ("success_rate", "csat")


@dataclass(frozen=True, slots=True)
class Sample:
    """So many good ones of so many."""

    good: float
    n: int

    @property
    def share(self) -> float | None:
        """The share of good ones; None of none."""
        return self.good / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Compared:
    """After minus before, with its 95 % interval; `verdict` is better, worse, unclear or undecidable."""

    difference: float | None
    low: float | None
    high: float | None
    verdict: str


def compare(before: Sample, after: Sample) -> Compared:
    """The difference of two shares with Newcombe's interval; undecidable below LEAST_N on either side."""
    if not before.n or not after.n:
        return Compared(None, None, None, "undecidable")
    found = intervals.difference_of_shares(after.good, after.n, before.good, before.n)
    assert before.share is not None
    assert after.share is not None
    if found is None:
        return Compared(after.share - before.share, None, None, "undecidable")
    verdict = "better" if found.low > 0 else "worse" if found.high < 0 else "unclear"
    if min(before.n, after.n) < LEAST_N:
        verdict = "undecidable"
    return Compared(after.share - before.share, found.low, found.high, verdict)
