"""The linear model: loaded from one .npz and its JSON card, evaluated with look-ups and sums."""

import hashlib
import json
import lzma
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis import features, topics
from analysis.features import Batch, Floats
from analysis.reading import INTENTS, LABELS
from analysis.scan import Hits
from analysis.sheet import Ints

Doubles = npt.NDArray[np.float64]

FOLDER = Path(__file__).parent / "models"
SHIPPED = FOLDER / "shipped.npz"
CODES = tuple(topics.TOPICS)
#: Columns of the small heads, in order: topics, intents, labels, and whether the text is a customer's of an operator.
HEADS = (*CODES, *INTENTS, *LABELS, "telecom")
TOPIC = slice(0, len(CODES))
INTENT = slice(len(CODES), len(CODES) + len(INTENTS))
LABEL = slice(len(CODES) + len(INTENTS), len(HEADS) - 1)
#: How much a hit of the topic lexicon counts beside the text's own features, which have length 1 together.
RULE_WEIGHT = 0.35
#: How far a text is held to be an operator's customer's when its topic is asked: the product reads little else.
_OURS_FIRST = 5.0
#: The base logit is damped before it enters the small heads, so that no single figure rules them.
LOGIT_WEIGHT = 0.25


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logit's way to a probability: sigmoid(scale · logit + shift), after Platt 1999."""

    scale: float = 1.0
    shift: float = 0.0

    def logit(self, raw: Doubles) -> Doubles:
        """Calibrated logits of raw ones."""
        return self.scale * raw + self.shift

    def believed(self, shares: Doubles) -> Doubles:
        """Rows of shares whose largest is as often right as it says; the others keep their proportions.

        The largest stays the largest while scale is at most 1 and shift at least 0, as `tempering` keeps them.
        """
        at = np.arange(len(shares)), shares.argmax(axis=1)
        most = np.clip(shares[at], 1e-6, 1 - 1e-6)
        sure = _sigmoid(self.logit(np.log(most / (1 - most))))
        told: Doubles = shares * ((1 - sure) / (1 - most))[:, None]
        told[at] = sure
        return told


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model sees of a sheet: its features, its topic terms, and how many different characters each text has."""

    batch: Batch
    hits: Hits
    riches: Ints


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the model says of several texts, a row each: calibrated P(positive); shares of labels, intents, topics."""

    positive: Doubles
    labels: Doubles
    intents: Doubles
    topics: Doubles


