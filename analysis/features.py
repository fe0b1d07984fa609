"""What a model sees of a text: characters, character pairs, long words and word pairs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
#: A word of one or two characters is a character n-gram already.
LONG_WORD = 3
#: How many words count as a text's beginning and its end.
_OPENING, _ENDING = 3, 6
#: Characters beyond the basic plane are no features (what matters there are emoji, and those became words).
_PLANE = 0x10000
#: A key above every pair's, so that a search always lands on a row.
_NO_PAIR = np.iinfo(np.int64).max


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
    return [f"^^{word}" for word in words[:_OPENING]] + [f"$${word}" for word in words[-_ENDING:]]


def _is_storable(gram: str) -> bool:
    """Whether a feature may stand in a vocabulary file, one a line, and is short enough to be worth it."""
    return len(gram) <= 24 and not any(c in "\n\r\x85\u2028\u2029" or ord(c) >= _PLANE for c in gram)


@dataclass(frozen=True, slots=True)
class Worded:
    """Known features made of words, each with its span. What stands for an edge spans the whole text."""

    numbers: list[int]
    starts: list[int]
    ends: list[int]

    def add(self, number: int, start: int, end: int) -> None:
        """One more occurrence."""
        self.numbers.append(number)
        self.starts.append(start)
        self.ends.append(end)


@dataclass(frozen=True, slots=True)
class Found:
    """Features of one text: a number for each character, then each pair, then each of words; and the distinct ones."""

    numbers: Ints
    worded: Worded
    distinct: Ints


class Index:
    """Feature numbers (from 1; 0 is unknown) of a vocabulary, found with a few array operations a text."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self._single = np.zeros(sys.maxunicode + 1, dtype=np.int32)
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
        self._pair_keys = np.array([*(key for key, _ in pairs), _NO_PAIR], dtype=np.int64)
        self._pair_numbers = np.array([*(number for _, number in pairs), 0], dtype=np.int32)

    def find(self, text: str, words: Sequence[str]) -> Found:
        """Every known feature of a clean text and its words."""
        codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.int32).astype(np.int64)
        keys = (codes[:-1] << 16) | codes[1:]
        at = self._pair_keys.searchsorted(keys)
        pairs = self._pair_numbers[at] * (self._pair_keys[at] == keys)
        worded = self._worded(words)
        numbers = np.concatenate((self._single[codes], pairs, np.array(worded.numbers, dtype=np.int32)))
        return Found(numbers, worded, _distinct(numbers))

    def _worded(self, words: Sequence[str]) -> Worded:
        found = Worded([], [], [])
        get = self._words.get
        at = before = 0
        previous = ""
        for word in words:
            end = at + len(word)
            if end - at >= LONG_WORD and (number := get(word)):
                found.add(number, at, end)
            if number := get(f"{previous} {word}"):
                found.add(number, before, end)
            previous, before, at = word, at, end
        for edge in _edges(words):
            if number := get(edge):
                found.add(number, 0, at)
        return found


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
    weighed = weights[found.numbers]
    per_character = weighed[:length].astype(np.float64)
    halves = weighed[length : 2 * length - 1] / 2
    per_character[:-1] += halves
    per_character[1:] += halves
    before = [0.0, *np.cumsum(per_character).tolist()]
    spans = zip(weighed[max(0, 2 * length - 1) :].tolist(), found.worded.starts, found.worded.ends, strict=True)
    return Pull(_with_spans(before, spans) if found.worded.numbers else before)


def _with_spans(before: list[float], spans: Iterable[tuple[float, int, int]]) -> list[float]:
    steps = [0.0] * (len(before) + 1)
    for weight, start, end in spans:
        share = weight / (end - start)
        steps[start] += share
        steps[end] -= share
    slope = total = 0.0
    sums: list[float] = [before[0]]
    for at in range(1, len(before)):
        slope += steps[at - 1]
        total += slope
        sums.append(before[at] + total)
    return sums
