"""What a text says of each thing it names: clauses, the aspect in each, and how it is judged."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from analysis import lexicons
from analysis.features import FINE
from analysis.matcher import Hit
from analysis.reading import Aspect

_BREAK = re.compile(r"[,。;!?\n~…]+|(?:但是|但|不过|可是|只是|然而|可惜|就是(?=太|有|没|不|贵|慢|差|价))")
_FILLER = re.compile(r"^[\s\W]*(?:但是|但|不过|可是|只是|然而|就是|而且|还|也|都|就|了|的|得|是|也是|有点)+|[\s\W]+$")
#: A clause is good or bad from this pull on, per root of its length; weaker ones are neither.
_FIRM = 0.5
#: How much a word of judgement says beside the model, which learnt most of its words from other trades.
_OPINION_WEIGHT = 1.5
_DENIAL = (
    "(?:不|没有?|未|无|别|从不|从没|毫不|不会|不再|再没|再也没|不怎么|不太|不够|不算|谈不上|说不上)"
    "(?:再|过|太|那么|怎么|很|有)?"
)


@dataclass(frozen=True, slots=True)
class Pull:
    """How far each character of one text moves the polarity; sums lie from `offset` on in a row of many texts."""

    before: Sequence[int]
    offset: int

    def over(self, start: int, end: int) -> float:
        """The pull of a span: positive is good."""
        return (self.before[self.offset + end] - self.before[self.offset + start]) / FINE


def terms() -> Iterator[tuple[str, str]]:
    """Each word of the lexicon with the aspect it names."""
    for aspect, _, words in lexicons.rows("aspects.tsv"):
        for word in words.split():
            if len(word) > 1:
                yield word, aspect


@cache
def names() -> frozenset[str]:
    """Every aspect there is."""
    return frozenset(aspect for _, aspect in terms())


def clauses(text: str) -> Iterator[tuple[int, int]]:
    """The spans of the clauses of a clean text: cut at punctuation and where it turns (但是, 不过, 就是)."""
    start = 0
    for found in _BREAK.finditer(text):
        if found.start() > start:
            yield start, found.start()
        start = found.start() if found.group()[0].isalpha() else found.end()
    if start < len(text):
        yield start, len(text)


def aspects(
    text: str, hits: Sequence[Hit[str]], pull: Pull, *, judges: bool = True, most: int = 8
) -> tuple[Aspect, ...]:
    """Each aspect named in a clause with its polarity; one entry an aspect and polarity.

    Who only asks does not judge (`judges`): then every polarity is 0.
    """
    if not hits:
        return ()
    found: dict[tuple[str, int], Aspect] = {}
    for start, end in clauses(text):
        named = {name: (a, b) for a, b, name in hits if start <= a and b <= end}
        if not named:
            continue
        strength = pull.over(start, end) / math.sqrt(end - start) + _OPINION_WEIGHT * _said(text[start:end])
        polarity = _sign(strength) if judges else 0
        for name, span in named.items():
            if (name, polarity) not in found:
                found[name, polarity] = Aspect(name, _opinion(text, (start, end), span), polarity)
    return tuple(found.values())[:most]


@cache
def _opinions() -> tuple[re.Pattern[str], dict[str, int]]:
    signs = {word: int(sign) for sign, words in lexicons.rows("opinions.tsv") for word in words.split()}
    words = "|".join(map(re.escape, sorted(signs, key=len, reverse=True)))
    return re.compile(rf"({_DENIAL})?({words})"), signs


def _said(clause: str) -> int:
    """What the words of judgement in a clause come to, −1, 0 or 1; a denied one says the opposite."""
    pattern, signs = _opinions()
    total = sum(-signs[word] if denied else signs[word] for denied, word in pattern.findall(clause))
    return max(-1, min(1, total))


def _sign(strength: float) -> int:
    return 1 if strength >= _FIRM else -1 if strength <= -_FIRM else 0


def _opinion(text: str, clause: tuple[int, int], term: tuple[int, int]) -> str:
    """What the clause says once the thing itself is left out; the thing where nothing else is said."""
    after = _FILLER.sub("", text[term[1] : clause[1]])
    before = _FILLER.sub("", text[clause[0] : term[0]])
    said = after if len(after) >= min(2, len(before)) else before
    return (said or text[term[0] : term[1]])[:24]