@dataclass(frozen=True)
class Model:
    """Weights and how to use them. Feature numbers count from 1; those up to `n_small` enter the small heads too."""

    version: str
    numbers: dict[str, int]
    polarity: Floats  # (features + 1,)
    bias: float
    calibration: Calibration
    topic_calibration: Calibration  # of the first topic's share
    small: Floats  # (n_small + 1, heads)
    rules: Floats  # (rules, heads)
    dense: Floats  # (dense inputs, heads)
    small_bias: Floats  # (heads,)
    pairing: Floats  # (labels, intents): log-affinity of a label with an intent
    card: Mapping[str, Any]
    index: features.Index = field(init=False)
    _topic: "_Heads" = field(init=False)
    _rest: "_Heads" = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", features.Index(self.numbers))
        object.__setattr__(self, "_topic", self._heads(TOPIC))
        object.__setattr__(self, "_rest", self._heads(slice(TOPIC.stop, len(HEADS))))

    def _heads(self, columns: slice) -> "_Heads":
        small, rules, dense = (np.ascontiguousarray(part[:, columns]) for part in (self.small, self.rules, self.dense))
        return _Heads(small, rules, dense, self.small_bias[columns])

    def read(self, seen: Seen) -> Verdicts:
        """The verdicts on a sheet of clean texts."""
        logits, scores, positive, neutral, intents = self._signs(seen)
        labels = np.stack(((1 - neutral) * (1 - positive), neutral, (1 - neutral) * positive), axis=1)
        topic_scores = self._topic.scores(seen, dense_inputs(logits, seen.riches, votes(seen.hits, len(logits))))
        shares = self.topic_calibration.believed(softmax(topic_scores))
        return Verdicts(positive, labels, intents, _topics(shares, scores[:, -1:]))

    def positive(self, seen: Seen) -> Doubles:
        """P(positive) of each text of a sheet alone: the same as `read` says, in a third of the time."""
        return self._signs(seen)[2]

    def _signs(self, seen: Seen) -> tuple[Doubles, Doubles, Doubles, Doubles, Doubles]:
        """Polarity logits, scores of intents, labels and the last head, P(positive), P(neutral), and the intents."""
        batch = seen.batch
        pulled = np.bincount(batch.owners, self.polarity[batch.distinct], len(batch.counts))
        logits = self.calibration.logit(pulled / np.sqrt(np.maximum(batch.counts, 1)) + self.bias)
        scores = self._rest.scores(seen, dense_inputs(logits, seen.riches, None))
        return logits, scores, *self._decided(logits, scores)

    def _decided(self, logits: Doubles, scores: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """P(positive), P(neutral) and the intents, labels and intents weighed together.

        Of a customer's voice the small heads know the sign better; of any other text the polarity head does.
        """
        intent, label = (slice(one.start - TOPIC.stop, one.stop - TOPIC.stop) for one in (INTENT, LABEL))
        together = scores[:, label, None] + scores[:, None, intent] + self.pairing
        joint = softmax(together.reshape(len(scores), -1)).reshape(together.shape)
        labels = joint.sum(axis=2)
        share = _sigmoid(scores[:, -1])
        positive = share * labels[:, 2] / (labels[:, 0] + labels[:, 2]) + (1 - share) * _sigmoid(logits)
        return positive, labels[:, 1], joint.sum(axis=1)


@dataclass(frozen=True, slots=True)
class _Heads:
    """Some of the small heads' columns, side by side in memory."""

    small: Floats
    rules: Floats
    dense: Floats
    bias: Floats

    def scores(self, seen: Seen, dense: Floats) -> Doubles:
        """A row of scores for each text. A text of one feature counts as much as one of a hundred."""
        batch = seen.batch
        scores: Doubles = (self.bias + dense @ self.dense[: dense.shape[1]]).astype(np.float64)
        few = np.flatnonzero(batch.distinct < len(self.small))
        owners = batch.owners[few]
        if owners.size:
            first = np.flatnonzero(np.diff(owners, prepend=-1))
            counts = np.diff(first, append=len(owners))
            sums = np.add.reduceat(self.small[batch.distinct[few]], first, axis=0)
            scores[owners[first]] += sums / np.sqrt(counts)[:, None]
        told = np.zeros((len(scores), len(self.rules)), dtype=np.float32)
        told[seen.hits.owners, seen.hits.numbers] = RULE_WEIGHT
        return scores + told @ self.rules


def _topics(shares: Doubles, ours: Doubles) -> Doubles:
    """Shares of topics; a text that is hardly an operator's customer's is more likely about something else."""
    known = _sigmoid(ours + _OURS_FIRST)
    shares = shares * known
    shares[:, CODES.index("other")] += 1 - known[:, 0]
    return shares


def votes(hits: Hits, count: int) -> Floats:
    """How the lexicon votes on each of `count` texts: `topics.votes`, a row each."""
    codes = np.array(topics.codes_of_rules())[hits.numbers]
    wide = len(CODES)
    sums = np.bincount(hits.owners * wide + codes, np.sqrt(hits.ends - hits.starts), count * wide).reshape(count, wide)
    shares = sums / np.maximum(sums.sum(axis=1, keepdims=True), 1)  # one hit weighs more than 1
    first = np.zeros_like(shares)
    begins = np.flatnonzero(np.diff(hits.owners, prepend=-1))
    first[hits.owners[begins], codes[begins]] = 1
    return np.concatenate((shares, first), axis=1).astype(np.float32)


def dense_inputs(logits: Doubles, riches: Ints, voted: Floats | None) -> Floats:
    """The plain numbers beside the words: polarity, its strength, the wealth, and the lexicon's votes on the topic.

    The wealth is the number of different characters: the length would make a repeated sentence another text.
    """
    bounded = np.clip(logits, -8.0, 8.0) * LOGIT_WEIGHT
    plain = np.stack((bounded, np.abs(bounded), np.minimum(2.0, np.log1p(riches) / 3)), axis=1).astype(np.float32)
    return plain if voted is None else np.concatenate((plain, voted), axis=1)


def sigmoid(logit: float) -> float:
    """1 / (1 + e^−logit), safe at both ends."""
    if logit >= 0:
        return 1 / (1 + math.exp(-min(logit, 60.0)))
    grown = math.exp(max(logit, -60.0))
    return grown / (1 + grown)


def _sigmoid(logits: Doubles) -> Doubles:
    values: Doubles = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
    return values


def softmax(scores: Doubles) -> Doubles:
    """Each row as probabilities."""
    grown: Doubles = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Doubles = grown / grown.sum(axis=1, keepdims=True)
    return shares


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
        "topic_sureness": np.array([model.topic_calibration.scale, model.topic_calibration.shift], dtype=np.float64),
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
        sureness = arrays["topic_sureness"].tolist() if "topic_sureness" in arrays else ()  # not in files of old
        small_bias, dense, pairing = arrays["small_bias"], arrays["dense"], arrays["pairing"]
    if card["heads"] != list(HEADS) or len(unpacked["rules"]) != len(topics.rules()):
        raise ValueError(f"{path.name} was trained for another tree of topics; train it again")
    return Model(
        version=card["version"],
        numbers={gram: number for number, gram in enumerate(ordered, start=1)},
        polarity=unpacked["polarity"],
        bias=bias,
        calibration=Calibration(scale, shift),
        topic_calibration=Calibration(*sureness),
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


def reset() -> None:
    """Read with the shipped model again."""
    _desk.in_use = None
