"""One pass over a text for every lexicon: what it is about, and what it names."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from analysis import aspects, topics
from analysis.matcher import Hit, Matcher, longest


@dataclass(frozen=True, slots=True)
class Terms:
    """The lexicons' hits in a clean text; a term inside a longer term of its lexicon does not count."""

    topics: list[Hit[int]]
    aspects: list[Hit[str]]


@cache
def _matcher() -> Matcher[tuple[int, str]]:
    return Matcher(_payloads())


def _payloads() -> Iterator[tuple[str, tuple[int, str]]]:
    """Topic terms carry a rule's number and "", aspect terms −1 and a name."""
    for term, number in topics.terms():
        yield term, (number, "")
    for term, name in aspects.terms():
        yield term, (-1, name)


def find(clean_text: str) -> Terms:
    """Every term of the topic and aspect lexicons."""
    hits = _matcher().find(clean_text)
    if not hits:
        return Terms([], [])
    return Terms(
        longest((start, end, number) for start, end, (number, name) in hits if not name),
        longest((start, end, name) for start, end, (_, name) in hits if name),
    )
