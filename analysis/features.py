"""What a model sees of a text: characters, character pairs, long words and word pairs."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import add

import numpy as np
import numpy.typing as npt

from analysis.keys import Keys, pair_key, pair_keys
from analysis.sheet import Cut, Ints, Sheet

Floats = npt.NDArray[np.float32]
#: A word of one or two characters is a character n-gram already.
LONG_WORD = 3
#: How many words count as a text's beginning and its end.
_OPENING, _ENDING = 3, 6
_OPENS, _ENDS = "^^", "$$"
#: A longer feature is too rare to be worth its place.
_LONGEST = 24
#: What no feature holds: ends of lines, since a vocabulary file has one feature a line, and characters beyond the
#: basic plane (what matters there are emoji, and those became words).
_UNFIT = re.compile("[\n\r\x85\u2028\u2029\U00010000-\U0010ffff]")


def grams(text: str, words: Sequence[str]) -> set[str]:
    """The distinct features of a clean text and its words. Repeating a sentence adds (almost) none."""
    found = {word for word in words if len(word) >= LONG_WORD}
    found.update(f"{first} {second}" for first, second in zip(words, words[1:], strict=False))
    found.update(_edges(words))
    found = {gram for gram in found if len(gram) <= _LONGEST}
    found.update(text)
    found.update(map(add, text, text[1:]))
    return {gram for gram in found if not _UNFIT.search(gram)} if _UNFIT.search(text) else found


def _edges(words: Sequence[str]) -> list[str]:
    """How a text begins (请问…, 建议…, 用户来电…) and how it ends (…谢谢, …点赞), where people say what they want."""
    return [_OPENS + word for word in words[:_OPENING]] + [_ENDS + word for word in words[-_ENDING:]]


#: Pulls are kept in this fraction of a logit.
FINE = 1e6
#: Owner and feature share one integer while they are sorted together: 24 bits for the feature.
_SHIFT = 24


@dataclass(frozen=True, slots=True)
class Spans:
    """Known features made of words, each with its span in the joined texts and the text it stands in."""

    numbers: Ints
    starts: Ints
    ends: Ints
    owners: Ints


@dataclass(frozen=True, slots=True)
class Batch:
    """The features of several texts, joined: every occurrence, and the distinct ones of each text.

    `singles[i]` stands at character i of the sheet, `pairs[i]` at characters i and i + 1; 0 is no known feature.
    `distinct` is sorted by owner, then by number; `counts` says how many each owner has.
    """

    singles: Ints
    pairs: Ints
    spans: Spans
    owners: Ints
    distinct: Ints
    counts: Ints


class _Words:
    """The features made of words: long words, pairs, openings and endings."""

    def __init__(self, grams: Mapping[str, int]) -> None:
        self.ids: dict[str, int] = {}
        parts = [(*_parts(gram), number) for gram, number in grams.items()]
        for _, first, second, _ in parts:
            for word in (first, second):
                self.ids.setdefault(word, len(self.ids) + 1)
        self.pairs = Keys((self._key(a, b), number) for kind, a, b, number in parts if kind == "pair")
        self.whole = np.zeros((3, len(self.ids) + 1), dtype=np.int64)
        for kind, word, _, number in parts:
            if kind != "pair":
                self.whole[_WHOLE.index(kind), self.ids[word]] = number

    def _key(self, first: str, second: str) -> int:
        return self.ids[first] << _SHIFT | self.ids[second]

    def find(self, sheet: Sheet, cut: Cut) -> Spans:
        """Every feature of the words of a sheet."""
        get = self.ids.get
        ids = np.array([get(word, 0) for word in cut.words], dtype=np.int64)
        owners, starts, ends = cut.owners, cut.starts, cut.ends
        place = np.arange(len(ids)) - cut.begins[owners]
        left = cut.stops[owners] - np.arange(len(ids))
        whole = sheet.begins[owners], sheet.ends[owners]
        single, opening, ending = self.whole
        rows = (
            (single[ids], starts, ends, owners),
            (self.pairs[ids[:-1] << _SHIFT | ids[1:]], starts[:-1], ends[1:], owners[:-1]),
            (opening[ids] * ((place >= 0) & (place < _OPENING)), *whole, owners),
            (ending[ids] * ((left > 0) & (left <= _ENDING)), *whole, owners),
        )
        known = [np.flatnonzero(row[0]) for row in rows]
        return Spans(
            *(np.concatenate([row[at][mine] for row, mine in zip(rows, known, strict=True)]) for at in range(4))
        )


#: The kinds of features that are one word, in the order of their rows.
_WHOLE = ("word", "opening", "ending")


def _parts(gram: str) -> tuple[str, str, str]:
    """What kind of word feature a gram is, and its word or two words."""
    if gram.startswith(_OPENS):
        return "opening", gram[len(_OPENS) :], ""
    if gram.startswith(_ENDS):
        return "ending", gram[len(_ENDS) :], ""
    if gram.startswith(" "):
        return "pair", " ", gram[2:]
    first, blank, second = gram.partition(" ")
    return ("pair", first, second) if blank else ("word", first, "")


class Index:
    """Feature numbers (from 1; 0 is unknown) of a vocabulary, found for many texts with a few array operations."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self._single = np.zeros(sys.maxunicode + 1, dtype=np.int32)
        for gram, number in numbers.items():
            if len(gram) == 1:
                self._single[ord(gram)] = number
        self._pairs = Keys((pair_key(gram), n) for gram, n in numbers.items() if len(gram) == 2)
        self._words = _Words({gram: number for gram, number in numbers.items() if len(gram) > 2})

    def find(self, sheet: Sheet, cut: Cut) -> Batch:
        """Every known feature of a sheet of clean texts and of their words."""
        singles = self._single[sheet.codes].astype(np.int64)
        pairs = self._pairs[pair_keys(sheet.codes)]
        spans = self._words.find(sheet, cut)
        numbers = np.concatenate((singles, pairs, spans.numbers))
        known = np.flatnonzero(numbers)
        owners = np.concatenate((sheet.owners, sheet.owners[:-1], spans.owners))[known]
        together = np.sort(owners << _SHIFT | numbers[known])
        together = together[np.diff(together, prepend=-1) > 0]  # np.unique, at a third of its time
        owners = together >> _SHIFT
        counts = np.bincount(owners, minlength=len(sheet.begins))
        return Batch(singles, pairs, spans, owners, together & ((1 << _SHIFT) - 1), counts)


def pulls(batch: Batch, weights: Floats) -> Ints:
    """How far the characters before each place of the sheet move the polarity, in `FINE` parts of a logit.

    Each occurrence's weight is shared evenly among the characters it covers; whole numbers, so that a span has the
    same sum wherever its text stands.
    """
    share = weights[batch.singles].astype(np.float64)
    halves = weights[batch.pairs] / 2
    share[:-1] += halves
    share[1:] += halves
    spans = batch.spans
    each = weights[spans.numbers] / (spans.ends - spans.starts)
    steps = np.bincount(spans.starts, each, len(share) + 1) - np.bincount(spans.ends, each, len(share) + 1)
    share += np.cumsum(steps)[: len(share)]
    before: Ints = np.concatenate((np.zeros(1), np.cumsum(np.rint(share * FINE)))).astype(np.int64)
    return before
