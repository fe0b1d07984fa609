"""What a model sees of a text: characters, character pairs, long words and word pairs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
#: A word of one or two characters is a character n-gram already.
LONG_WORD = 3
#: How many words count as a text's beginning and its end.
_OPENING, _ENDING = 3, 6
_OPENS, _ENDS = "^^", "$$"
#: Characters beyond the basic plane are no features (what matters there are emoji, and those became words).
_PLANE = 0x10000
#: Odd multipliers that spread keys over the upper bits. Source: Knuth, Fibonacci hashing.
_MULTIPLIERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))
#: A key above every other, so that a search always lands on a row.
_NO_KEY = np.iinfo(np.int64).max


def grams(text: str, words: Sequence[str]) -> set[str]:
    """The distinct features of a clean text and its words. Repeating a sentence adds (almost) none."""
    found = set(text)
    found.update(map(add, text, text[1:]))
    found.update(word for word in words if len(word) >= LONG_WORD)
    found.update(f"{first} {second}" for first, second in zip(words, words[1:], strict=False))
    found.update(_edges(words))
    return {gram for gram in found if _is_storable(gram)}


def _edges(words: Sequence[str]) -> list[str]:
    """How a text begins (请问…, 建议…, 用户来电…) and how it ends (…谢谢, …点赞), where people say what they want."""
    return [_OPENS + word for word in words[:_OPENING]] + [_ENDS + word for word in words[-_ENDING:]]


def _is_storable(gram: str) -> bool:
    """Whether a feature may stand in a vocabulary file, one a line, and is short enough to be worth it."""
    return len(gram) <= 24 and not any(c in "\n\r\x85\u2028\u2029" or ord(c) >= _PLANE for c in gram)


#: Pulls are kept in this fraction of a logit.
_FINE = 1e6
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

    `singles[i]` stands at character i, `pairs[i]` at characters i and i + 1; 0 is no known feature. `distinct` is
    sorted by owner, then by number; `counts` says how many each owner has, `offsets` where each text begins.
    """

    singles: Ints
    pairs: Ints
    spans: Spans
    owners: Ints
    distinct: Ints
    counts: Ints
    offsets: list[int]


class _Keys:
    """Numbers by integer key, looked up many at a time; 0 where there is none.

    Two hash tables, the second for what collides in the first, and a short sorted list for the rest: a search in one
    sorted array takes three times as long, because it jumps about in memory.
    """

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(pairs)
        keys = np.array([key for key, _ in ordered], dtype=np.int64)
        numbers = np.array([number for _, number in ordered], dtype=np.int64)
        self._shift = np.uint64(64 - max(4, len(keys).bit_length() + 1))
        self._tables: list[tuple[Ints, Ints]] = []
        for multiplier in _MULTIPLIERS:
            table = np.full(1 << (64 - int(self._shift)), -1, dtype=np.int64)
            values = np.zeros_like(table)
            places = self._places(keys, multiplier)
            table[places], values[places] = keys, numbers  # of two keys in one place the later stays
            self._tables.append((table, values))
            left = table[places] != keys
            keys, numbers = keys[left], numbers[left]
        self._rest = np.append(keys, _NO_KEY), np.append(numbers, 0)

    def _places(self, keys: Ints, multiplier: np.uint64) -> Ints:
        places: Ints = ((keys.view(np.uint64) * multiplier) >> self._shift).view(np.int64)
        return places

    def __getitem__(self, keys: Ints) -> Ints:
        found = np.zeros_like(keys)
        for multiplier, (table, values) in zip(_MULTIPLIERS, self._tables, strict=True):
            places = self._places(keys, multiplier)
            found += values[places] * (table[places] == keys)
        known, numbers = self._rest
        if len(known) > 1:
            at = known.searchsorted(keys)
            found += numbers[at] * (known[at] == keys)
        return found


