"""A small line picture of before and after, as points of a drawing: customers' pages load no picture library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: The drawing's size in its own units; the page scales it.
WIDTH, HEIGHT = 320, 120
_MARGIN = 8


@dataclass(frozen=True, slots=True)
class Sketch:
    """Two lines (before and after the split), the split's place, and the heights of both means (None: none known)."""

    before: str
    after: str
    split_x: float
    before_y: float | None
    after_y: float | None


def sketch(
    series: Sequence[Mapping[str, Any]], split_at: datetime, means: tuple[float | None, float | None]
) -> Sketch | None:
    """The drawing of {"at": ISO-8601, "value": number or null} points; None when there are fewer than two."""
    points = [
        (datetime.fromisoformat(str(point["at"])), float(point["value"]))
        for point in series
        if point.get("value") is not None
    ]
    if len(points) < 2:
        return None
    first, last = min(at for at, _ in points), max(at for at, _ in points)
    values = [*(value for _, value in points), *(mean for mean in means if mean is not None)]
    low, high = min(values), max(values)
    seconds, span = max(1.0, (last - first).total_seconds()), (high - low) or 1.0

    def x(at: datetime) -> float:
        return round(_MARGIN + (WIDTH - 2 * _MARGIN) * min(1.0, max(0.0, (at - first).total_seconds() / seconds)), 1)

    def y(value: float) -> float:
        return round(HEIGHT - _MARGIN - (HEIGHT - 2 * _MARGIN) * (value - low) / span, 1)

    drawn = [(at, f"{x(at)},{y(value)}") for at, value in sorted(points)]
    return Sketch(
        before=" ".join(place for at, place in drawn if at <= split_at),
        after=" ".join(place for at, place in drawn if at > split_at),
        split_x=x(split_at),
        before_y=None if means[0] is None else y(means[0]),
        after_y=None if means[1] is None else y(means[1]),
    )
