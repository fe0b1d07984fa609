"""A model out of labelled texts: the only way in, with `heads`, that needs scikit-learn."""

import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis import evaluation, labelled, legacy, pipeline, rivals, segment
from analysis import model as models
from analysis.corpus import Corpus, Flags, Pull, corpus, pull, words_of
from analysis.features import Floats
from analysis.heads import Polarity, Small, Strangers, see, small
from analysis.labelled import Labelled
from analysis.solver import fitted
from analysis.tempering import Sureness, sureness, tempered

Folds = npt.NDArray[np.int64]
#: A telecom voice counts as much as this many scraped texts: it is what the product will read.
VOICE_WEIGHT = 6.0
FOLDS = 5
#: From this probability on a model's own label may teach the next one.
_SURE = 0.95
#: What the card says about the texts' origin.
LICENCE = (
    "Weights learnt from public review and weibo texts collected by others (no row of theirs is in this file) "
    "and from voices written for this product; Apache-2.0 like the product."
)
#: Texts that are no operator's voices, to tell those apart by.
OTHERS = 4000


def folds(count: int, seed: int, among: int = FOLDS) -> Folds:
    """A fold for each of `count` rows, even and shuffled."""
    numbers = np.arange(count) % among
    np.random.default_rng(seed).shuffle(numbers)
    return numbers


def _sample(places: npt.NDArray[np.intp], most: int, seed: int) -> list[int]:
    """At most so many of the places, drawn without favour."""
    drawn: list[int] = np.random.default_rng(seed).permutation(places)[:most].tolist()
    return drawn


def weights_of(rows: Sequence[Labelled]) -> Floats:
    """How much each polar text counts: small sources are lifted towards the large, voices most."""
    sizes = Counter(row.source for row in rows)
    most = max(sizes.values())
    lifted = {source: min(3.0, (most / size) ** 0.25) for source, size in sizes.items()}
    return np.array([VOICE_WEIGHT if row.topic else lifted[row.source] for row in rows], dtype=np.float32)


@dataclass(frozen=True)
class Polar:
    """The polarity head, and for each text of the corpus the calibrated logit of a head that has not seen it."""

    head: Polarity
    calibration: models.Calibration
    logits: Floats


def polar(seen: Corpus, fold: Folds) -> Polar:
    """Fit polarity on a corpus; neutral voices get a logit too but teach nothing."""
    weights = weights_of(seen.rows)
    firm = np.array([bool(row.sentiment) for row in seen.rows])
    good = np.array([row.sentiment == 1 for row in seen.rows])

    def taught(mine: Flags) -> Pull:
        return pull(seen.present[mine], good[mine], weights[mine])

    raw = np.zeros(len(seen.rows), dtype=np.float32)
    for number in np.unique(fold).tolist():
        raw[fold == number] = taught(firm & (fold != number)).logits(seen.present[fold == number])
    fit = fitted(raw[firm].reshape(-1, 1), good[firm], 1e6, weights[firm])  # Platt 1999
    calibration = models.Calibration(float(fit.coef_[0][0]), float(fit.intercept_[0]))
    last = taught(firm)
    numbers = {seen.grams[column]: number for number, column in enumerate(last.columns.tolist())}
    logits = calibration.logit(raw.astype(np.float64)).astype(np.float32)
    return Polar(Polarity(numbers, last.weights, last.bias), calibration, logits)


