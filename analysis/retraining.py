"""A model taught by staff: moved no farther from the one it starts from than their verdicts need.

The small heads are fitted again with the weights of the base as their prior, so what the base knows of texts that are
not at hand stays; polarity, calibration and the dense inputs are the base's own.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis import heads, labelled, pipeline
from analysis import model as models
from analysis.features import Floats
from analysis.labelled import Labelled
from analysis.model import CODES, INTENT, LABEL, TOPIC
from analysis.reading import INTENTS, LABELS

Doubles = npt.NDArray[np.float64]
#: How strongly weights are held where the base has them: 1 / variance of a Gaussian prior (the base's own C is 10).
_HOLD = 1.0
#: A feature unknown to the base enters from one lesson on, so that a verdict can rest on what is peculiar to its text;
#: with more lessons than `_MANY`, which would fill the file, from two on.
_MANY = 1_000
#: What hardly any anchor has: features in at most so many of them.
_RARE = 2
#: A lesson not yet understood counts this many times more in the next round, for so many rounds.
_INSIST, ROUNDS = 3.0, 6
_STEPS = 40


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text and what is known of it; `label` None, `topic` and `intent` "" where nothing is.

    A `weight` of 1 is that of any voice. `must` be read so afterwards: what a person said, unlike a weak label.
    """

    text: str
    label: str | None = None
    topic: str = ""
    intent: str = ""
    weight: float = 1.0
    must: bool = False

    @property
    def row(self) -> Labelled:
        """The lesson as a labelled text."""
        sentiment = LABELS.index(self.label) - 1 if self.label else None
        return Labelled(self.text, "corrections" if self.must else "weak", sentiment, self.topic, self.intent)


def own_voices() -> list[Lesson]:
    """The product's own voices: what holds a model where it is right."""
    return [lesson_of(row) for row in labelled.folder(None).voices]


def lesson_of(row: Labelled) -> Lesson:
    """A fully labelled text as a lesson of common weight."""
    return Lesson(row.text, LABELS[(row.sentiment or 0) + 1], row.topic, row.intent)


def taught(
    base: models.Model,
    lessons: Sequence[Lesson],
    anchors: Sequence[Lesson],
    *,
    rounds: int = ROUNDS,
    is_local: bool = False,
) -> models.Model:
    """The base moved until it reads the lessons; `anchors` (the product's own voices) hold it where it is right.

    Lessons that must be read so and are not count more, round by round; a few that contradict one another may stay.
    With `is_local` only features move that hardly any anchor has: what is learnt stays with texts like the lessons'.
    """
    task = _Task(base, lessons, anchors, is_local=is_local)
    weights = np.array([one.weight for one in (*lessons, *anchors)])
    learnt = task.model(weights)
    for _ in range(rounds):
        wrong = [place for place in missed(learnt, lessons) if lessons[place].must]
        if not wrong:
            break
        weights[wrong] *= _INSIST
        learnt = task.model(weights)
    return learnt


def missed(model: models.Model, lessons: Sequence[Lesson]) -> list[int]:
    """The places of the lessons the model reads otherwise than told."""
    read = pipeline.read_many((one.text for one in lessons), model=model)
    return [
        place
        for place, (one, got) in enumerate(zip(lessons, read, strict=True))
        if (one.label and got.label != one.label)
        or (one.topic and got.topics[0].code != one.topic)
        or (one.intent and got.intent != one.intent)
    ]


