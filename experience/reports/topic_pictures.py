"""ECharts options of the topics' pictures; colours are names of CSS variables (see static/charts.js)."""

import math
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from experience.voices.trends import Line, Tally

SMALLEST, LARGEST = 10, 64
#: Size of a letter of a bubble's name, and of the plot on a desk's screen, in pixels: for names that do not overlap.
_LETTER, _PLOT = 11, (1000, 290)
_Box = tuple[float, float, float, float]
#: The spark's drawing (see the macro `spark`).
_WIDTH, _HEIGHT = 80, 20


def bubbles(lines: Sequence[Line], name: Callable[[str], str], words: tuple[str, str, str]) -> dict[str, Any] | None:
    """Topics by the change of their share (across) and their negative share (up), as large as their volume.

    `words` are the two axes and what a tooltip calls the volume. None when no topic was spoken of before as well.
    """
    shown = [line for line in lines if line.change is not None and line.now.n]
    if not shown:
        return None
    most = max(line.now.n for line in shown)
    reach = max(0.005, *(abs(line.change.value) for line in shown if line.change)) * 1.15
    return {
        "grid": {"left": 8, "right": 24, "top": 32, "bottom": 24, "containLabel": True},
        "tooltip": {"trigger": "item"},
        "xAxis": {
            "type": "value", "percent": True, "name": words[0], "nameLocation": "middle", "nameGap": 26,
            "min": -round(reach, 4), "max": round(reach, 4), "axisLine": {"onZero": False},
        },
        "yAxis": {"type": "value", "percent": True, "name": words[1], "min": 0, "max": 1},
        "series": [
            {
                "type": "scatter",
                "data": _named([_bubble(line, name(line.topic), most, words[2]) for line in shown], reach),
                "label": {"show": True, "formatter": "{b}", "color": "--ink-2", "opacity": 1, "fontSize": _LETTER},
                "labelLayout": {"hideOverlap": True},  # on a phone the bubbles stand closer than was reckoned
                "markLine": {
                    "symbol": "none", "silent": True, "label": {"show": False}, "data": [{"xAxis": 0}],
                    "lineStyle": {"color": "--ink-3", "type": "dashed"},
                },
            }
        ],
    }  # fmt: skip


def _bubble(line: Line, name: str, most: int, volume: str) -> dict[str, Any]:
    change, negative = line.change, line.now.negative_share
    if change is None or negative is None:
        return {}
    colour = "--ink-3" if not change.excludes_zero else "--bad" if change.value > 0 else "--good"
    told = f"{name}\n{volume} {line.now.n}\n{change.value:+.1%}\n{negative.value:.0%}"
    return {
        "name": name, "value": [round(change.value, 4), round(negative.value, 4)],
        "symbolSize": round(SMALLEST + (LARGEST - SMALLEST) * math.sqrt(line.now.n / most), 1),
        "itemStyle": {"color": colour, "opacity": 0.55}, "tooltip": {"formatter": told},
    }  # fmt: skip


def _named(bubbles: list[dict[str, Any]], reach: float) -> list[dict[str, Any]]:
    """The bubbles, each with a free side for its name; the largest choose first, and who finds none has a tooltip."""
    drawn = sorted(filter(None, bubbles), key=lambda bubble: -bubble["symbolSize"])
    centres = [_centre(one, reach) for one in drawn]
    bodies = [
        _box(at, 0.8 * one["symbolSize"] / 2, 0.8 * one["symbolSize"] / 2)
        for one, at in zip(drawn, centres, strict=True)
    ]
    names: list[_Box] = []
    for place, one in enumerate(drawn):
        wide, high, far = len(one["name"]) * _LETTER / 2, _LETTER * 0.7, one["symbolSize"] / 2 + 4
        sides = {"top": (0, -far - high), "bottom": (0, far + high), "right": (far + wide, 0), "left": (-far - wide, 0)}
        (x, y), others = centres[place], [*names, *bodies[:place], *bodies[place + 1 :]]
        free = {side: _box((x + right, y + down), wide, high) for side, (right, down) in sides.items()}
        free = {side: box for side, box in free.items() if not any(_overlap(box, other) for other in others)}
        side = next(iter(free), "")
        one["label"] = {"position": side} if side else {"show": False}
        names += [free[side]] if side else []
    return bubbles


def _centre(bubble: dict[str, Any], reach: float) -> tuple[float, float]:
    across, up = bubble["value"]
    return (across / reach + 1) / 2 * _PLOT[0], (1 - up) * _PLOT[1]


def _box(at: tuple[float, float], wide: float, high: float) -> _Box:
    return at[0] - wide, at[1] - high, at[0] + wide, at[1] + high


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def days(
    on: Sequence[date], tallies: Sequence[Tally], bursts: Sequence[date], words: tuple[str, str, str]
) -> dict[str, Any]:
    """Voices a day, the negative ones beneath the rest, bursts pinned; `words` are (negative, others, burst)."""
    burst = set(bursts)
    pins = [
        {"coord": [f"{d.month}-{d.day}", t.n], "value": words[2]}
        for d, t in zip(on, tallies, strict=True)
        if d in burst
    ]
    negative = {
        "name": words[0], "type": "bar", "stack": "n", "barMaxWidth": 22, "data": [t.negative for t in tallies],
        "itemStyle": {"color": "--bad"},
    }  # fmt: skip
    others = {
        "name": words[1], "type": "bar", "stack": "n", "barMaxWidth": 22, "data": [t.n - t.negative for t in tallies],
        "itemStyle": {"color": "--ink-3", "opacity": 0.45},
        "markPoint": {
            "symbol": "triangle", "symbolSize": 9, "symbolRotate": 180, "symbolOffset": [0, -8], "data": pins,
            "itemStyle": {"color": "--bad"}, "silent": True,
            "label": {"show": True, "position": "top", "distance": 4, "color": "--bad", "fontSize": 11},
        },
    }  # fmt: skip
    return {
        "grid": {"left": 4, "right": 8, "top": 40, "bottom": 0, "containLabel": True},
        "legend": {"data": [words[0], words[1]]},
        "xAxis": {"type": "category", "data": [f"{d.month}-{d.day}" for d in on]},
        "yAxis": {"type": "value", "minInterval": 1, "splitNumber": 3},
        "series": [negative, others],
    }


def sentiment(on: Sequence[date], tallies: Sequence[Tally], words: str) -> dict[str, Any]:
    """The mean sentiment a day, −1 to 1; days without voices are gaps."""
    means = [None if t.mean is None else round(t.mean, 3) for t in tallies]
    return {
        "grid": {"left": 4, "right": 8, "top": 12, "bottom": 0, "containLabel": True},
        "xAxis": {"type": "category", "data": [f"{d.month}-{d.day}" for d in on], "axisLine": {"onZero": False}},
        "yAxis": {"type": "value", "min": -1, "max": 1, "splitNumber": 2},
        "series": [
            {
                "name": words, "type": "line", "data": means, "symbolSize": 4, "connectNulls": False,
                "lineStyle": {"width": 1.5, "color": "--accent"}, "itemStyle": {"color": "--accent"},
            }
        ],
    }  # fmt: skip


def spark(tallies: Sequence[Tally]) -> str:
    """The volume day by day as an SVG path in an 80 × 20 drawing."""
    top = max((t.n for t in tallies), default=0) or 1
    step = _WIDTH / max(1, len(tallies) - 1)
    places = [f"{i * step:.1f},{_HEIGHT - 1 - (_HEIGHT - 2) * t.n / top:.1f}" for i, t in enumerate(tallies)]
    return "M" + " L".join(places)
