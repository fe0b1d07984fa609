"""ECharts options of the touchpoint pages; colours are names of CSS variables (see static/charts.js)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from probes.anomaly import Grade
from probes.indicators import Point
from probes.tables import Anomaly

_BEIJING = timezone(timedelta(hours=8))


@lru_cache(maxsize=4096)  # a page draws ten lines over the same hours
def _local(at: datetime) -> str:
    """An instant as ECharts takes it without moving it by the browser's own zone."""
    return at.astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M")


def success(
    points: Sequence[Point], band: Mapping[datetime, Grade], episodes: Sequence[Anomaly], words: Mapping[str, str]
) -> dict[str, Any]:
    """The success rate in its expected band with anomalies shaded; `words` name rate, band, expected and anomaly."""
    shown = [point for point in points if point.success_rate is not None]
    low = [[_local(p.at), round(band[p.at].low, 4)] for p in shown if p.at in band]
    height = [[_local(p.at), round(band[p.at].high - band[p.at].low, 4)] for p in shown if p.at in band]
    plain: dict[str, Any] = {"type": "line", "showSymbol": False, "silent": True, "percent": True}
    unseen = {"lineStyle": {"opacity": 0}, "itemStyle": {"opacity": 0}, "stack": "band", "tooltip": {"show": False}}
    shade = {"color": "--info", "opacity": 0.16}
    rate = [[_local(p.at), round(p.success_rate or 0, 4)] for p in shown]
    areas = [
        [
            {"xAxis": _local(one.started_at), "name": words["anomaly"]},
            {"xAxis": _local(one.ended_at or one.last_seen_at)},
        ]
        for one in episodes
    ]
    return {
        "xAxis": {"type": "time"},
        "yAxis": {"type": "value", "max": 1, "scale": True, "percent": True},
        "legend": {
            "data": [words["rate"], {"name": words["band"], "icon": "rect", "itemStyle": shade}, words["expected"]]
        },
        "series": [
            {**plain, **unseen, "name": "low", "data": low},
            {**plain, **unseen, "name": words["band"], "data": height, "areaStyle": shade},
            {
                **plain, "name": words["expected"], "lineStyle": {"width": 1, "type": "dashed", "color": "--ink-3"},
                "itemStyle": {"color": "--ink-3"},
                "data": [[_local(p.at), round(band[p.at].expected, 4)] for p in shown if p.at in band],
            },
            {
                **plain, "silent": False, "name": words["rate"], "lineStyle": {"width": 2, "color": "--accent"},
                "itemStyle": {"color": "--accent"}, "data": rate,
                "markArea": {
                    "silent": True, "itemStyle": {"color": "--bad", "opacity": 0.12}, 
                    "label": {"color": "--bad", "position": "insideTop"},
                    "data": areas,
                },
            },
        ],
    }  # fmt: skip


def volume(points: Sequence[Point], words: Mapping[str, str]) -> dict[str, Any]:
    """Begun, succeeded, failed and given up by the window."""
    keys = (("start", "--line"), ("success", "--good"), ("fail", "--bad"), ("abandon", "--warn"))
    return {
        "xAxis": {"type": "time"},
        "yAxis": {"type": "value", "minInterval": 1},
        "legend": {},
        "series": [
            {
                "name": words[key], "type": "line", "showSymbol": False, "itemStyle": {"color": colour},
                "lineStyle": {"width": 1.5, "color": colour},
                **({"areaStyle": {"color": colour, "opacity": 0.5}} if key == "start" else {}),
                "data": [[_local(point.at), point.counts.get(key, 0)] for point in points],
            }
            for key, colour in keys
        ],
    }  # fmt: skip


def durations(points: Sequence[Point]) -> dict[str, Any]:
    """Median and 95th percentile of durations, in seconds."""
    told = [point.told() for point in points if point.durations]
    return {
        "xAxis": {"type": "time"},
        "yAxis": {"type": "value", "name": "s"},
        "legend": {},
        "series": [
            {
                "name": name, "type": "line", "showSymbol": False,
                "data": [[_local(datetime.fromisoformat(p["at"])), round((p[key] or 0) / 1000, 2)] for p in told],
            }
            for name, key in (("p50", "p50_ms"), ("p95", "p95_ms"))
        ],
    }  # fmt: skip


def spark(values: Sequence[float | None]) -> str:
    """An SVG path over 80 × 20 of values from 0 to 1; gaps where nothing is known."""
    known = [value for value in values if value is not None]
    if len(known) < 2:  # noqa: PLR2004 - one point is no line
        return ""
    low, high = min(known), max(known)
    reach, width, path, is_down = max(high - low, 0.02), 80 / max(len(values) - 1, 1), [], False
    for n, value in enumerate(values):
        if value is None:
            is_down = False
            continue
        path.append(f"{'L' if is_down else 'M'}{n * width:.1f} {18 - (value - low) / reach * 16:.1f}")
        is_down = True
    return "".join(path)
