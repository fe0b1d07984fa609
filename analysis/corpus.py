"""Many polar texts as one sparse matrix, made once and shared by every fold; and the polarity head fitted on it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis import features, ordinary, sheet
from analysis.features import Floats
from analysis.labelled import Labelled
from analysis.solver import fitted

#: A polarity feature must stand in this many texts, and this many of the heaviest are kept (2 MB file).
LEAST_TEXTS, MOST_FEATURES = 3, 110_000
POLARITY_C = 3.0
_AT_ONCE = 1000
Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Corpus:
    """Texts with what stands in each: `present[i, j]` is 1 where text i has `grams[j]`, which are sorted."""

    rows: Sequence[Labelled]
    grams: Sequence[str]
    present: Any


@dataclass(frozen=True)
class Pull:
    """A polarity head over some columns of a corpus."""

    columns: Places
    weights: Floats
    bias: float

    def logits(self, present: Any) -> Floats:
        """Raw logits of rows of the corpus."""
        known = present[:, self.columns]
        size = np.sqrt(np.maximum(np.diff(known.indptr), 1))
        raw: Floats = ((known @ self.weights) / size + self.bias).astype(np.float32)
        return raw


def corpus(rows: Sequence[Labelled]) -> Corpus:
    """The texts seen exactly as inference sees them; the same rows give the same matrix in every process."""
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # noqa: PLC0415 -- training only

    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    each = (features.grams(text, words) for text, words in words_of([row.text for row in rows]))
    found = [np.fromiter(map(numbers.__getitem__, grams), np.int32, len(grams)) for grams in each]
    sizes = np.array([len(one) for one in found])
    every = np.concatenate(found)
    common = np.bincount(every, minlength=len(numbers)) >= LEAST_TEXTS
    grams = sorted((gram for gram, number in numbers.items() if common[number]))
    place = np.full(len(numbers), -1, dtype=np.int32)  # sets have no order of their own: sort, or sums would differ
    place[[numbers[gram] for gram in grams]] = np.arange(len(grams), dtype=np.int32)
    columns = place[every]
    kept = columns >= 0
    ends = np.concatenate(([0], np.cumsum(kept)[np.cumsum(sizes) - 1]))
    ones = np.ones(int(ends[-1]), dtype=np.float32)
    present = csr_matrix((ones, columns[kept], ends), shape=(len(rows), len(grams)))
    present.sort_indices()
    return Corpus(rows, grams, present)


def words_of(texts: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each text as it is read, and its words: many are cleaned and cut at once, which is three times as fast."""
    for start in range(0, len(texts), _AT_ONCE):
        cleans = ordinary.clean(texts[start : start + _AT_ONCE])
        cut = sheet.cut(sheet.laid([clean.text for clean in cleans]))
        for clean, begin, stop in zip(cleans, cut.begins.tolist(), cut.stops.tolist(), strict=True):
            yield clean.text, cut.words[begin:stop]


def pull(present: Any, good: Flags, weights: Floats, *, most: int = MOST_FEATURES) -> Pull:
    """Fit on every feature common enough, keep the heaviest, and fit again on those, starting from where they were."""
    frequency = np.bincount(present.indices, minlength=present.shape[1])
    columns = np.flatnonzero(frequency >= LEAST_TEXTS)
    found = _fit(present, columns, good, weights)
    if len(columns) <= most:
        return found
    worth = np.abs(found.weights) * np.sqrt(frequency[columns])
    heaviest = np.sort(np.argsort(-worth, kind="stable")[:most])
    start = Pull(columns[heaviest], found.weights[heaviest], found.bias)
    return _fit(present, start.columns, good, weights, start)


def _fit(present: Any, columns: Places, good: Flags, weights: Floats, start: Pull | None = None) -> Pull:
    """Naive-Bayes weighted logistic regression, each text of length 1. Source: Wang and Manning 2012."""
    x = present[:, columns]
    odds = _log_odds(x, good, weights)
    sizes = np.diff(x.indptr)
    x.data = odds[x.indices] * np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes).astype(np.float32)
    first = None if start is None else ((start.weights / np.where(odds == 0, 1, odds)).astype(np.float32), start.bias)
    head = fitted(x, good, POLARITY_C, weights, first)
    return Pull(columns, (head.coef_[0] * odds).astype(np.float32), float(head.intercept_[0]))


def _log_odds(x: Any, good: Flags, weights: Floats) -> Floats:
    """How much likelier each feature stands in a good text than in a bad one, as a logarithm."""
    on = np.asarray(x.T @ (weights * good)).ravel() + 1
    off = np.asarray(x.T @ (weights * ~good)).ravel() + 1
    odds: Floats = (np.log(on / on.sum()) - np.log(off / off.sum())).astype(np.float32)
    return odds
