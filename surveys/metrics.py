"""What a survey's answers amount to: each score from its counts, with its interval and how it may be shown.

`n` is always completed, not quarantined, active answers; see queries.numbers for who counts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from analysis import intervals
from analysis.intervals import Interval

GREY_BELOW, HIDDEN_BELOW = 30, 5

Counts = Mapping[int, int]  # answer -> how many gave it


@dataclass(frozen=True, slots=True)
class Figure:
    """A score. `value`, `low` and `high` are in the unit of its kind (see UNITS), None when they may not be shown.

    `display` is `full`, `grey` (fewer than 30: unranked), `hidden` (fewer than 5) or `none` (no answers yet).
    `mean` is of the raw scale; `best` and `worst` are shares of its ends (promoters, detractors for NPS).
    """

    kind: str
    n: int
    display: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    best: float | None = None
    worst: float | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    """Answers from `best_from` up are the best, up to `worst_to` the worst."""

    best_from: int
    worst_to: int
    unit: str


KINDS: Mapping[str, _Kind] = {
    "nps": _Kind(9, 6, "points"),
    "csat": _Kind(4, 2, "percent"),
    "ces": _Kind(5, 3, "mean"),
    "score10": _Kind(9, 5, "hundred"),
    "rating": _Kind(5, 2, "mean"),
}
UNITS = {kind: rule.unit for kind, rule in KINDS.items()}


def display(n: int) -> str:
    """How a figure from n answers may be shown."""
    if n == 0:
        return "none"
    return "hidden" if n < HIDDEN_BELOW else "grey" if n < GREY_BELOW else "full"


def figure(kind: str, counts: Counts) -> Figure:
    """The score of these answers: NPS in points, CSAT in percent, score10 as mean × 10, the others as means."""
    n, rule = sum(counts.values()), KINDS[kind]
    shown = display(n)
    if shown in ("none", "hidden"):
        return Figure(kind, n, shown)
    best, worst = _count(counts, rule.best_from, math.inf), _count(counts, -math.inf, rule.worst_to)
    score = interval(kind, counts)
    return Figure(
        kind,
        n,
        shown,
        value=score.value if score else None,
        low=score.low if score else None,
        high=score.high if score else None,
        mean=sum(answer * count for answer, count in counts.items()) / n,
        best=best / n,
        worst=worst / n,
    )


def interval(kind: str, counts: Counts) -> Interval | None:
    """The score and its 95 % interval in its unit; None without answers."""
    n, rule = sum(counts.values()), KINDS[kind]
    if n == 0:
        return None
    best = _count(counts, rule.best_from, math.inf)
    if kind == "nps":
        return intervals.nps(best, _count(counts, -math.inf, rule.worst_to), n)
    if kind == "csat":
        return _scaled(intervals.wilson(best, n), 100)
    return _scaled(_mean(counts, n), 10 if kind == "score10" else 1)


def _mean(counts: Counts, n: int) -> Interval | None:
    """The mean with its t interval, kept on the scale of 10: nobody can be more than completely satisfied."""
    if n == 1:
        return intervals.mean([answer for answer, count in counts.items() if count])
    middle = sum(answer * count for answer, count in counts.items()) / n
    squares = sum(count * (answer - middle) ** 2 for answer, count in counts.items())
    found = intervals.mean_of(n, middle, math.sqrt(squares / (n - 1)))
    return Interval(found.value, max(found.low, 0.0), min(found.high, 10.0))


def _scaled(found: Interval | None, factor: float) -> Interval | None:
    return found and Interval(found.value * factor, found.low * factor, found.high * factor)


def lift(kind: str, anomaly: Counts, baseline: Counts) -> Interval | None:
    """Anomaly − baseline in the score's unit, with its interval; None when either side has fewer than 5 answers.

    The two samples are never added up: an anomaly asks only those whom it hit.
    """
    if min(sum(anomaly.values()), sum(baseline.values())) < HIDDEN_BELOW:
        return None
    return difference(kind, anomaly, baseline)


def difference(kind: str, first: Counts, second: Counts) -> Interval | None:
    """First − second in the score's unit, with its interval; None when either is empty."""
    if kind == "nps":
        return intervals.difference_of_nps(_nps(first), _nps(second))
    if kind == "csat":
        best = KINDS[kind].best_from
        one, two = (_count(counts, best, math.inf) for counts in (first, second))
        return _scaled(intervals.difference_of_shares(one, sum(first.values()), two, sum(second.values())), 100)
    one_mean, two_mean = interval(kind, first), interval(kind, second)
    if one_mean is None or two_mean is None:
        return None
    gap = one_mean.value - two_mean.value  # MOVER, Zou and Donner 2008, as analysis.intervals does for NPS
    below = math.hypot(one_mean.value - one_mean.low, two_mean.high - two_mean.value)
    above = math.hypot(one_mean.high - one_mean.value, two_mean.value - two_mean.low)
    return Interval(gap, gap - below, gap + above)


def _nps(counts: Counts) -> tuple[int, int, int]:
    rule = KINDS["nps"]
    best, worst = _count(counts, rule.best_from, math.inf), _count(counts, -math.inf, rule.worst_to)
    return best, worst, sum(counts.values())


def share(k: int, n: int) -> Figure:
    """A rate (answered of shown, finished of begun) in percent with its Wilson interval."""
    found, shown = _scaled(intervals.wilson(min(k, n), n), 100), display(n)
    if found is None or shown in ("none", "hidden"):
        return Figure("share", n, shown)
    return Figure("share", n, shown, value=found.value, low=found.low, high=found.high)


def _count(counts: Counts, low: float, high: float) -> int:
    return sum(count for answer, count in counts.items() if low <= answer <= high)
