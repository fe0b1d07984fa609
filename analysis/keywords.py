"""The words a text is about, by TF-IDF over jieba's document frequencies."""

from collections.abc import Iterable, Sequence
from functools import cache

from analysis import lexicons, segment

#: A telecom word says more here than its frequency in jieba's newspapers would have it.
_TRADE_LIFT = 1.6
#: What a word of no known frequency gets: jieba's median.
_UNKNOWN = 9.0


@cache
def _idf() -> dict[str, float]:
    return {word: float(value) for word, value in lexicons.table("idf.tsv").items()}


@cache
def _stopwords() -> frozenset[str]:
    return frozenset(word for row in lexicons.rows("stopwords.txt") for word in row[0].split())


@cache
def _trade() -> frozenset[str]:
    return frozenset(segment.shipped_words())


def weight(word: str) -> float:
    """How telling a word is: 0 for stop words, figures and single characters."""
    if len(word) < 2 or word in _stopwords() or not word.isalnum() or word[0].isdigit():
        return 0.0
    value = _idf().get(word, _UNKNOWN if len(word) <= 4 else _UNKNOWN / 2)
    return value * _TRADE_LIFT if word in _trade() or word in segment.words_in_use() else value


def keywords(words: Sequence[str], *, most: int = 5) -> tuple[str, ...]:
    """The most telling words of a text, best first; a word counts once more for each repeat, up to three."""
    scores: dict[str, float] = {}
    for word in words:
        worth = weight(word)
        if worth:
            scores[word] = min(scores.get(word, 0.0) + worth, 3 * worth)
    return tuple(sorted(scores, key=lambda word: -scores[word])[:most])


def top(texts: Iterable[Sequence[str]], *, most: int = 20) -> list[tuple[str, int]]:
    """The most telling words of many segmented texts with the number of texts that hold them."""
    counts: dict[str, int] = {}
    for words in texts:
        for word in set(words):
            counts[word] = counts.get(word, 0) + 1
    ranked = sorted(counts, key=lambda word: -counts[word] * weight(word))
    return [(word, counts[word]) for word in ranked[:most] if weight(word)]
