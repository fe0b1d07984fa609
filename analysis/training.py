"""A model out of labelled texts: the only way in, with `heads`, that needs scikit-learn."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis import evaluation, labelled, legacy, pipeline, segment
from analysis import model as models
from analysis.features import Floats
from analysis.heads import Polarity, Seen, Small, Strangers, platt, polarity, see, small
from analysis.labelled import Labelled
from analysis.tempering import temperatures, tempered

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


def folds(count: int, seed: int, among: int = FOLDS) -> npt.NDArray[np.int64]:
    """A fold for each of `count` rows, even and shuffled."""
    numbers = np.arange(count) % among
    np.random.default_rng(seed).shuffle(numbers)
    return numbers


def _sample(places: npt.NDArray[np.int64], most: int, seed: int) -> list[int]:
    """At most so many of the places, drawn without favour."""
    drawn: list[int] = np.random.default_rng(seed).permutation(places)[:most].tolist()
    return drawn


def weights_of(seen: Sequence[Seen]) -> npt.NDArray[np.float32]:
    """How much each polar text counts: small sources are lifted towards the large, voices most."""
    sizes = Counter(one.row.source for one in seen)
    most = max(sizes.values())
    lifted = {source: min(3.0, (most / size) ** 0.25) for source, size in sizes.items()}
    return np.array([VOICE_WEIGHT if one.row.topic else lifted[one.row.source] for one in seen], dtype=np.float32)


def held_out_logits(seen: Sequence[Seen], seed: int) -> Floats:
    """For each text the logit of a head that has not seen it; neutral voices get one too but teach nothing."""
    fold = folds(len(seen), seed)
    logits = np.zeros(len(seen), dtype=np.float32)
    for number in range(FOLDS):
        rest = [one for one, of in zip(seen, fold, strict=True) if of != number and one.row.sentiment]
        head = polarity(rest, weights_of(rest))
        mine = np.flatnonzero(fold == number)
        logits[mine] = head.logits([seen[i] for i in mine.tolist()])
    return logits


def build(data: labelled.Folder, *, seed: int, on: date, say: Callable[[str], None] = print) -> models.Model:
    """Train every head on the data."""
    polar = [one for one in map(see, (*data.texts, *data.voices)) if one.row.sentiment or one.row.topic]
    say(f"{len(polar)} texts")
    logits = held_out_logits(polar, seed)
    firm = np.array([bool(one.row.sentiment) for one in polar])
    good = np.array([one.row.sentiment == 1 for one in polar])
    calibration = platt(logits[firm], good[firm], weights_of(polar)[firm])
    logits = calibration.scale * logits + calibration.shift
    teach = [one for one in polar if one.row.sentiment]
    scores = _by_source(teach, logits[firm])
    say("\n".join(f"{name:<14}{score}" for name, score in scores.items()))
    spoken = np.array([bool(one.row.topic) for one in polar])
    others = _sample(np.flatnonzero(~spoken), OTHERS, seed)
    voices = [one for one in polar if one.row.topic]
    sure = temperatures(voices, logits[spoken], folds(len(voices), seed))
    heads = small(voices, logits[spoken], Strangers([polar[place] for place in others], logits[others]))
    heads = tempered(heads, sure)
    card = {**_card(data, seed, on), "held_out_by_source": scores, "temperatures": sure}
    return _judged(_assembled(polarity(teach, weights_of(teach)), calibration, heads, card))


def adapt(base: models.Model, data: labelled.Folder, *, seed: int, on: date) -> models.Model:
    """The base model with small heads trained anew on the voices: seconds, and no text of the base is needed.

    This is what staff's corrections go through: files named `corrections*.tsv` in the folder count more.
    """
    ordered = sorted(base.numbers, key=lambda gram: base.numbers[gram])
    head = Polarity({gram: place for place, gram in enumerate(ordered)}, base.polarity[1:], base.bias)
    voices = [see(row) for row in data.voices if row.topic]
    logits = base.calibration.scale * head.logits(voices) + base.calibration.shift
    sure = base.card.get("temperatures", {})  # those of the base: the voices are of the same kind
    heads = tempered(small(voices, logits.astype(np.float32), Strangers(base=base)), sure)
    card = {**_card(data, seed, on), "base": base.version, "temperatures": sure}
    card["data"] = {**base.card.get("data", {}), **data.hashes}  # the base's knowledge of its texts stays in it
    card |= {name: base.card[name] for name in ("texts", "held_out_by_source") if name in base.card}
    return _judged(_assembled(head, base.calibration, heads, card))


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
    for row in (*data.texts, *data.voices):
        if row.sentiment:
            yield segment.tokens(row.text), row.sentiment == 1


def _by_source(seen: Sequence[Seen], logits: Floats) -> dict[str, dict[str, float]]:
    """Accuracy and calibration of held-out polarity on each source."""
    scores: dict[str, dict[str, float]] = {}
    for source in sorted({one.row.source for one in seen}):
        mine = [
            (one.row.sentiment == 1, float(logit))
            for one, logit in zip(seen, logits, strict=True)
            if one.row.source == source
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
    return replace(built, card={**built.card, "gold": marks})


def _mark(weights: Floats, heads: Small) -> str:
    """Six letters that differ when any weight does."""
    return hashlib.sha256(weights.tobytes() + heads.features.tobytes() + heads.bias.tobytes()).hexdigest()[:6]


def _assembled(head: Polarity, calibration: models.Calibration, heads: Small, card: Mapping[str, Any]) -> models.Model:
    """One numbering for all features: those of the small heads first."""
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
        small=np.concatenate([zero, heads.features]),
        rules=heads.rules,
        dense=heads.dense,
        small_bias=heads.bias,
        pairing=heads.pairing,
        card={"version": version, "heads": list(models.HEADS), **card},
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
