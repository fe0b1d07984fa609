"""One pass over a text for every lexicon: what it is about, and what it names."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from analysis import aspects, topics
from analysis.matcher import Hit, Matcher, longest
from analysis.topics import Own, Rule

#: A shipped rule's number, an aspect's name, or what an operator's own term points to.
_Payload = int | str | Rule


@dataclass(frozen=True, slots=True)
class Terms:
    """The lexicons' hits in a clean text; a term inside a longer term of its lexicon does not count.

    `own` are the operator's terms: kept apart, because the model was trained on the shipped ones alone.
    """

    topics: list[Hit[int]]
    aspects: list[Hit[str]]
    own: list[Hit[Rule]] = field(default_factory=list)


class _Desk:
    """The matcher in use beside the operator's terms it was made of: one assignment swaps both."""

    def __init__(self) -> None:
        self.made: tuple[tuple[Own, ...], Matcher[_Payload]] | None = None


_desk = _Desk()


def _matcher() -> Matcher[_Payload]:
    own, made = topics.own_terms(), _desk.made
    if made is None or made[0] is not own:
        made = _desk.made = own, Matcher(_payloads(own))
    return made[1]


def _payloads(own: tuple[Own, ...]) -> Iterator[tuple[str, _Payload]]:
    yield from topics.terms()
    yield from aspects.terms()
    yield from ((one.term, one.rule) for one in own)


def find(clean_text: str) -> Terms:
    """Every term of the topic and aspect lexicons, the operator's own among them."""
    hits = _matcher().find(clean_text)
    if not hits:
        return Terms([], [])
    return Terms(
        longest((start, end, found) for start, end, found in hits if isinstance(found, int)),
        longest((start, end, found) for start, end, found in hits if isinstance(found, str)),
        longest((start, end, found) for start, end, found in hits if isinstance(found, Rule)),
    )
