"""What touchpoint counts mean: the points of a series, the funnel of steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analysis import sketch

KEYS = ("view", "start", "success", "fail", "abandon", "error")
#: What a caller may ask for -> window in seconds.
STEPS = {"minute": 60, "5min": 300, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class Point:
    """The counts of one window."""

    at: datetime
    counts: Mapping[str, int]
    durations: Mapping[int, int]
    sessions: int

    @property
    def success_rate(self) -> float | None:
        """Successes of the ended ones (success or failure); None when none ended."""
        ended = self.counts.get("success", 0) + self.counts.get("fail", 0)
        return self.counts.get("success", 0) / ended if ended else None

    def told(self) -> dict[str, Any]:
        """The point as the contract's JSON."""
        return {
            "at": self.at.isoformat(),
            **{key: self.counts.get(key, 0) for key in KEYS},
            "sessions": self.sessions,
            "success_rate": self.success_rate,
            "p50_ms": _rounded(sketch.quantile(self.durations, 0.5)),
            "p95_ms": _rounded(sketch.quantile(self.durations, 0.95)),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """How many sessions reached a step, and which share of those of the step before they are."""

    name: str
    sessions: int
    kept_share: float | None


def funnel(steps: Sequence[str], reached: Mapping[str, int]) -> list[FunnelStep]:
    """The steps in their order with what was lost on the way."""
    found: list[FunnelStep] = []
    before = 0
    for number, name in enumerate(steps):
        count = reached.get(name, 0)
        found.append(FunnelStep(name, count, count / before if number and before else None))
        before = count
    return found
