"""The small heads of the model, fitted on voices: topics, intents, labels, and whose customer speaks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis import features, normalise, segment, terms, topics
from analysis import model as models
from analysis.features import Floats
from analysis.labelled import Labelled
from analysis.matcher import Hit
from analysis.reading import INTENTS, LABELS
from analysis.solver import fitted

#: A small head's feature must stand in this many voices.
LEAST_VOICES = 2
Places = npt.NDArray[np.intp]
SMALL_C = 10.0
#: Topics hang on single words, so their head may follow its voices more closely.
TOPIC_C = 30.0
#: A label corrected by staff counts as much as this many others.
CORRECTION_WEIGHT = 3.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A text as the trainer sees it."""

    row: Labelled
    grams: frozenset[str]
    hits: tuple[Hit[int], ...]
    text: str


def see(row: Labelled) -> Seen:
    """The features of a labelled text, exactly as inference makes them."""
    text = normalise.clean(row.text).text
    return Seen(row, frozenset(features.grams(text, segment.cut(text))), tuple(terms.find(text).topics), text)


def _counts(seen: Sequence[Seen], numbers: Mapping[str, int]) -> Any:
    """Rows of 1 / √(known features) at each known feature of each text."""
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # noqa: PLC0415 -- training only

    columns: list[int] = []
    ends = [0]
    for one in seen:
        columns += [number for gram in one.grams if (number := numbers.get(gram)) is not None]
        ends.append(len(columns))
    sizes = np.diff(ends)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes).astype(np.float32)
    counts = csr_matrix((values, np.array(columns, dtype=np.int32), np.array(ends)), shape=(len(seen), len(numbers)))
    counts.sort_indices()  # sets have another order in every process, and sums with it other last digits
    return counts


def _vocabulary(seen: Sequence[Seen], least: int) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for one in seen:
        counts.update(one.grams)
    return {gram: number for number, gram in enumerate(sorted(g for g, n in counts.items() if n >= least))}


@dataclass(frozen=True)
class Polarity:
    """A polarity head: one weight a feature, and a bias."""

    numbers: dict[str, int]
    weights: Floats
    bias: float

    def logits(self, seen: Sequence[Seen]) -> Floats:
        """Raw logits of texts."""
        raw = np.asarray(_counts(seen, self.numbers) @ self.weights).ravel() + self.bias
        return raw.astype(np.float32)


@dataclass(frozen=True)
class Small:
    """The small heads: topics, intents and labels over features, lexicon hits and dense inputs."""

    numbers: dict[str, int]
    features: Floats
    rules: Floats
    dense: Floats
    bias: Floats
    pairing: Floats


#: Dense inputs before the lexicon's votes: the topic head sees the votes only, the others these only.
_PLAIN_DENSE = 3


def matrix(seen: Sequence[Seen], numbers: Mapping[str, int], logits: Floats) -> Any:
    """What the small heads see, a row a text: known features, lexicon hits, dense inputs."""
    from scipy.sparse import csr_matrix, hstack  # noqa: PLC0415 -- training only

    hits = np.zeros((len(seen), len(topics.rules())), dtype=np.float32)
    for number, one in enumerate(seen):
        hits[number, list({rule for _, _, rule in one.hits})] = models.RULE_WEIGHT
    votes = np.array([topics.votes(one.hits) for one in seen], dtype=np.float32).reshape(len(seen), -1)
    riches = np.array([len(set(one.text)) for one in seen])
    dense = models.dense_inputs(logits.astype(np.float64), riches, votes)
    return hstack([_counts(seen, numbers), csr_matrix(hits), csr_matrix(dense)]).tocsr()


@dataclass(frozen=True)
class Strangers:
    """What tells an operator's voices from other texts: some of those with their logits, or a model that knows."""

    seen: Sequence[Seen] = ()
    logits: Floats = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    base: models.Model | None = None


