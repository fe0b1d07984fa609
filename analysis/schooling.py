"""One training from what staff said: the candidate and its card.

`python -m analysis.schooling FOLDER` does it in a process of its own: `work.json` in, `model.npz` and `card.json` out,
a line of JSON on stdout for every stage. It ends when its stdin does, with the process that started it.
"""

import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis import evaluation, labelled, legacy, pipeline, retraining, rivals, segment, topics
from analysis import model as models
from analysis.labelled import Labelled
from analysis.reading import LABELS
from analysis.retraining import Lesson

#: A survey's score and the model's own sure verdict weigh so much beside a person's.
WEAK_WEIGHT, SELF_WEIGHT = 0.3, 0.2
#: From this confidence on the base's own verdict on an unlabelled text is a lesson.
_SURE = 0.95
#: Fewer held-out verdicts than this tell nothing; then no curve is drawn.
LEAST_HELD = 5
CURVE = (0.25, 0.5, 0.75, 1.0)
LICENCE = "Taught by the operator's own staff from the product's shipped model; the texts are not in this file."

#: (stage, percent): `gather read curve fit judge engines done`.
Say = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person said of a text; `is_held` ones are kept out of what measures, see `school`."""

    text: str
    label: str | None = None
    topic: str | None = None
    intent: str | None = None
    is_held: bool = False

    @property
    def lesson(self) -> Lesson:
        """The verdict as a lesson that must be understood."""
        return Lesson(self.text, self.label, self.topic or "", self.intent or "", must=True)

    @property
    def row(self) -> Labelled:
        """The verdict as a labelled text to measure with."""
        sentiment = LABELS.index(self.label) - 1 if self.label else None
        return Labelled(self.text, "verdicts", sentiment, self.topic or "", self.intent or "")


@dataclass(frozen=True, slots=True)
class Work:
    """All a training needs. `weak` are (text, side of a survey's score); `against` is the report of what reads now."""

    on: str
    verdicts: Sequence[Verdict]
    weak: Sequence[tuple[str, int]] = ()
    unlabelled: Sequence[str] = ()
    against: Mapping[str, Any] | None = None
    words: Sequence[str] = ()  # the operator's own, as readings are cut with them
    terms: Sequence[tuple[str, str, str]] = ()

    def document(self) -> dict[str, Any]:
        """The work, JSON-ready."""
        verdicts = [[one.text, one.label, one.topic, one.intent, one.is_held] for one in self.verdicts]
        return {
            "on": self.on, "verdicts": verdicts, "weak": list(self.weak), "unlabelled": list(self.unlabelled),
            "against": self.against, "words": list(self.words), "terms": list(self.terms),
        }  # fmt: skip


def work_of(document: Mapping[str, Any]) -> Work:
    """The work of a document."""
    verdicts = [Verdict(*one) for one in document["verdicts"]]
    weak = [(text, side) for text, side in document["weak"]]
    terms = [(term, code, detail) for term, code, detail in document["terms"]]
    return Work(
        document["on"], verdicts, weak, document["unlabelled"], document["against"], document["words"], terms
    )  # fmt: skip


def school(work: Work, say: Say = lambda _stage, _percent: None) -> tuple[bytes, dict[str, Any]]:
    """The .npz and the card of the shipped model taught by the work.

    The held-out verdicts measure: each model of the learning curve is taught without them. The candidate itself
    learns from all verdicts, so that every text a person put right is read right.
    """
    say("gather", 5)
    base = models.load(models.SHIPPED)
    work = without_gold(work)
    anchors, more = retraining.own_voices(), _more(base, work)
    say("curve", 15)
    curve = _curve(base, work, anchors, more)
    say("fit", 45)
    artefact, card, report = _fitted(base, work, anchors, more)
    say("engines", 85)
    card |= {"report": report.document(), "learning_curve": curve, "engines": rivals.compared(report)}
    say("done", 100)
    return artefact, card


def without_gold(work: Work) -> Work:
    """The work without any text of the gold set, and without guesses on what a person judged."""
    gold = {row.text for row in labelled.voices(labelled.GOLD)}
    judged = {one.text for one in work.verdicts}
    return replace(
        work,
        verdicts=[one for one in work.verdicts if one.text not in gold],
        weak=[one for one in work.weak if one[0] not in gold | judged],
        unlabelled=[text for text in work.unlabelled if text not in gold | judged],
    )


def _more(base: models.Model, work: Work) -> list[Lesson]:
    """Lessons nobody told outright: survey scores at their sure ends, and what the base itself is sure of."""
    told = [Lesson(text, "positive" if side > 0 else "negative", weight=WEAK_WEIGHT) for text, side in work.weak]
    for text, read in zip(work.unlabelled, pipeline.read_many(work.unlabelled, model=base), strict=True):
        if read.confidence >= _SURE:
            told.append(Lesson(text, read.label, weight=SELF_WEIGHT))
    return told


def _curve(base: models.Model, work: Work, anchors: Sequence[Lesson], more: Sequence[Lesson]) -> list[dict[str, Any]]:
    """How right models are on the held-out verdicts when taught by none and by growing shares of the others."""
    held = [one.row for one in work.verdicts if one.is_held]
    told = [one.lesson for one in work.verdicts if not one.is_held]
    if len(held) < LEAST_HELD or len(told) < len(CURVE):
        return []
    points: list[dict[str, Any]] = [{"n": 0, **_marks(base, held)}]
    for share in CURVE:
        some = told[: round(share * len(told))]
        model = retraining.taught(base, [*some, *more], anchors, rounds=1)
        points.append({"n": len(some), **_marks(model, held)})
    return points


def _marks(model: models.Model, held: Sequence[Labelled]) -> dict[str, Any]:
    """Accuracy of each question over the verdicts that answered it."""
    read = list(pipeline.read_many((row.text for row in held), model=model))
    pairs: dict[str, list[tuple[Any, Any]]] = {
        "label": [(row.sentiment, LABELS.index(got.label) - 1) for row, got in zip(held, read, strict=True)],
        "topic": [(row.topic or None, got.topics[0].code) for row, got in zip(held, read, strict=True)],
        "intent": [(row.intent or None, got.intent) for row, got in zip(held, read, strict=True)],
    }
    marks = {name: evaluation.quality([pair for pair in of if pair[0] is not None]) for name, of in pairs.items()}
    return {
        name: {"n": one.n, "accuracy": round(one.accuracy, 4), "macro_f1": round(one.macro_f1, 4)}
        for name, one in marks.items()
        if one
    }


def _fitted(
    base: models.Model, work: Work, anchors: Sequence[Lesson], more: Sequence[Lesson]
) -> tuple[bytes, dict[str, Any], evaluation.Report]:
    """The candidate as it comes out of its file; held closer to the base when the gate would refuse it otherwise."""
    gold = labelled.voices(labelled.GOLD)
    before = evaluation.report_of(work.against) if work.against else evaluation.evaluate(base, gold)
    lessons = [*(one.lesson for one in work.verdicts), *more]
    tries = []
    for is_local in (False, True):
        model = _named(retraining.taught(base, lessons, anchors, is_local=is_local), base, work)
        artefact, card = retraining.packed(model)
        read = retraining.unpacked(artefact, card)
        report = evaluation.evaluate(read, gold)
        told = [one.lesson for one in work.verdicts]
        card |= {"learnt": len(told) - len(retraining.missed(read, told)), "is_local": is_local}
        tries.append((artefact, card, report))
        if not evaluation.may_replace(before, report):
            return tries[-1]
    return tries[0]


def _named(model: models.Model, base: models.Model, work: Work) -> models.Model:
    """The model with a version that differs when any weight does, and its card."""
    mark = hashlib.sha256(np.ascontiguousarray(model.small).tobytes() + model.rules.tobytes())
    mark.update("\n".join(model.numbers).encode())
    version = f"staff-{work.on}-{mark.hexdigest()[:8]}"
    data = {
        "voices.tsv": hashlib.sha256(labelled.OWN.read_bytes()).hexdigest(),
        "gold.tsv": hashlib.sha256(labelled.GOLD.read_bytes()).hexdigest(),
        "verdicts": hashlib.sha256(json.dumps(work.document(), ensure_ascii=False).encode()).hexdigest(),
    }
    counts = {
        "verdicts": len(work.verdicts), "held": sum(one.is_held for one in work.verdicts), "weak": len(work.weak),
        "unlabelled": len(work.unlabelled),
    }  # fmt: skip
    card = {
        "version": version, "heads": list(models.HEADS), "date": work.on, "base": base.version, "data": data,
        "counts": counts, "licence": LICENCE,
    }  # fmt: skip
    return replace(model, version=version, card=card)


def opinions(texts: Sequence[str]) -> list[float]:
    """SnowNLP's own P(positive) of each text: what the queue holds against the model."""
    return [(told + 1) / 2 for told in pipeline.sentiments(texts, positive=legacy.plain)]


def main(folder: Path) -> None:
    """Does the work lying in the folder: a training, or opinions on `texts`."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    document = json.loads((folder / "work.json").read_text(encoding="utf-8"))
    if "texts" in document:
        (folder / "opinions.json").write_text(json.dumps(opinions(document["texts"])), encoding="utf-8")
        return
    work = work_of(document)
    segment.use(work.words)
    topics.use(work.terms)
    artefact, card = school(work, _tell)
    (folder / "model.npz").write_bytes(artefact)
    (folder / "card.json").write_text(json.dumps(card, ensure_ascii=False), encoding="utf-8")


def _tell(stage: str, percent: int) -> None:
    print(json.dumps({"stage": stage, "percent": percent}), flush=True)  # noqa: T201 - the answer of this program


def _end_with_parent() -> None:
    os.read(0, 1)  # nothing is ever sent: it returns when the parent ends, whatever ended it
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
