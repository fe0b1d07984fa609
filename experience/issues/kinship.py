"""Which issues speak of the same: by the telling words they share."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analysis import keywords, segment, similar

#: Telling words kept of an issue, of which the title's always are; and looked for.
WORDS, ASKED = 24, 12
#: Words of the voices count when so many of them, or this share, say them.
SPOKEN, SPOKEN_SHARE = 2, 0.1
#: A title's word is worth as much as one that so many of the voices say.
LEAST_LIKE = 0.12
#: How many words that two issues share are told.
TOLD = 4


@dataclass(frozen=True, slots=True)
class Kin:
    """A similar issue: its id, how alike (0 to 1), and the words that make it so, most telling first."""

    id: int
    likeness: float
    shared: tuple[str, ...]


def words_of(title: str, spoken: Iterable[Sequence[str]] = ()) -> tuple[str, ...]:
    """The telling words of an issue: its title's first, then those its voices (by their keywords) say most."""
    own = [word for word in dict.fromkeys(segment.tokens(title)) if keywords.weight(word)]
    heap = [set(some) for some in spoken]
    counts = Counter(word for some in heap for word in some)
    enough = max(SPOKEN, SPOKEN_SHARE * len(heap)) if len(heap) > 1 else 1
    said = [word for word in counts if counts[word] >= enough and keywords.weight(word)]
    said.sort(key=lambda word: (-counts[word] * keywords.weight(word), word))
    return tuple(dict.fromkeys([*own, *said]))[:WORDS]


def asked(words: Sequence[str]) -> list[str]:
    """The most telling of an issue's words: others that hold none of them are not looked at."""
    return sorted(words, key=keywords.weight, reverse=True)[:ASKED]


def kin(words: Sequence[str], past: Mapping[int, Sequence[str]], *, most: int = 5) -> list[Kin]:
    """Those of the past that are most alike, best first."""
    mine = set(words)
    found = similar.likest(words, past, most=most, least=LEAST_LIKE)
    return [Kin(id, likeness, tuple(asked(sorted(mine & set(past[id])))[:TOLD])) for id, likeness in found]
