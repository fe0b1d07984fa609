"""Pictures of a survey's results, as ECharts options; colours are names of CSS variables."""

from collections.abc import Iterable, Mapping
from typing import Any

from surveys import metrics
from surveys.queries.numbers import Tally
from surveys.queries.report import Report, Score


def of(made: Report, weekly: Iterable[Tally]) -> Mapping[str, Mapping[str, Any]]:
    """For each scored item its distribution and its trend by week."""
    weeks: dict[str, dict[str, dict[int, int]]] = {}
    for tally in weekly:
        weeks.setdefault(tally.item, {}).setdefault(tally.group, {})[tally.number] = tally.count
    return {
        score.item.id: {"counts": _counts(score), "trend": _trend(score.item.type, weeks.get(score.item.id, {}))}
        for score in made.scores
        if score.figure.display not in ("none", "hidden")
    }


def _tone(kind: str, answer: int) -> str:
    if kind == "rating":  # nobody can tell which end of a scale of one's own is the good one
        return "--accent"
    rule = metrics.KINDS[kind]
    return "--good" if answer >= rule.best_from else "--bad" if answer <= rule.worst_to else "--warn"


def _counts(score: Score) -> dict[str, Any]:
    answers = sorted(score.counts)
    kind = score.item.type
    bars = [{"value": score.counts[answer], "itemStyle": {"color": _tone(kind, answer)}} for answer in answers]
    return {
        "xAxis": {"type": "category", "data": [str(answer) for answer in answers]},
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [{"type": "bar", "data": bars, "barMaxWidth": 36}],
        "tooltip": {"trigger": "axis"},
    }


def _trend(kind: str, weeks: Mapping[str, Mapping[int, int]]) -> dict[str, Any] | None:
    """The score week by week with its interval as a band; weeks of fewer than five answers leave a gap."""
    figures = {week: metrics.figure(kind, counts) for week, counts in sorted(weeks.items())}
    if sum(figure.value is not None for figure in figures.values()) < 2:
        return None
    low = [_round(figure.low) for figure in figures.values()]
    span = [_round(f.high - f.low) if f.high is not None and f.low is not None else None for f in figures.values()]
    return {
        "xAxis": {"type": "category", "data": list(figures)},
        "yAxis": {"type": "value", "scale": True},
        "series": [
            {
                "type": "line",
                "data": low,
                "stack": "band",
                "symbol": "none",
                "lineStyle": {"opacity": 0},
                "silent": True,
            },
            {
                "type": "line",
                "data": span,
                "stack": "band",
                "symbol": "none",
                "lineStyle": {"opacity": 0},
                "areaStyle": {"color": "--accent", "opacity": 0.15},
                "silent": True,
            },
            {"type": "line", "data": [_round(f.value) for f in figures.values()], "color": "--accent", "symbolSize": 5},
        ],
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