def small(seen: Sequence[Seen], logits: Floats, strangers: Strangers) -> Small:
    """Fit the small heads on labelled voices and their held-out polarity logits."""
    numbers = _vocabulary(seen, LEAST_VOICES)
    x = matrix(seen, numbers, logits)
    before = len(numbers) + len(topics.rules())
    plain = np.arange(before + _PLAIN_DENSE)
    voted = np.delete(np.arange(x.shape[1]), np.s_[before : before + _PLAIN_DENSE])
    weights = np.array([CORRECTION_WEIGHT if one.row.source.startswith("corrections") else 1.0 for one in seen])
    blocks = [
        _head(x, [one.row.topic for one in seen], models.CODES, weights, voted, softness=TOPIC_C),
        _head(x, [one.row.intent for one in seen], INTENTS, weights, plain),
        _head(x, [LABELS[(one.row.sentiment or 0) + 1] for one in seen], LABELS, weights, plain),
        _telecom(x, numbers, strangers, plain),
    ]
    table = np.concatenate([columns for columns, _ in blocks], axis=1)
    ends = (len(numbers), before)
    bias = np.concatenate([each for _, each in blocks])
    return Small(numbers, table[: ends[0]], table[ends[0] : ends[1]], table[ends[1] :], bias, _pairing(seen))


def _head(
    x: Any,
    values: Sequence[str],
    names: Sequence[str],
    sharp: npt.NDArray[np.float64],
    inputs: Places,
    *,
    softness: float = SMALL_C,
) -> tuple[Floats, Floats]:
    """One multinomial head over some of the inputs; names never seen get a column that never wins."""
    known = np.array([value in names for value in values])
    head = fitted(x[known][:, inputs], np.array(values)[known], softness, sharp[known])
    weights = np.zeros((x.shape[1], len(names)), dtype=np.float32)
    bias = np.full(len(names), -20, dtype=np.float32)
    for row, name in enumerate(head.classes_):
        weights[inputs, names.index(name)] = head.coef_[row]
        bias[names.index(name)] = head.intercept_[row]
    return weights, bias


def _telecom(x: Any, numbers: Mapping[str, int], strangers: Strangers, inputs: Places) -> tuple[Floats, Floats]:
    """The head that tells an operator's voices from other texts; always sure where nothing is known of others."""
    weights = np.zeros((x.shape[1], 1), dtype=np.float32)
    if strangers.base is not None:
        return _inherited(strangers.base, numbers), strangers.base.small_bias[-1:]
    if not strangers.seen:
        return weights, np.array([20], dtype=np.float32)
    from scipy.sparse import vstack  # noqa: PLC0415 -- training only

    together = vstack([x, matrix(strangers.seen, numbers, strangers.logits)]).tocsr()
    head = fitted(together[:, inputs], np.arange(together.shape[0]) < x.shape[0], SMALL_C)
    weights[inputs, 0] = head.coef_[0]
    return weights, head.intercept_.astype(np.float32)


def _inherited(base: models.Model, numbers: Mapping[str, int]) -> Floats:
    """Another model's last column, for this numbering of features."""
    last = base.small[:, -1]
    column = [last[number] if 0 < (number := base.numbers.get(gram, 0)) < len(last) else 0.0 for gram in numbers]
    return np.concatenate([np.array(column, dtype=np.float32), base.rules[:, -1], base.dense[:, -1]])[:, None]


def _pairing(seen: Sequence[Seen]) -> Floats:
    """Log-affinity of label and intent, smoothed: how much likelier together than apart."""
    table = np.full((len(LABELS), len(INTENTS)), 0.5)
    for one in seen:
        if one.row.intent in INTENTS and one.row.sentiment is not None:
            table[one.row.sentiment + 1, INTENTS.index(one.row.intent)] += 1
    table /= table.sum()
    affinity: Floats = np.log(table / table.sum(axis=1, keepdims=True) / table.sum(axis=0)).astype(np.float32)
    return affinity