def _murmur(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def build(data: labelled.Folder, *, seed: int, on: date, say: Callable[[str], None] = _murmur) -> models.Model:
    """Train every head on the data.

    The small heads learn from held-out polarity, and their temperatures come from the same folds: what is said of a
    voice there was learnt without it, by the polarity head as by the small ones.
    """
    rows = [row for row in (*data.texts, *data.voices) if row.sentiment or row.topic]
    say(f"{len(rows)} texts")
    fold = folds(len(rows), seed)
    told = polar(corpus(rows), fold)
    scores = _by_source(rows, told.logits)
    say("\n".join(f"{name:<14}{score}" for name, score in scores.items()))
    spoken = np.flatnonzero([bool(row.topic) for row in rows])
    others = _sample(np.flatnonzero([not row.topic for row in rows]), OTHERS, seed)
    voices = [see(rows[place]) for place in spoken.tolist()]
    sure = sureness(voices, told.logits[spoken], fold[spoken])
    strangers = Strangers([see(rows[place]) for place in others], told.logits[others])
    heads = small(voices, told.logits[spoken], strangers)
    card = {**_card(data, seed, on), "held_out_by_source": scores}
    return _judged(_assembled(told.head, told.calibration, heads, sure, card))


def adapt(base: models.Model, data: labelled.Folder, *, seed: int, on: date) -> models.Model:
    """The base model with small heads trained anew on the voices: seconds, and no text of the base is needed.

    This is what staff's corrections go through: files named `corrections*.tsv` in the folder count more.
    """
    ordered = sorted(base.numbers, key=lambda gram: base.numbers[gram])
    head = Polarity({gram: place for place, gram in enumerate(ordered)}, base.polarity[1:], base.bias)
    voices = [see(row) for row in data.voices if row.topic]
    logits = base.calibration.scale * head.logits(voices) + base.calibration.shift
    heads = small(voices, logits.astype(np.float32), Strangers(base=base))
    # As sure as the base: the voices are of the same kind, and its own held-out ones are more.
    sure = Sureness(base.card.get("temperatures", {}), base.topic_calibration)
    card = {**_card(data, seed, on), "base": base.version}
    card["data"] = {**base.card.get("data", {}), **data.hashes}  # the base's knowledge of its texts stays in it
    card |= {name: base.card[name] for name in ("texts", "held_out_by_source") if name in base.card}
    return _judged(_assembled(head, base.calibration, heads, sure, card))


def _card(data: labelled.Folder, seed: int, on: date) -> dict[str, Any]:
    counts = {"texts": len(data.texts), "voices": len(data.voices)}
    return {"date": on.isoformat(), "seed": seed, "data": data.hashes, **counts, "licence": LICENCE}


def self_taught(data: labelled.Folder, by: models.Model) -> labelled.Folder:
    """The data with its unlabelled texts labelled by a model where that is sure (beyond .95 or .05)."""
    said = pipeline.sentiments(data.unlabelled, model=by)
    added = [
        Labelled(text, "self-taught", 1 if sentiment > 0 else -1)
        for text, sentiment in zip(data.unlabelled, said, strict=True)
        if abs(sentiment) > 2 * _SURE - 1
    ]
    return replace(data, texts=(*data.texts, *added))


def _sides(data: labelled.Folder) -> Iterator[tuple[list[str], bool]]:
    """Words and side of every polar text, for SnowNLP's Bayes."""
    rows = [row for row in (*data.texts, *data.voices) if row.sentiment]
    for row, (_, words) in zip(rows, words_of([row.text for row in rows]), strict=True):
        yield segment.searchable(words), row.sentiment == 1


def _by_source(rows: Sequence[Labelled], logits: Floats) -> dict[str, dict[str, float]]:
    """Accuracy and calibration of held-out polarity on each source."""
    scores: dict[str, dict[str, float]] = {}
    for source in sorted({row.source for row in rows}):
        mine = [
            (row.sentiment == 1, float(logit))
            for row, logit in zip(rows, logits, strict=True)
            if row.source == source and row.sentiment
        ]
        right = evaluation.quality([(good, logit > 0) for good, logit in mine])
        fit = evaluation.calibration([models.sigmoid(logit) for _, logit in mine], [good for good, _ in mine])
        assert right is not None
        assert fit is not None
        scores[source] = {"n": right.n, "accuracy": round(right.accuracy, 4), "ece": round(fit.ece, 4)}
    return scores


def _judged(built: models.Model) -> models.Model:
    """The model with its marks on the gold set in its card."""
    report = evaluation.evaluate(built, labelled.voices(labelled.GOLD))
    marks = {
        name: {"n": one.n, "accuracy": round(one.accuracy, 4), "macro_f1": round(one.macro_f1, 4)}
        for name, one in (("label", report.label), ("topic", report.topic), ("intent", report.intent))
        if one
    }
    return replace(built, card={**built.card, "gold": marks, "engines": rivals.compared(report, with_speed=False)})


def _mark(weights: Floats, heads: Small) -> str:
    """Six letters that differ when any weight does."""
    return hashlib.sha256(weights.tobytes() + heads.features.tobytes() + heads.bias.tobytes()).hexdigest()[:6]


def _assembled(
    head: Polarity, calibration: models.Calibration, heads: Small, sure: Sureness, card: Mapping[str, Any]
) -> models.Model:
    """One numbering for all features: those of the small heads first, whose scores are made as sure as they may be."""
    heads = tempered(heads, sure.factors)
    rest = [gram for gram in head.numbers if gram not in heads.numbers]
    ordered = [*heads.numbers, *rest]
    numbers = {gram: number for number, gram in enumerate(ordered, start=1)}
    weights = np.zeros(len(ordered) + 1, dtype=np.float32)
    for gram, number in head.numbers.items():
        weights[numbers[gram]] = head.weights[number]
    zero = np.zeros((1, heads.features.shape[1]), dtype=np.float32)
    version = f"linear-{card['date']}-{_mark(weights, heads)}"
    return models.Model(
        version=version,
        numbers=numbers,
        polarity=weights,
        bias=head.bias,
        calibration=calibration,
        topic_calibration=sure.topic,
        small=np.concatenate([zero, heads.features]),
        rules=heads.rules,
        dense=heads.dense,
        small_bias=heads.bias,
        pairing=heads.pairing,
        card={"version": version, "heads": list(models.HEADS), **card, "temperatures": dict(sure.factors)},
    )


def train(
    data_folder: Path | None, out_folder: Path, *, seed: int = 7, self_training: bool = False, on: date
) -> dict[str, Any]:
    """Train from a data folder into `out_folder/<version>.npz` with its card, which is returned, and SnowNLP's Bayes.

    Without scraped texts in the folder the model in use is adapted to the voices. `self_training` first labels the
    texts of `unlabelled*.txt` by the model in use.
    """
    data = labelled.folder(data_folder)
    if self_training:
        data = self_taught(data, models.load())
    built = build(data, seed=seed, on=on) if data.texts else adapt(models.load(), data, seed=seed, on=on)
    out_folder.mkdir(parents=True, exist_ok=True)
    models.save(built, out_folder / f"{built.version}.npz")
    if data.texts:
        legacy.train(_sides(data), out_folder / legacy.RETRAINED.name)
    return dict(built.card)
