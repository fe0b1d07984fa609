"""ECharts options of the pictures on staff pages; colours are names of CSS variables (see static/charts.js)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

BEIJING = timezone(timedelta(hours=8))
DAYS = 28


def _local(at: datetime) -> str:
    """An instant as ECharts takes it without moving it by the browser's own zone."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def _mark(at: datetime, words: str, colour: str = "--bad") -> dict[str, Any]:
    return {
        "symbol": "none",
        "silent": True,
        "label": {"formatter": words, "color": colour, "position": "end", "rotate": 0},
        "lineStyle": {"color": colour, "type": "dashed"},
        "data": [{"xAxis": _local(at)}],
    }


def success(
    points: Sequence[tuple[datetime, int, int]], words: str, mark: tuple[datetime, str] | None = None
) -> dict[str, Any]:
    """A rate by the hour with its volume behind it; hours in which nothing happened are gaps."""
    rate = [[_local(at), round(ok / n, 4) if n else None] for at, ok, n in points]
    line: dict[str, Any] = {
        "name": words, "type": "line", "data": rate, "showSymbol": False, "percent": True,
        "lineStyle": {"width": 1.5, "color": "--accent"}, "itemStyle": {"color": "--accent"}, "connectNulls": False,
    }  # fmt: skip
    if mark:
        line["markLine"] = _mark(*mark)
    volume = {
        "name": "n", "type": "bar", "yAxisIndex": 1, "data": [[_local(at), n] for at, _, n in points],
        "itemStyle": {"color": "--line"}, "barMaxWidth": 6, "z": 1,
    }  # fmt: skip
    return {
        "xAxis": {"type": "time"},
        "yAxis": [
            {"type": "value", "max": 1, "percent": True, "scale": True},
            {"type": "value", "show": False, "max": 4 * max((n for _, _, n in points), default=1)},
        ],
        "series": [volume, line],
    }


def days(counts: Mapping[date, int], now: datetime, *, length: int = DAYS) -> dict[str, Any] | None:
    """Voices a day as bars, the last `length` days of which there are any; None when there are none at all."""
    if not counts:
        return None
    today = now.astimezone(BEIJING).date()
    last = min(today, max(counts) + timedelta(days=length // 2))
    shown = [last - timedelta(days=i) for i in reversed(range(length))]
    return {
        "grid": {"left": 4, "right": 4, "top": 8, "bottom": 0, "containLabel": True},
        "xAxis": {"type": "category", "data": [f"{d.month}-{d.day}" for d in shown]},
        "yAxis": {"type": "value", "minInterval": 1, "splitNumber": 2},
        "series": [{"type": "bar", "data": [counts.get(d, 0) for d in shown], "barMaxWidth": 14}],
    }


def effect(series: Sequence[Mapping[str, Any]], split_at: datetime, words: tuple[str, str]) -> dict[str, Any] | None:
    """The indicator before and after: one point a day, the split drawn; `words` are (indicator, what split it).

    `series` holds {"at": ISO-8601, "value": number or null}; other keys are left alone.
    """
    known = [point for point in series if point.get("value") is not None]
    if not known:
        return None
    data = _with_gaps([(datetime.fromisoformat(str(p["at"])), p["value"]) for p in series if p.get("at")])
    is_share = all(0 <= float(p["value"]) <= 1 for p in known)
    return {
        "xAxis": {"type": "time"},
        "yAxis": {"type": "value", "scale": True, **({"percent": True} if is_share else {})},
        "series": [
            {
                "name": words[0], "type": "line", "data": data, "symbolSize": 4, "percent": is_share,
                "markLine": _mark(split_at, words[1], "--good"),
            }
        ],
    }  # fmt: skip


def _with_gaps(points: Sequence[tuple[datetime, float | None]]) -> list[list[Any]]:
    """A point a day as the picture takes it; an empty one where days are missing, so that no line crosses them."""
    data: list[list[Any]] = []
    for number, (at, value) in enumerate(points):
        if number and at - points[number - 1][0] > timedelta(hours=36):
            data.append([_local(points[number - 1][0] + timedelta(days=1)), None])
        data.append([_local(at), value])
    return data
