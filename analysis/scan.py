"""The terms of a lexicon in a sheet of texts, found with array operations: what `terms.find` says, of many texts."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from analysis import aspects, topics
from analysis.keys import Keys, pair_key, pair_keys
from analysis.sheet import Ints, Sheet

#: What every term has been compared by once its first two characters, its head, are found.
_HEAD = 2


@dataclass(frozen=True, slots=True)
class Hits:
    """Terms in a sheet, by place: each one's span, its payload, and the text it stands in."""

    starts: Ints
    ends: Ints
    numbers: Ints
    owners: Ints


class Scan:
    """Finds the terms of one lexicon; each carries a number. A term inside a longer one does not count."""

    def __init__(self, terms: Iterable[tuple[str, int]]) -> None:
        heads: dict[str, list[tuple[str, int]]] = {}
        for term, number in terms:
            heads.setdefault(term[:_HEAD], []).append((term, number))
        ordered = [one for of in heads.values() for one in sorted(of, key=lambda one: -len(one[0]))]
        self._heads = Keys((pair_key(head), place) for place, head in enumerate(heads, start=1))
        self._sizes = np.array([0, *map(len, heads.values())], dtype=np.int64)
        self._firsts = np.cumsum(self._sizes) - self._sizes
        self._lengths = np.array([len(term) for term, _ in ordered], dtype=np.int64)
        self._numbers = np.array([number for _, number in ordered], dtype=np.int64)
        self._codes = np.zeros((len(ordered), int(self._lengths.max())), dtype=np.int32)
        for row, (term, _) in zip(self._codes, ordered, strict=True):
            row[: len(term)] = [ord(character) for character in term]

    def find(self, sheet: Sheet) -> Hits:
        """Every term of the texts that lies in no longer one."""
        heads = self._heads[pair_keys(sheet.codes)]
        places = np.flatnonzero(heads)
        sizes = self._sizes[heads[places]]
        starts = np.repeat(places, sizes)
        terms = np.repeat(self._firsts[heads[places]] - np.cumsum(sizes) + sizes, sizes) + np.arange(len(starts))
        met = self._lengths[terms] == _HEAD
        open_ones = np.flatnonzero(~met)
        for step in range(_HEAD, self._codes.shape[1]):
            at = np.minimum(starts[open_ones] + step, len(sheet.codes) - 1)  # the last is a mark, in no term
            open_ones = open_ones[sheet.codes[at] == self._codes[terms[open_ones], step]]
            done = self._lengths[terms[open_ones]] == step + 1
            met[open_ones[done]] = True
            open_ones = open_ones[~done]
        starts, terms = starts[met], terms[met]
        ends = starts + self._lengths[terms]
        kept = _longest(starts, ends)
        return Hits(starts[kept], ends[kept], self._numbers[terms[kept]], sheet.owners[starts[kept]])


def _longest(starts: Ints, ends: Ints) -> Ints:
    """Which of the spans, ordered by start and longer ones first, lie in no longer one; equal spans all count."""
    if not len(starts):
        return starts
    reach = np.concatenate((np.full(1, -1), np.maximum.accumulate(ends)[:-1]))
    again = np.concatenate((np.zeros(1, dtype=np.bool_), (np.diff(starts) == 0) & (np.diff(ends) == 0)))
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(starts))))  # the first of equal spans
    kept: Ints = np.flatnonzero((ends > reach)[first])
    return kept


@cache
def topic_terms() -> Scan:
    """The topic lexicon; numbers are rules."""
    return Scan(topics.terms())


@cache
def aspect_names() -> tuple[str, ...]:
    """Every aspect, in the order of the lexicon."""
    return tuple(dict.fromkeys(name for _, name in aspects.terms()))


@cache
def aspect_terms() -> Scan:
    """The aspect lexicon; numbers are places among `aspect_names`."""
    places = {name: place for place, name in enumerate(aspect_names())}
    return Scan((term, places[name]) for term, name in aspects.terms())


@lru_cache(maxsize=2)
def own_terms(own: tuple[topics.Own, ...]) -> Scan:
    """The operator's own terms; numbers are places among them."""
    return Scan((one.term, place) for place, one in enumerate(own))
