"""What the model pages draw and tabulate of a model's card; colours are names of CSS variables (static/charts.js)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.reading import LABELS

#: A tenth with fewer texts than this is not drawn: it would jump by chance alone.
_LEAST = 5
#: Shades of a confusion matrix's cells, by the share of their row.
_SHADES = 5


@dataclass(frozen=True, slots=True)
class Score:
    """One line of scores: shares 0 to 1, None where nothing was measured. `key` names the question or source."""

    key: str
    n: int
    accuracy: float
    macro_f1: float | None = None
    ece: float | None = None
    macro_f1_now: float | None = None  # of the model in use, when another one is shown

    @property
    def change(self) -> float | None:
        """How far it lies above the model in use."""
        if self.macro_f1 is None or self.macro_f1_now is None:
            return None
        return self.macro_f1 - self.macro_f1_now


@dataclass(frozen=True, slots=True)
class Cell:
    """Texts of one true label that were told another or the same; `shade` 0 to 5 by their share of the row."""

    said: str
    n: int
    share: float
    shade: int
    is_right: bool


def questions(report: Mapping[str, Any], now: Mapping[str, Any] | None = None) -> list[Score]:
    """Label, topic and intent on the gold set, beside the model in use when `now` is its report."""
    found = []
    for key in ("label", "topic", "intent"):
        one, other = report.get(key), (now or {}).get(key)
        if one:
            fit = report.get("label_calibration") if key == "label" else None
            ece, macro_now = fit and fit["ece"], other and other["macro_f1"]
            found.append(Score(key, one["n"], one["accuracy"], one["macro_f1"], ece, macro_now))
    return found


def by_source(card: Mapping[str, Any]) -> list[Score]:
    """Polarity by source: on held-out texts of the training, where the card has them, and on the gold set."""
    held = [
        Score(key, one["n"], one["accuracy"], ece=one["ece"]) for key, one in card.get("held_out_by_source", {}).items()
    ]
    binary, fits = card["report"]["binary"], card["report"]["calibration"]
    gold = [
        Score(f"gold:{key}", one["n"], one["accuracy"], one["macro_f1"], fits[key]["ece"])
        for key, one in binary.items()
        if key != "all" or len(binary) > 2  # noqa: PLR2004 - "all" beside one source says it twice
    ]
    return [*held, *gold]


def confusion(report: Mapping[str, Any]) -> list[tuple[str, int, list[Cell]]]:
    """(true label, its texts, what they were told) for each label."""
    table = report.get("confusion") or {}
    rows = []
    for true in LABELS:
        told = table.get(true, {})
        total = sum(told.values())
        cells = [_cell(true, said, told.get(said, 0), total) for said in LABELS]
        rows.append((true, total, cells))
    return rows if any(total for _, total, _ in rows) else []


def _cell(true: str, said: str, n: int, total: int) -> Cell:
    share = n / total if total else 0.0
    return Cell(said, n, share, round(share * _SHADES), true == said)


def calibration(fit: Mapping[str, Any] | None, words: tuple[str, str]) -> dict[str, Any] | None:
    """How often it was so against how sure the model was; `words` are (model, perfect)."""
    drawn = [(said, share) for said, share, n in fit["bins"] if n >= _LEAST] if fit else []
    if not drawn:
        return None
    axis = {"type": "value", "min": 0, "max": 1, "percent": True}
    return {
        "xAxis": dict(axis),
        "yAxis": dict(axis),
        "legend": {},
        "series": [
            {
                "name": words[0], "type": "line", "percent": True, "symbolSize": 7,
                "data": [[round(said, 3), round(share, 3)] for said, share in drawn],
                "lineStyle": {"color": "--accent", "width": 2}, "itemStyle": {"color": "--accent"},
            },
            {
                "name": words[1], "type": "line", "data": [[0, 0], [1, 1]], "showSymbol": False, "silent": True,
                "lineStyle": {"color": "--ink-3", "type": "dashed", "width": 1}, "itemStyle": {"color": "--ink-3"},
            },
        ],
    }  # fmt: skip


def curve(points: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> dict[str, Any] | None:
    """How right the model gets with more verdicts; `words` name the questions. None without a measured curve."""
    lines = [key for key in ("label", "topic", "intent") if any(key in point for point in points)]
    if not lines:
        return None
    return {
        "xAxis": {"type": "value", "minInterval": 1},
        "yAxis": {"type": "value", "scale": True, "max": 1, "percent": True},
        "legend": {},
        "series": [
            {
                "name": words[key], "type": "line", "percent": True, "symbolSize": 6,
                "data": [[point["n"], point[key]["accuracy"]] for point in points if key in point],
            }
            for key in lines
        ],
    }  # fmt: skip
