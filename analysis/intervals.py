"""Intervals for shares, scores and means: how far a figure from n answers can be trusted (95 % unless told)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

#: Student's t at .975 for 1 to 30 degrees of freedom.
# fmt: off
_T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the bounds it lies between."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0: only then is an arrow drawn."""
        return self.low > 0 or self.high < 0


def quantile(confidence: float = 0.95) -> float:
    """The normal quantile of a two-sided confidence: 1.96 for .95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(k: float, n: float, *, confidence: float = 0.95) -> Interval | None:
    """The share k/n with its Wilson score interval; None when nothing was asked.

    Raises ValueError when k does not lie between 0 and n. Source: Wilson 1927.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is not a share")
    if n == 0:
        return None
    z = quantile(confidence)
    share = k / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def nps(promoters: float, detractors: float, n: float, *, confidence: float = 0.95) -> Interval | None:
    """Net promoter score (−100…100) with the adjusted-Wald interval; None when nobody answered.

    Raises ValueError when the counts do not fit n. Source: Rocks 2016, The American Statistician.
    """
    if promoters < 0 or detractors < 0 or promoters + detractors > n:
        raise ValueError(f"{promoters} promoters and {detractors} detractors do not fit {n} answers")
    if n == 0:
        return None
    m = n + 3
    p, d = (promoters + 0.75) / m, (detractors + 0.75) / m
    half = quantile(confidence) * math.sqrt((p + d - (p - d) ** 2) / m)
    score = 100 * (promoters - detractors) / n
    low, high = 100 * (p - d - half), 100 * (p - d + half)
    return Interval(score, max(-100.0, min(score, low)), min(100.0, max(score, high)))


def difference_of_shares(k1: float, n1: float, k2: float, n2: float, *, confidence: float = 0.95) -> Interval | None:
    """k1/n1 − k2/n2 with its interval; None when either side is empty.

    Source: Newcombe 1998, method 10 (hybrid score).
    """
    first, second = wilson(k1, n1, confidence=confidence), wilson(k2, n2, confidence=confidence)
    if first is None or second is None:
        return None
    gap = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Interval(gap, max(-1.0, gap - below), min(1.0, gap + above))


def difference_of_nps(first: tuple[float, float, float], second: tuple[float, float, float]) -> Interval | None:
    """NPS of (promoters, detractors, n) minus that of another, each interval from `nps`; None when either is empty.

    Source: MOVER, Zou and Donner 2008.
    """
    one, two = nps(*first), nps(*second)
    if one is None or two is None:
        return None
    gap = one.value - two.value
    below = math.hypot(one.value - one.low, two.high - two.value)
    above = math.hypot(one.high - one.value, two.value - two.low)
    return Interval(gap, max(-200.0, gap - below), min(200.0, gap + above))


def mean(values: Sequence[float]) -> Interval | None:
    """The mean with its 95 % t interval; a single value has an infinite one, none gives None."""
    if not values:
        return None
    middle = fmean(values)
    if len(values) == 1:
        return Interval(middle, -math.inf, math.inf)
    return mean_of(len(values), middle, stdev(values))


def mean_of(n: int, middle: float, deviation: float) -> Interval:
    """The 95 % t interval of a mean known by its count, mean and sample standard deviation (n ≥ 2)."""
    half = t_quantile(n - 1) * deviation / math.sqrt(n)
    return Interval(middle, middle - half, middle + half)


def t_quantile(freedom: int) -> float:
    """The .975 quantile of Student's t: tabled to 30 degrees of freedom, then Fisher's expansion (error < 1e-4)."""
    if freedom <= len(_T_975):
        return _T_975[freedom - 1]
    z = quantile()
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def effective_n(weights: Sequence[float]) -> float:
    """How many equal answers weighted ones are worth. Source: Kish 1965."""
    squares = sum(weight * weight for weight in weights)
    return sum(weights) ** 2 / squares if squares else 0.0
