"""A model out of labelled texts; the only part of analysis that needs scikit-learn."""

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis import features, labelled, normalise, segment, terms, topics
from analysis import model as models
from analysis.features import Floats
from analysis.labelled import Labelled
from analysis.matcher import Hit
from analysis.reading import INTENTS, LABELS

Ints = npt.NDArray[np.int64]
#: A polarity feature must stand in this many texts, and this many of the heaviest are kept (2 MB file).
LEAST_TEXTS, MOST_FEATURES = 3, 110_000
#: A small head's feature must stand in this many voices.
LEAST_VOICES = 2
#: A telecom voice counts as much as this many scraped texts: it is what the product will read.
VOICE_WEIGHT = 6.0
POLARITY_C, SMALL_C = 3.0, 15.0
FOLDS = 5
#: Texts that are no operator's voices, to tell those apart by.
OTHERS = 4000


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
    return csr_matrix((values, np.array(columns, dtype=np.int32), np.array(ends)), shape=(len(seen), len(numbers)))


def _vocabulary(seen: Sequence[Seen], least: int) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for one in seen:
        counts.update(one.grams)
    return {gram: number for number, gram in enumerate(sorted(g for g, n in counts.items() if n >= least))}


def _log_odds(x: Any, good: npt.NDArray[np.bool_], weights: npt.NDArray[np.float32]) -> Floats:
    """Naive-Bayes log-odds of each feature. Source: Wang and Manning 2012 (NB-weighted linear models)."""
    present = (x > 0).astype(np.float32)
    on = np.asarray(present.T @ (weights * good)).ravel() + 1
    off = np.asarray(present.T @ (weights * ~good)).ravel() + 1
    odds: Floats = (np.log(on / on.sum()) - np.log(off / off.sum())).astype(np.float32)
    return odds


def _fitted(x: Any, y: Any, c: float, weights: Any = None) -> Any:
    """A converged logistic regression. Raises RuntimeError when the solver gave up."""
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 -- training only
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 -- training only

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            return LogisticRegression(C=c, tol=1e-4, max_iter=1000).fit(x, y, sample_weight=weights)
        except ConvergenceWarning as stopped:
            raise RuntimeError(f"the regression did not converge: {stopped}") from stopped


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


def polarity(seen: Sequence[Seen], weights: npt.NDArray[np.float32], *, most: int = MOST_FEATURES) -> Polarity:
    """Fit, keep the heaviest features, and fit again on those."""
    numbers = _vocabulary(seen, LEAST_TEXTS)
    good = np.array([one.row.sentiment == 1 for one in seen])
    fitted: Polarity | None = None
    for _ in range(2):
        x = _counts(seen, numbers)
        odds = _log_odds(x, good, weights)
        head = _fitted(x.multiply(odds).tocsr(), good, POLARITY_C, weights)
        fitted = Polarity(numbers, (head.coef_[0] * odds).astype(np.float32), float(head.intercept_[0]))
        if len(numbers) <= most:
            break
        frequency = np.asarray((x > 0).sum(axis=0)).ravel()
        worth = np.abs(fitted.weights) * np.sqrt(frequency)
        kept = set(np.argsort(-worth)[:most].tolist())
        names = [gram for gram, number in numbers.items() if number in kept]
        numbers = {gram: number for number, gram in enumerate(names)}
    assert fitted is not None
    return fitted


def platt(logits: Floats, good: npt.NDArray[np.bool_], weights: Any = None) -> models.Calibration:
    """The sigmoid that turns held-out logits into probabilities."""
    head = _fitted(logits.reshape(-1, 1), good, 1e6, weights)
    return models.Calibration(float(head.coef_[0][0]), float(head.intercept_[0]))


@dataclass(frozen=True)
class Small:
    """The small heads: topics, intents and labels over features, lexicon hits and dense inputs."""

    numbers: dict[str, int]
    features: Floats
    rules: Floats
    dense: Floats
    bias: Floats
    pairing: Floats


#: Dense inputs before the lexicon's votes, which only the topic head may see.
_PLAIN_DENSE = 3


def _small_matrix(seen: Sequence[Seen], numbers: Mapping[str, int], logits: Floats) -> Any:
    from scipy.sparse import csr_matrix, hstack  # noqa: PLC0415 -- training only

    hits = np.zeros((len(seen), len(topics.rules())), dtype=np.float32)
    for number, one in enumerate(seen):
        hits[number, list({rule for _, _, rule in one.hits})] = models.RULE_WEIGHT
    dense = np.array(
        [models.dense_inputs(one.text, float(logit), one.hits) for one, logit in zip(seen, logits, strict=True)],
        dtype=np.float32,
    )
    return hstack([_counts(seen, numbers), csr_matrix(hits), csr_matrix(dense)]).tocsr()


