"""The words a text is about, by TF-IDF over jieba's document frequencies."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from analysis import lexicons, segment

#: A telecom word says more here than its frequency in jieba's newspapers would have it.
_TRADE_LIFT = 1.6
#: What a word of no known frequency gets: jieba's median.
_UNKNOWN = 9.0


@lru_cache(maxsize=2)
def _weights(operators_words: frozenset[str]) -> dict[str, float]:
    """What each known word is worth: stop words 0, words of the trade more."""
    weights = {word: float(value) for word, value in lexicons.table("idf.tsv").items()}
    for word in (*segment.shipped_words(), *operators_words):
        weights[word] = weights.get(word, _UNKNOWN) * _TRADE_LIFT
    for row in lexicons.rows("stopwords.txt"):
        weights |= dict.fromkeys(row[0].split(), 0.0)
    return {word: weight for word, weight in weights.items() if len(word) > 1 and not word[0].isdigit()}


def _of_unknown(word: str) -> float:
    """A word of no known frequency: as telling as jieba's median, unless it is a figure, a letter or a slip."""
    if len(word) < 2 or not word.isalnum() or word[0].isdigit():
        return 0.0
    return _UNKNOWN if len(word) <= 4 else _UNKNOWN / 2


def weight(word: str) -> float:
    """How telling a word is: 0 for stop words, figures and single characters."""
    known = _weights(segment.words_in_use()).get(word)
    return _of_unknown(word) if known is None else known


def keywords(words: Sequence[str], *, most: int = 5) -> tuple[str, ...]:
    """The most telling words of a text, best first; a word counts once more for each repeat, up to three."""
    scores: dict[str, float] = {}
    weights = _weights(segment.words_in_use())
    for word in words:
        if len(word) < 2:
            continue
        worth = weights.get(word)
        if worth is None:
            worth = _of_unknown(word)
        if worth:
            scores[word] = min(scores.get(word, 0.0) + worth, 3 * worth)
    return tuple(sorted(scores, key=scores.__getitem__, reverse=True)[:most])


def top(texts: Iterable[Sequence[str]], *, most: int = 20) -> list[tuple[str, int]]:
    """The most telling words of many segmented texts with the number of texts that hold them."""
    counts: dict[str, int] = {}
    for words in texts:
        for word in set(words):
            counts[word] = counts.get(word, 0) + 1
    ranked = sorted(counts, key=lambda word: -counts[word] * weight(word))
    return [(word, counts[word]) for word in ranked[:most] if weight(word)]
