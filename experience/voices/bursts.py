"""Which topics stand out: a day's count against the place's own past."""

import math
from dataclasses import dataclass

#: A day this unlikely under the past's rhythm is a burst (16 topics: one false alarm in two weeks); below LEAST never.
UNLIKELY = 0.005
LEAST = 5


@dataclass(frozen=True, slots=True)
class Heat:
    """A topic's voices now, its usual number, how many times that it is, and whether it stands out."""

    topic: str
    n: int
    usual: float
    rise: float
    is_burst: bool


def heat(topic: str, n: int, before: int, days: int) -> Heat:
    """The heat of a topic with `n` voices in the window and `before` in the `days` windows before it.

    A burst is a tail of the Gamma–Poisson (the past's rate is itself uncertain) below UNLIKELY.
    """
    usual = before / days
    return Heat(topic, n, usual, n / max(usual, 1.0 / days), n >= LEAST and tail(n, before, days) < UNLIKELY)


def tail(n: int, before: int, days: int) -> float:
    """P(at least n) in one window when `before` were seen in `days` windows, with Jeffreys' prior."""
    shape, share = before + 0.5, days / (days + 1.0)
    below = 0.0
    for k in range(n):
        log_chance = math.lgamma(shape + k) - math.lgamma(shape) - math.lgamma(k + 1)
        below += math.exp(log_chance + shape * math.log(share) + k * math.log(1 - share))
    return max(0.0, 1.0 - below)
