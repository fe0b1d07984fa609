"""The linear model: loaded from one .npz and its JSON card, evaluated with look-ups and sums."""

import hashlib
import json
import lzma
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis import features, topics
from analysis.reading import INTENTS, LABELS

Floats = npt.NDArray[np.float32]

FOLDER = Path(__file__).parent / "models"
SHIPPED = FOLDER / "shipped.npz"
CODES = tuple(topics.TOPICS)
#: Columns of the small heads, in order: topics, intents, labels.
HEADS = (*CODES, *INTENTS, *LABELS)
_TOPIC = slice(0, len(CODES))
_INTENT = slice(len(CODES), len(CODES) + len(INTENTS))
_LABEL = slice(len(CODES) + len(INTENTS), len(HEADS))
#: How much a hit of the topic lexicon counts beside the text's own features, which have length 1 together.
RULE_WEIGHT = 0.35
#: The base logit is damped before it enters the small heads, so that no single figure rules them.
LOGIT_WEIGHT = 0.25


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logit's way to a probability: sigmoid(scale · logit + shift), after Platt 1999."""

    scale: float = 1.0
    shift: float = 0.0

    def logit(self, raw: float) -> float:
        return self.scale * raw + self.shift


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model says of a text: calibrated P(positive), and probabilities over labels, intents and topics."""

    positive: float
    labels: dict[str, float]
    intents: dict[str, float]
    topics: dict[str, float]
    places: "Places"


@dataclass(frozen=True, slots=True)
class Places:
    """Each feature's occurrence in the clean text and how far it moves the polarity logit (positive is good)."""

    starts: list[int]
    ends: list[int]
    weights: Floats


@dataclass(frozen=True)
class Model:
    """Weights and how to use them. Feature numbers count from 1; those up to `n_small` enter the small heads too."""

    version: str
    numbers: dict[str, int]
    polarity: Floats  # (features + 1,)
    bias: float
    calibration: Calibration
    small: Floats  # (n_small + 1, heads)
    rules: Floats  # (rules, heads)
    dense: Floats  # (dense inputs, heads)
    small_bias: Floats  # (heads,)
    pairing: Floats  # (labels, intents): log-affinity of a label with an intent
    card: Mapping[str, Any]

    @property
    def n_small(self) -> int:
        return len(self.small) - 1

    def polarity_logit(self, numbers: Sequence[int]) -> float:
        """The calibrated logit of P(positive) for feature numbers, repeats ignored."""
        found = features.distinct(numbers)
        if not found:
            return self.calibration.logit(self.bias)
        places = np.fromiter(found, dtype=np.int32, count=len(found))
        return self.calibration.logit(float(self.polarity[places].sum()) / math.sqrt(len(found)) + self.bias)

    def read(self, text: str, words: Sequence[str], hits: Sequence[tuple[int, int, topics.Rule]]) -> Verdict:
        """The verdict on a clean text, its words and its lexicon hits."""
        numbers, starts, ends = features.placed(text, words, self.numbers.get)
        logit = self.polarity_logit(numbers)
        scores = self._small_scores(features.distinct(numbers), hits, dense_inputs(text, logit))
        labels, intents = self._decided(logit, scores)
        places = np.array(numbers, dtype=np.int32)
        return Verdict(
            sigmoid(logit),
            labels,
            intents,
            dict(zip(CODES, softmax(scores[_TOPIC]).tolist(), strict=True)),
            Places(starts, ends, self.polarity[places]),
        )

    def _small_scores(
        self, found: set[int], hits: Sequence[tuple[int, int, topics.Rule]], dense: Sequence[float]
    ) -> Floats:
        last = self.n_small
        few = [number for number in found if number <= last]
        scores: Floats = self.small_bias + np.asarray(dense, dtype=np.float32) @ self.dense
        if few:
            scores = scores + self.small[few].sum(axis=0) / math.sqrt(len(few))
        if hits:
            numbers = rule_numbers()
            scores = scores + RULE_WEIGHT * self.rules[list({numbers[rule] for _, _, rule in hits})].sum(axis=0)
        return scores

    def _decided(self, logit: float, scores: Floats) -> tuple[dict[str, float], dict[str, float]]:
        """Probabilities of labels and intents that fit one another, and labels that keep to the polarity's sign."""
        joint = np.exp(_log_softmax(scores[_LABEL])[:, None] + _log_softmax(scores[_INTENT])[None, :] + self.pairing)
        joint /= joint.sum()
        neutral = float(joint[1].sum())
        good = sigmoid(logit)
        labels = {"negative": (1 - neutral) * (1 - good), "neutral": neutral, "positive": (1 - neutral) * good}
        return labels, dict(zip(INTENTS, joint.sum(axis=0).tolist(), strict=True))


