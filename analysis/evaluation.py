"""How well a model reads: accuracy, macro-F1 and calibration, by source; and whether it may take another's place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analysis import pipeline
from analysis.labelled import Labelled
from analysis.model import Model
from analysis.reading import LABELS

#: A new model may lose this much macro-F1 on the gold set, and be this badly calibrated, but no more.
MOST_LOST, WORST_ECE = 0.005, 0.05
_BINS = 10


@dataclass(frozen=True, slots=True)
class Quality:
    """How well one question is answered on n texts: all shares 0 to 1."""

    n: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far probabilities may be believed; `bins` are (mean said, share true, n) by tenths."""

    n: int
    brier: float
    ece: float
    bins: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a model is worth on labelled texts."""

    model: str
    binary: dict[str, Quality]
    calibration: dict[str, Calibration]
    label: Quality | None
    label_calibration: Calibration | None
    topic: Quality | None
    intent: Quality | None
    confusion: dict[str, dict[str, int]]

    def document(self) -> dict[str, Any]:
        """The report, JSON-ready."""
        return asdict(self)


def report_of(document: Mapping[str, Any]) -> Report:
    """The report of a document made by `Report.document`, before or after it went through JSON."""
    fits = {name: _fit_of(one) for name, one in document["calibration"].items()}
    qualities = {name: Quality(**document[name]) if document[name] else None for name in ("label", "topic", "intent")}
    return Report(
        document["model"],
        {name: Quality(**one) for name, one in document["binary"].items()},
        {name: one for name, one in fits.items() if one},
        label_calibration=_fit_of(document["label_calibration"]),
        confusion=document["confusion"],
        **qualities,
    )


def _fit_of(document: Mapping[str, Any] | None) -> Calibration | None:
    if document is None:
        return None
    bins = tuple((mean, share, n) for mean, share, n in document["bins"])
    return Calibration(document["n"], document["brier"], document["ece"], bins)


@dataclass(frozen=True, slots=True)
class _Answer:
    row: Labelled
    positive: float
    label: int
    confidence: float
    topic: str
    intent: str


def _answers(model: Model, rows: Sequence[Labelled]) -> list[_Answer]:
    readings = pipeline.read_many((row.text for row in rows), model=model)
    return [
        _Answer(
            row,
            (reading.sentiment + 1) / 2,
            LABELS.index(reading.label) - 1,
            reading.confidence,
            reading.topics[0].code,
            reading.intent,
        )
        for row, reading in zip(rows, readings, strict=True)
    ]


def quality(pairs: Sequence[tuple[Any, Any]]) -> Quality | None:
    """Accuracy and macro-F1 (over the classes that occur) of (true, said) pairs; None without any."""
    if not pairs:
        return None
    scores = []
    for name in {true for true, _ in pairs}:
        hit = sum(true == said == name for true, said in pairs)
        told = sum(said == name for _, said in pairs)
        real = sum(true == name for true, _ in pairs)
        scores.append(2 * hit / (told + real))
    right = sum(true == said for true, said in pairs)
    return Quality(len(pairs), right / len(pairs), sum(scores) / len(scores))


def calibration(said: Sequence[float], true: Sequence[bool]) -> Calibration | None:
    """Brier score and expected calibration error over ten equal bins. Source: Naeini et al. 2015."""
    if not said:
        return None
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for chance, is_so in zip(said, true, strict=True):
        bins[min(int(chance * _BINS), _BINS - 1)].append((chance, is_so))
    told = [
        (sum(chance for chance, _ in one) / len(one), sum(is_so for _, is_so in one) / len(one), len(one))
        for one in bins
        if one
    ]
    n = len(said)
    return Calibration(
        n,
        sum((chance - is_so) ** 2 for chance, is_so in zip(said, true, strict=True)) / n,
        sum(abs(mean - share) * count for mean, share, count in told) / n,
        tuple(told),
    )


def evaluate(model: Model, labelled: Iterable[Labelled]) -> Report:
    """The model's report on labelled texts. Binary figures leave neutral texts out; the rest needs full labels."""
    answers = _answers(model, list(labelled))
    polar: dict[str, list[_Answer]] = {}
    for one in answers:
        if one.row.sentiment:
            polar.setdefault(one.row.source, []).append(one)
            polar.setdefault("all", []).append(one)
    full = [one for one in answers if one.row.topic]
    return Report(
        model.version,
        {name: _present(quality([(a.row.sentiment == 1, a.positive > 0.5) for a in of])) for name, of in polar.items()},
        {name: _fit([a.positive for a in of], [a.row.sentiment == 1 for a in of]) for name, of in polar.items()},
        quality([(one.row.sentiment, one.label) for one in full]),
        calibration([one.confidence for one in full], [one.label == one.row.sentiment for one in full]),
        quality([(one.row.topic, one.topic) for one in full]),
        quality([(one.row.intent, one.intent) for one in full if one.row.intent]),
        _confusion(full),
    )


def _present(found: Quality | None) -> Quality:
    assert found is not None
    return found


def _fit(said: Sequence[float], true: Sequence[bool]) -> Calibration:
    found = calibration(said, true)
    assert found is not None
    return found


def _confusion(answers: Sequence[_Answer]) -> dict[str, dict[str, int]]:
    table = {true: dict.fromkeys(LABELS, 0) for true in LABELS}
    for one in answers:
        table[LABELS[(one.row.sentiment or 0) + 1]][LABELS[one.label + 1]] += 1
    return table


def may_replace(old: Report, new: Report) -> tuple[str, ...]:
    """Why a new model may not take the old one's place on the gold set, in Chinese; empty when it may."""
    reasons: list[str] = []
    names: Mapping[str, tuple[Quality | None, Quality | None]] = {
        "情感": (old.label, new.label),
        "主题": (old.topic, new.topic),
        "意图": (old.intent, new.intent),
    }
    for name, (before, after) in names.items():
        if before and after and after.macro_f1 < before.macro_f1 - MOST_LOST:
            reasons.append(f"{name}宏平均 F1 由 {before.macro_f1:.3f} 降到 {after.macro_f1:.3f}")
    before_ece, after_ece = (report.calibration["all"].ece if report.calibration else 0.0 for report in (old, new))
    # On a small gold set chance alone may lift both above the line; then the new one may be no worse than the old.
    if after_ece > max(WORST_ECE, before_ece + MOST_LOST * (before_ece > WORST_ECE)):
        reasons.append(f"校准误差 {after_ece:.3f}，高于 {WORST_ECE} 和原模型的 {before_ece:.3f}")
    return tuple(reasons)


def table(report: Report) -> str:
    """The report as a small text table."""
    lines = [f"{'source':<14}{'n':>7}{'accuracy':>10}{'macro-F1':>10}{'Brier':>8}{'ECE':>8}"]
    for name, found in report.binary.items():
        fit = report.calibration[name]
        lines.append(
            f"{name:<14}{found.n:>7}{found.accuracy:>10.4f}{found.macro_f1:>10.4f}{fit.brier:>8.3f}{fit.ece:>8.3f}"
        )
    for name, one in (("3 classes", report.label), ("topic", report.topic), ("intent", report.intent)):
        if one:
            lines.append(f"{name:<14}{one.n:>7}{one.accuracy:>10.4f}{one.macro_f1:>10.4f}")
    return "\n".join(lines)
