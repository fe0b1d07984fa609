"""What a model sees of a text: characters, character pairs, long words and word pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import add

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
#: A word of one or two characters is a character n-gram already.
LONG_WORD = 3
#: Characters beyond the basic plane are no features (what matters there are emoji, and those became words).
_PLANE = 0x10000


def grams(text: str, words: Sequence[str]) -> set[str]:
    """The distinct features of a clean text and its words. Repeating a sentence adds (almost) none."""
    found = set(text)
    found.update(map(add, text, text[1:]))
    found.update(word for word in words if len(word) >= LONG_WORD)
    found.update(f"{first} {second}" for first, second in zip(words, words[1:], strict=False))
    return {gram for gram in found if _is_storable(gram)}


def _is_storable(gram: str) -> bool:
    """Whether a feature may stand in a vocabulary file, one a line, and is short enough to be worth it."""
    return len(gram) <= 24 and not any(c in "\n\r\x85\u2028\u2029" or ord(c) >= _PLANE for c in gram)


@dataclass(frozen=True, slots=True)
class Found:
    """Known features of one text: each occurrence with its span, and the distinct numbers in rising order."""

    numbers: Ints
    starts: Ints
    ends: Ints
    distinct: Ints


class Index:
    """Feature numbers (from 1; 0 is unknown) of a vocabulary, found with a few array operations a text."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self._single = np.zeros(_PLANE, dtype=np.int64)
        pairs: list[tuple[int, int]] = []
        self._words: dict[str, int] = {}
        for gram, number in numbers.items():
            if len(gram) == 1:
                self._single[ord(gram)] = number
            elif len(gram) == 2:
                pairs.append((ord(gram[0]) << 16 | ord(gram[1]), number))
            else:
                self._words[gram] = number
        pairs.sort()
        self._pair_keys = np.array([key for key, _ in pairs] or [0], dtype=np.int64)
        self._pair_numbers = np.array([number for _, number in pairs] or [0], dtype=np.int64)

    def find(self, text: str, words: Sequence[str]) -> Found:
        """Every known feature of a clean text and its words."""
        codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).astype(np.int64)
        if codes.size and codes.max() >= _PLANE:
            codes[codes >= _PLANE] = 0
        keys = (codes[:-1] << 16) | codes[1:]
        at = self._pair_keys.searchsorted(keys)
        np.minimum(at, len(self._pair_keys) - 1, out=at)
        pairs = np.where(self._pair_keys[at] == keys, self._pair_numbers[at], 0)
        numbers, starts, ends = self._worded(words)
        length = len(codes)
        places = np.arange(length)
        together = np.concatenate((self._single[codes], pairs, np.array(numbers, dtype=np.int64)))
        return Found(
            together,
            np.concatenate((places, places[: max(0, length - 1)], np.array(starts, dtype=np.int64))),
            np.concatenate((places + 1, places[: max(0, length - 1)] + 2, np.array(ends, dtype=np.int64))),
            _distinct(together),
        )

    def _worded(self, words: Sequence[str]) -> tuple[list[int], list[int], list[int]]:
        numbers: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        get = self._words.get
        at = before = 0
        previous = ""
        for word in words:
            end = at + len(word)
            if end - at >= LONG_WORD and (number := get(word)):
                numbers.append(number)
                starts.append(at)
                ends.append(end)
            if number := get(f"{previous} {word}"):
                numbers.append(number)
                starts.append(before)
                ends.append(end)
            previous, before, at = word, at, end
        return numbers, starts, ends


def _distinct(numbers: Ints) -> Ints:
    """The numbers above 0, each once, in rising order."""
    ordered = np.sort(numbers)
    is_first = np.empty(len(ordered), dtype=bool)
    is_first[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    known: Ints = ordered[is_first & (ordered > 0)]
    return known


@dataclass(frozen=True, slots=True)
class Pull:
    """How far each character moves the polarity: `before[i]` is the sum over the characters before i."""

    before: list[float]

    def over(self, start: int, end: int) -> float:
        """The pull of a span: positive is good."""
        return self.before[end] - self.before[start]


def pull(found: Found, weights: Floats, length: int) -> Pull:
    """Each occurrence's weight shared evenly among the characters it covers."""
    shares = weights[found.numbers] / (found.ends - found.starts)
    steps = np.bincount(found.starts, shares, length + 1) - np.bincount(found.ends, shares, length + 1)
    return Pull([0.0, *np.cumsum(np.cumsum(steps)[:length]).tolist()])