def dense_inputs(text: str, logit: float) -> tuple[float, ...]:
    """The few plain numbers the small heads see beside the words: polarity, its strength, and the length."""
    bounded = max(-8.0, min(8.0, logit)) * LOGIT_WEIGHT
    return bounded, abs(bounded), min(2.0, math.log1p(len(text)) / 3)


@cache
def rule_numbers() -> dict[topics.Rule, int]:
    """Each rule's row in the model."""
    return {rule: number for number, rule in enumerate(topics.rules())}


def sigmoid(logit: float) -> float:
    """1 / (1 + e^−logit), safe at both ends."""
    if logit >= 0:
        return 1 / (1 + math.exp(-min(logit, 60.0)))
    grown = math.exp(max(logit, -60.0))
    return grown / (1 + grown)


def softmax(scores: Floats) -> Floats:
    """Scores as probabilities."""
    grown: Floats = np.exp(scores - scores.max())
    shares: Floats = grown / grown.sum()
    return shares


def _log_softmax(scores: Floats) -> Floats:
    shifted: Floats = scores - scores.max()
    logs: Floats = shifted - np.log(np.exp(shifted).sum())
    return logs


def _packed(values: Floats) -> dict[str, npt.NDArray[Any]]:
    """Values as signed bytes with one scale a column."""
    scale = np.maximum(np.abs(values).max(axis=0), 1e-9) / 127
    return {"values": np.round(values / scale).astype(np.int8), "scale": np.asarray(scale, dtype=np.float32)}


def save(model: Model, path: Path) -> None:
    """Write `path` (.npz) and the card beside it (.json); both are replaced at once, each whole."""
    ordered = sorted(model.numbers, key=lambda gram: model.numbers[gram])
    arrays: dict[str, npt.NDArray[Any]] = {
        "vocabulary": np.frombuffer(lzma.compress("\n".join(ordered).encode(), preset=9), dtype=np.uint8),
        "scalars": np.array([model.bias, model.calibration.scale, model.calibration.shift], dtype=np.float64),
        "small_bias": model.small_bias,
        "dense": model.dense,
        "pairing": model.pairing,
    }
    for name, values in (("polarity", model.polarity), ("small", model.small), ("rules", model.rules)):
        arrays |= {f"{name}_{part}": array for part, array in _packed(values).items()}
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, **arrays)  # type: ignore[arg-type]
    part.replace(path)
    card = {**model.card, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    written = path.with_suffix(".part.json")
    written.write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    written.replace(path.with_suffix(".json"))


def read_file(path: Path) -> Model:
    """The model of a file. Raises ValueError when the file was made for other topics or rules than this code's."""
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    with np.load(path, allow_pickle=False) as arrays:
        ordered = lzma.decompress(arrays["vocabulary"].tobytes()).decode().split("\n")
        bias, scale, shift = arrays["scalars"].tolist()
        unpacked = {
            name: arrays[f"{name}_values"].astype(np.float32) * arrays[f"{name}_scale"]
            for name in ("polarity", "small", "rules")
        }
        small_bias, dense, pairing = arrays["small_bias"], arrays["dense"], arrays["pairing"]
    if card["heads"] != list(HEADS) or len(unpacked["rules"]) != len(rule_numbers()):
        raise ValueError(f"{path.name} was trained for another tree of topics; train it again")
    return Model(
        version=card["version"],
        numbers={gram: number for number, gram in enumerate(ordered, start=1)},
        polarity=unpacked["polarity"],
        bias=bias,
        calibration=Calibration(scale, shift),
        small=unpacked["small"],
        rules=unpacked["rules"],
        dense=dense,
        small_bias=small_bias,
        pairing=pairing,
        card=card,
    )


class _Desk:
    def __init__(self) -> None:
        self.models: dict[Path, Model] = {}
        self.in_use: Model | None = None


_desk = _Desk()


def load(path: Path | str | None = None) -> Model:
    """The model of a file, kept once read; without a path the one in use, at first the shipped one."""
    if path is None and _desk.in_use is not None:
        return _desk.in_use
    place = Path(path) if path is not None else SHIPPED
    if place not in _desk.models:
        _desk.models[place] = read_file(place)
    return _desk.models[place]


def use(model: Model) -> None:
    """From now on this process reads with this model; one assignment, so no reading mixes two."""
    _desk.in_use = model