class _Words:
    """The features made of words: long words, pairs, openings and endings."""

    def __init__(self, grams: Mapping[str, int]) -> None:
        self.ids: dict[str, int] = {}
        parts = [(*_parts(gram), number) for gram, number in grams.items()]
        for _, first, second, _ in parts:
            for word in (first, second):
                self.ids.setdefault(word, len(self.ids) + 1)
        self.pairs = _Keys((self._key(a, b), number) for kind, a, b, number in parts if kind == "pair")
        self.single, self.opening, self.ending = (
            _Keys((self.ids[word], number) for kind, word, _, number in parts if kind == wanted)
            for wanted in ("word", "opening", "ending")
        )

    def _key(self, first: str, second: str) -> int:
        return self.ids[first] << _SHIFT | self.ids[second]

    def find(self, texts: Sequence[Sequence[str]], offsets: Ints, lengths: Ints) -> Spans:
        """Every feature of texts given as words, each text at its offset."""
        get = self.ids.get
        words = [word for text in texts for word in text]
        ids = np.array([get(word, 0) for word in words], dtype=np.int64)
        ends = np.cumsum(np.fromiter(map(len, words), dtype=np.int64, count=len(words)))
        starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1]))[: len(words)]
        sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        owners = np.repeat(np.arange(len(texts)), sizes)
        place = np.arange(len(words)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        left = np.repeat(sizes, sizes) - place
        pairs = self.pairs[ids[:-1] << _SHIFT | ids[1:]] * (left[:-1] > 1)
        whole = offsets[owners], (offsets + lengths)[owners]
        rows = (
            (self.single[ids], starts, ends, owners),
            (pairs, starts[:-1], ends[1:], owners[:-1]),
            (self.opening[ids] * (place < _OPENING), *whole, owners),
            (self.ending[ids] * (left <= _ENDING), *whole, owners),
        )
        known = [row[0] > 0 for row in rows]
        return Spans(
            *(np.concatenate([row[at][is_known] for row, is_known in zip(rows, known, strict=True)]) for at in range(4))
        )


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
        self._pairs = _Keys((ord(gram[0]) << 16 | ord(gram[1]), n) for gram, n in numbers.items() if len(gram) == 2)
        self._words = _Words({gram: number for gram, number in numbers.items() if len(gram) > 2})

    def find(self, texts: Sequence[str], words: Sequence[Sequence[str]]) -> Batch:
        """Every known feature of clean texts and their words."""
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        ends = np.cumsum(lengths)
        codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.int32).astype(np.int64)
        singles = self._single[codes].astype(np.int64)
        pairs = self._pairs[codes[:-1] << 16 | codes[1:]]
        pairs[ends[:-1][(ends[:-1] > 0) & (ends[:-1] < len(codes))] - 1] = 0  # a pair over two texts is none
        spans = self._words.find(words, ends - lengths, lengths)
        owner = np.repeat(np.arange(len(texts)), lengths)
        numbers = np.concatenate((singles, pairs, spans.numbers))
        known = numbers > 0
        owners = np.concatenate((owner, owner[: len(pairs)], spans.owners))[known]
        together = np.sort(owners << _SHIFT | numbers[known])
        together = together[np.diff(together, prepend=-1) > 0]  # np.unique, at a third of its time
        owners = together >> _SHIFT
        counts = np.bincount(owners, minlength=len(texts))
        return Batch(singles, pairs, spans, owners, together & ((1 << _SHIFT) - 1), counts, (ends - lengths).tolist())


@dataclass(frozen=True, slots=True)
class Pull:
    """How far each character of one text moves the polarity; sums lie from `offset` on in a row of many texts."""

    before: list[float]
    offset: int

    def over(self, start: int, end: int) -> float:
        """The pull of a span: positive is good."""
        return (self.before[self.offset + end] - self.before[self.offset + start]) / _FINE


def pulls(batch: Batch, weights: Floats) -> list[Pull]:
    """For each text of a batch: each occurrence's weight shared evenly among the characters it covers."""
    share = weights[batch.singles].astype(np.float64)
    halves = weights[batch.pairs] / 2
    share[:-1] += halves
    share[1:] += halves
    spans = batch.spans
    each = weights[spans.numbers] / (spans.ends - spans.starts)
    steps = np.bincount(spans.starts, each, len(share) + 1) - np.bincount(spans.ends, each, len(share) + 1)
    share += np.cumsum(steps)[: len(share)]
    before = [0.0, *np.cumsum(np.rint(share * _FINE)).tolist()]  # whole numbers: the same sums wherever a text stands
    return [Pull(before, offset) for offset in batch.offsets]
