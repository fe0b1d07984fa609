"""The sentences of many texts that speak for the rest."""

import re
from collections.abc import Sequence

from analysis import keywords, normalise, segment

_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]?")
_SHORTEST, _LONGEST = 6, 90
#: How much a sentence loses for each share of its weight that was already told.
_REPEAT = 0.8


def summary(texts: Sequence[str], *, most: int = 3, looked_at: int = 300) -> list[str]:
    """The few sentences, in the customers' own words (masked), that cover what many texts say most often.

    Each sentence is worth the number of texts that use its telling words; words already told count little.
    """
    found: dict[str, frozenset[str]] = {}
    counts: dict[str, int] = {}
    for text in texts[:looked_at]:
        for sentence in _sentences(normalise.mask(text)):
            words = frozenset(word for word in segment.tokens(sentence) if keywords.weight(word))
            found[sentence] = words
        for word in set().union(*(found.get(sentence, frozenset()) for sentence in _sentences(normalise.mask(text)))):
            counts[word] = counts.get(word, 0) + 1
    told: set[str] = set()
    chosen: list[str] = []
    while found and len(chosen) < most:
        best = max(found, key=lambda sentence: _worth(found[sentence], counts, told))
        if not _worth(found[best], counts, told):
            break
        chosen.append(best)
        told |= found.pop(best)
    return chosen


def _sentences(text: str) -> list[str]:
    parts = (part.strip() for part in _SENTENCE.findall(text))
    return [part for part in parts if _SHORTEST <= len(part) <= _LONGEST]


def _worth(words: frozenset[str], counts: dict[str, int], told: set[str]) -> float:
    if not words:
        return 0.0
    total = sum(keywords.weight(word) * counts.get(word, 0) * (1 - _REPEAT * (word in told)) for word in words)
    return total / (len(words) + 3)
