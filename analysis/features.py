"""What a model sees of a text: characters, character pairs, long words and word pairs, and the topic lexicon's hits."""

from collections.abc import Callable, Iterable, Sequence
from operator import add

#: A word of one or two characters is a character n-gram already.
LONG_WORD = 3


def grams(text: str, words: Sequence[str]) -> set[str]:
    """The distinct features of a clean text and its words. Repeating a sentence adds (almost) none."""
    found = set(text)
    found.update(map(add, text, text[1:]))
    found.update(word for word in words if len(word) >= LONG_WORD)
    found.update(map(_pair, words, words[1:]))
    return found


def _pair(first: str, second: str) -> str:
    return f"{first} {second}"


Place = tuple[int, int, int]


def placed(text: str, words: Sequence[str], get: Callable[[str, int], int]) -> tuple[list[int], list[int], list[int]]:
    """Feature numbers in reading order with where each starts and ends; unknown features have number 0.

    The same features as `grams`, each occurrence told.
    """
    length = len(text)
    numbers = [get(character, 0) for character in text]
    numbers += [get(pair, 0) for pair in map(add, text, text[1:])]
    starts = [*range(length), *range(length - 1)] if length else []
    ends = [*range(1, length + 1), *range(2, length + 1)] if length else []
    at = previous_at = 0
    previous = ""
    for word in words:
        end = at + len(word)
        if end - at >= LONG_WORD and (number := get(word, 0)):
            numbers.append(number)
            starts.append(at)
            ends.append(end)
        if previous and (number := get(f"{previous} {word}", 0)):
            numbers.append(number)
            starts.append(previous_at)
            ends.append(end)
        previous, previous_at, at = word, at, end
    return numbers, starts, ends


def is_storable(gram: str) -> bool:
    """Whether a feature may stand in a vocabulary file: one line each."""
    return not any(character in "\n\r\x85\u2028\u2029" for character in gram)


def distinct(numbers: Iterable[int]) -> set[int]:
    """The known features among numbers."""
    found = set(numbers)
    found.discard(0)
    return found
