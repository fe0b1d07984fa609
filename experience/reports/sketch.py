"""A small line picture of before and after, as points of a drawing: customers' pages load no picture library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

#: The drawing's size in its own units; the page scales it.
WIDTH, HEIGHT = 320, 120
_MARGIN = 8
_GAP = timedelta(hours=36)  # a point is a day; farther apart there is a day without one


@dataclass(frozen=True, slots=True)
class Sketch:
    """Two SVG paths (before and after the split), the split's place, and the heights of both means (None: none known).

    A path breaks where days are missing; a day alone is a line of no length, which round caps make a dot.
    """

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
        before=_path([one for one in drawn if one[0] <= split_at]),
        after=_path([one for one in drawn if one[0] > split_at]),
        split_x=x(split_at),
        before_y=None if means[0] is None else y(means[0]),
        after_y=None if means[1] is None else y(means[1]),
    )


def _path(drawn: Sequence[tuple[datetime, str]]) -> str:
    """Lines through neighbouring days; each place is written once, a lone one with `h0`."""
    stretches: list[list[str]] = []
    last: datetime | None = None
    for at, place in drawn:
        if last is None or at - last > _GAP:
            stretches.append([])
        stretches[-1].append(place)
        last = at
    return " ".join(f"M{places[0]}" + ("".join(f" L{place}" for place in places[1:]) or " h0") for places in stretches)
