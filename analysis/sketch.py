"""Durations as a log-bucket histogram whose quantiles are right within two per cent (DDSketch's mapping).

Buckets add up: histograms of any windows merge by summing counts. Source: Masson, Rim, Lee 2019, "DDSketch".
"""

import math
from collections.abc import Mapping

#: Relative error of a quantile.
ALPHA = 0.02
_GAMMA = (1 + ALPHA) / (1 - ALPHA)
_LOG_GAMMA = math.log(_GAMMA)


def bucket(milliseconds: float) -> int:
    """The bucket of a duration; everything up to 1 ms lies in bucket 1."""
    return max(math.ceil(math.log(max(milliseconds, 1.0)) / _LOG_GAMMA), 0) + 1


def middle(index: int) -> float:
    """The duration in milliseconds that stands for a bucket."""
    return 2 * _GAMMA ** (index - 1) / (_GAMMA + 1)


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The duration that this share (0 to 1) of the counted ones does not exceed; None of none."""
    total = sum(counts.values())
    if not total:
        return None
    rank = share * (total - 1)
    passed = 0
    for index in sorted(counts):
        passed += counts[index]
        if passed > rank:
            return middle(index)
    raise AssertionError("a rank lies within its total")