class _Task:
    """The lessons as matrices: what the heads see of each text, and what they should say."""

    def __init__(
        self, base: models.Model, lessons: Sequence[Lesson], anchors: Sequence[Lesson], *, is_local: bool
    ) -> None:
        self.base = base
        everyone = (*lessons, *anchors)
        seen = [heads.see(one.row) for one in everyone]
        self.grams = _vocabulary(base, seen[: len(lessons)])
        known = len(base.small) - 1
        self.small = np.concatenate([base.small[1:], np.zeros((len(self.grams) - known, base.small.shape[1]))])
        self.numbers, self.polarity = _numbering(base, self.grams)
        reader = heads.Polarity({g: n - 1 for g, n in self.numbers.items()}, self.polarity[1:], base.bias)
        logits = base.calibration.scale * reader.logits(seen) + base.calibration.shift
        small_numbers = {gram: place for place, gram in enumerate(self.grams)}
        self.x = heads.matrix(seen, small_numbers, logits.astype(np.float32)).astype(np.float64)
        start = np.concatenate([self.small, base.rules, base.dense])
        self.start: Doubles = self.x @ start + base.small_bias
        free = np.asarray((self.x[: len(lessons)] != 0).sum(axis=0)).ravel() > 0
        free[len(self.grams) + len(base.rules) :] = False
        if is_local:
            free &= np.asarray((self.x[len(lessons) :] != 0).sum(axis=0)).ravel() <= _RARE
        self.free = np.flatnonzero(free)
        self.moved = np.zeros(len(self.free) * self.start.shape[1])
        self.wanted = np.concatenate([_wanted(self.start, lessons, block) for block in _BLOCKS], axis=1)

    def model(self, weights: Doubles) -> models.Model:
        """The model fitted with these weights of the texts, from where the last fit ended."""
        from scipy.optimize import minimize  # type: ignore[import-untyped]  # noqa: PLC0415 -- training only

        x = self.x[:, self.free]
        shape = (len(self.free), self.start.shape[1])
        turned = x.T.tocsr()

        def cost(flat: Doubles) -> tuple[float, Doubles]:
            moved = flat.reshape(shape)
            loss, slope = _loss(self.start + x @ moved, self.wanted, weights)
            return loss + _HOLD / 2 * float(flat @ flat), (turned @ slope + _HOLD * moved).ravel()

        fit = {"jac": True, "method": "L-BFGS-B", "options": {"maxiter": _STEPS, "maxcor": 5}}
        self.moved = minimize(cost, self.moved, **fit).x
        whole = np.zeros((self.x.shape[1], shape[1]))
        whole[self.free] = self.moved.reshape(shape)
        ends = len(self.grams), len(self.grams) + len(self.base.rules)
        small = np.concatenate([np.zeros((1, shape[1])), self.small + whole[: ends[0]]])
        return replace(
            self.base,
            numbers=self.numbers,
            polarity=self.polarity,
            small=small.astype(np.float32),
            rules=(self.base.rules + whole[ends[0] : ends[1]]).astype(np.float32),
        )


#: The heads that are fitted, each with how a lesson tells its column: topics, intents and labels.
_Block = tuple[slice, Callable[[Lesson], int]]
_BLOCKS: tuple[_Block, ...] = (
    (TOPIC, lambda one: CODES.index(one.topic) if one.topic else -1),
    (INTENT, lambda one: INTENTS.index(one.intent) if one.intent else -1),
    (LABEL, lambda one: LABELS.index(one.label) if one.label else -1),
)


def _wanted(start: Doubles, lessons: Sequence[Lesson], block: _Block) -> Doubles:
    """The shares a head should give: what a lesson tells; the base's own for the anchors and where nothing is told."""
    columns, place = block
    shares = _softmax(start[:, columns])
    for row, one in enumerate(lessons):
        told = place(one)
        if told >= 0:
            shares[row] = np.eye(shares.shape[1])[told]
    return shares


def _softmax(scores: Doubles) -> Doubles:
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Doubles = grown / grown.sum(axis=1, keepdims=True)
    return shares


def _loss(scores: Doubles, wanted: Doubles, weights: Doubles) -> tuple[float, Doubles]:
    """Cross-entropy of all heads together, and its slope by the scores. Every text is an operator's customer's."""
    slope = np.empty_like(scores)
    total = 0.0
    for columns, _ in _BLOCKS:
        shares = _softmax(scores[:, columns])
        total -= float(weights @ (wanted[:, columns] * np.log(np.maximum(shares, 1e-12))).sum(axis=1))
        slope[:, columns] = (shares - wanted[:, columns]) * weights[:, None]
    ours = 1 / (1 + np.exp(-np.clip(scores[:, -1], -60, 60)))
    total -= float(weights @ np.log(np.maximum(ours, 1e-12)))
    slope[:, -1] = (ours - 1) * weights
    return total, slope


def _vocabulary(base: models.Model, seen: Sequence[heads.Seen]) -> list[str]:
    """The small heads' features: the base's, then those of the lessons it did not know."""
    known = sorted(base.numbers, key=base.numbers.__getitem__)[: len(base.small) - 1]
    counts = Counter(gram for one in seen for gram in one.grams)
    least, held = (1 if len(seen) <= _MANY else 2), set(known)
    return [*known, *sorted(gram for gram, n in counts.items() if n >= least and gram not in held)]


def _numbering(base: models.Model, grams: Sequence[str]) -> tuple[dict[str, int], Floats]:
    """All features, those of the small heads first, and the base's polarity in that order."""
    first = set(grams)
    rest = [gram for gram in sorted(base.numbers, key=base.numbers.__getitem__) if gram not in first]
    numbers = {gram: number for number, gram in enumerate((*grams, *rest), start=1)}
    polarity = np.zeros(len(numbers) + 1, dtype=np.float32)
    for gram, number in base.numbers.items():
        polarity[numbers[gram]] = base.polarity[number]
    return numbers, polarity


def unpacked(artefact: bytes, card: Mapping[str, Any]) -> models.Model:
    """The model of an .npz held in memory. Raises ValueError when it was made for other topics or rules."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        path.write_bytes(artefact)
        path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
        return models.read_file(path)


def packed(model: models.Model) -> tuple[bytes, dict[str, Any]]:
    """The .npz and the card of a model; `unpacked` gives it back, its weights rounded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        models.save(model, path)
        return path.read_bytes(), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