def small(seen: Sequence[Seen], logits: Floats, others: Sequence[Seen], other_logits: Floats) -> Small:
    """Fit the small heads on labelled voices and their held-out polarity logits; `others` are no operator's voices."""
    numbers = _vocabulary(seen, LEAST_VOICES)
    x = _small_matrix(seen, numbers, logits)
    plain = x.shape[1] - len(models.dense_inputs("", 0.0, ())) + _PLAIN_DENSE
    blocks = [
        _head(x, [one.row.topic for one in seen], models.CODES, x.shape[1]),
        _head(x, [one.row.intent for one in seen], INTENTS, plain),
        _head(x, [LABELS[(one.row.sentiment or 0) + 1] for one in seen], LABELS, plain),
        _telecom(x, _small_matrix(others, numbers, other_logits), plain),
    ]
    table = np.concatenate([weights for weights, _ in blocks], axis=1)
    ends = (len(numbers), len(numbers) + len(topics.rules()))
    bias = np.concatenate([each for _, each in blocks])
    return Small(numbers, table[: ends[0]], table[ends[0] : ends[1]], table[ends[1] :], bias, _pairing(seen))


def _head(x: Any, values: Sequence[str], names: Sequence[str], wide: int) -> tuple[Floats, Floats]:
    """One multinomial head over the first `wide` inputs; names never seen get a column that never wins."""
    known = np.array([value in names for value in values])
    head = _fitted(x[known][:, :wide], np.array(values)[known], SMALL_C)
    weights = np.zeros((x.shape[1], len(names)), dtype=np.float32)
    bias = np.full(len(names), -20, dtype=np.float32)
    for row, name in enumerate(head.classes_):
        weights[:wide, names.index(name)] = head.coef_[row]
        bias[names.index(name)] = head.intercept_[row]
    return weights, bias


def _telecom(x: Any, others: Any, wide: int) -> tuple[Floats, Floats]:
    """The head that tells an operator's voices from other texts; always sure where there are no others."""
    weights = np.zeros((x.shape[1], 1), dtype=np.float32)
    if not others.shape[0]:
        return weights, np.array([20], dtype=np.float32)
    from scipy.sparse import vstack  # noqa: PLC0415 -- training only

    ours = np.arange(x.shape[0] + others.shape[0]) < x.shape[0]
    head = _fitted(vstack([x, others]).tocsr()[:, :wide], ours, SMALL_C)
    weights[:wide, 0] = head.coef_[0]
    return weights, head.intercept_.astype(np.float32)


def _pairing(seen: Sequence[Seen]) -> Floats:
    """Log-affinity of label and intent, smoothed: how much likelier together than apart."""
    table = np.full((len(LABELS), len(INTENTS)), 0.5)
    for one in seen:
        if one.row.intent in INTENTS and one.row.sentiment is not None:
            table[one.row.sentiment + 1, INTENTS.index(one.row.intent)] += 1
    table /= table.sum()
    affinity: Floats = np.log(table / table.sum(axis=1, keepdims=True) / table.sum(axis=0)).astype(np.float32)
    return affinity


def folds(count: int, seed: int, among: int = FOLDS) -> Ints:
    """A fold for each of `count` rows, even and shuffled."""
    numbers = np.arange(count) % among
    np.random.default_rng(seed).shuffle(numbers)
    return numbers


def _sample(places: Sequence[int], most: int, seed: int) -> list[int]:
    """At most so many of the places, drawn without favour."""
    if len(places) <= most:
        return list(places)
    drawn: list[int] = np.random.default_rng(seed).choice(places, most, replace=False).tolist()
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
    everyone = [see(row) for row in (*data.texts, *data.voices)]
    say(f"{len(everyone)} texts")
    polar = [one for one in everyone if one.row.sentiment or one.row.topic]
    logits = held_out_logits(polar, seed)
    firm = np.array([bool(one.row.sentiment) for one in polar])
    good = np.array([one.row.sentiment == 1 for one in polar])
    sharp = weights_of(polar)
    calibration = platt(logits[firm], good[firm], sharp[firm])
    say(f"held-out accuracy {np.mean((logits[firm] > 0) == good[firm]):.4f}")
    teach = [one for one in polar if one.row.sentiment]
    head = polarity(teach, weights_of(teach))
    spoken = np.array([bool(one.row.topic) for one in polar])
    voices = [one for one in polar if one.row.topic]
    calibrated = calibration.scale * logits + calibration.shift
    others = _sample([i for i, is_voice in enumerate(spoken) if not is_voice], OTHERS, seed)
    heads = small(voices, calibrated[spoken], [polar[i] for i in others], calibrated[others])
    return _assembled(head, calibration, heads, {"seed": seed, "date": on.isoformat(), "data": data.hashes})


def _assembled(head: Polarity, calibration: models.Calibration, heads: Small, card: Mapping[str, Any]) -> models.Model:
    """One numbering for all features: those of the small heads first."""
    rest = [gram for gram in head.numbers if gram not in heads.numbers]
    ordered = [*heads.numbers, *rest]
    numbers = {gram: number for number, gram in enumerate(ordered, start=1)}
    weights = np.zeros(len(ordered) + 1, dtype=np.float32)
    for gram, number in head.numbers.items():
        weights[numbers[gram]] = head.weights[number]
    zero = np.zeros((1, heads.features.shape[1]), dtype=np.float32)
    version = f"linear-{card['date']}-{len(ordered)}"
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
    """Train from a data folder into `out_folder/<version>.npz` and its card, which is returned."""
    built = build(labelled.folder(data_folder), seed=seed, on=on)
    out_folder.mkdir(parents=True, exist_ok=True)
    models.save(built, out_folder / f"{built.version}.npz")
    return dict(built.card)
