"""Chinese full text: the vector kept of a voice, the query made of what was typed, and where it was found.

PostgreSQL's own parser is left out on purpose: both sides are made of the same segmented words, word for word, so that
the server's locale and dictionaries have no say.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.voices.intake import invalid

#: Positions a tsvector can tell apart, and the longest word worth keeping (characters).
LAST_POSITION = 16_383
WORD_LIMIT = 40
#: Words kept of one voice; a longer letter is found by its beginning.
WORDS_KEPT = 4_000
#: Words of a query that are used.
QUERY_WORDS = 24
_SEGMENTED_TYPED = re.compile(r'"([^"]*)"|“([^”]*)”|(\S+)')
_HAS_MEANING = re.compile(r"\w")
_EMPTY_WORDS = frozenset("的了是在我你您他她它们和与及就都而吗呢吧啊呀哦嘛着把被给让这那个也还很又") | {
    "a",
    "the",
    "of",
    "to",
}

Segment = Callable[[str], Sequence[str]]


def words(tokens: Iterable[str]) -> list[str]:
    """The tokens that mean something, in lower case."""
    return [t.lower()[:WORD_LIMIT] for t in (token.strip() for token in tokens) if _HAS_MEANING.search(t)]


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def _parts(word: str) -> list[str]:
    """Shorter words inside a long one (充值缴费 holds 充值 and 缴费), so that either finds it."""
    if not 3 <= len(word) <= 8 or word.isascii():
        return []
    return [word[i : i + 2] for i in range(len(word) - 1)]


def vector(tokens: Iterable[str]) -> str:
    """The literal of a tsvector with each word at its position; a long word is also found by its parts."""
    places: dict[str, list[int]] = {}
    for position, word in enumerate(words(tokens)[:WORDS_KEPT], start=1):
        for form in (word, *_parts(word)):
            places.setdefault(form, []).append(min(position, LAST_POSITION))
    return " ".join(f"{_quoted(word)}:{','.join(map(str, dict.fromkeys(at)))}" for word, at in places.items())


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: the tsquery, and the words to highlight. `query` is '' when nothing usable was typed."""

    query: str
    terms: tuple[str, ...]


def _either(word: str) -> str:
    """The word as one, or as two words in a row: the text may have been cut elsewhere than the query."""
    splits = (
        [f"{_quoted(word[:i])} <-> {_quoted(word[i:])}" for i in range(1, len(word))] if len(word) in (3, 4) else []
    )
    if word.isascii() or not splits:
        return _quoted(word)
    return "(" + " | ".join([_quoted(word), *splits]) + ")"


def wanted(typed: str, segment: Segment) -> Wanted:
    """The query for what was typed: words are all wanted; a part in quotes is wanted as a phrase."""
    clauses: list[str] = []
    terms: list[str] = []
    for match in _SEGMENTED_TYPED.finditer(typed[:200]):
        phrase, loose = match[1] or match[2], match[3]
        found = words(segment(phrase or loose or ""))[:QUERY_WORDS]
        if phrase and found:
            clauses.append("(" + " <-> ".join(_quoted(word) for word in found) + ")")
            terms.append(phrase.strip())
            continue
        kept = [word for word in found if word not in _EMPTY_WORDS] or found
        clauses += [_either(word) for word in kept]
        terms += kept
    return Wanted(" & ".join(clauses[:QUERY_WORDS]), tuple(dict.fromkeys(term for term in terms if term)))


def any_of(tokens: Iterable[str], *, most: int = 16) -> str:
    """A query that matches any of a text's telling words, for `similar`; '' when it has none."""
    telling = [word for word in dict.fromkeys(words(tokens)) if len(word) >= 2 and word not in _EMPTY_WORDS]
    return " | ".join(_quoted(word) for word in telling[:most])


def spans(text: str, terms: Iterable[str]) -> list[tuple[int, int]]:
    """Where the terms stand in the text, as half-open spans, merged and in order; case does not matter."""
    lower = text.lower()
    if len(lower) != len(text):  # a few letters grow when lowered; then only exact case is found
        lower = text
    found = sorted(match.span() for term in terms if term for match in re.finditer(re.escape(term.lower()), lower))
    merged: list[tuple[int, int]] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def cursor(*values: str | int | float) -> str:
    """An opaque place in a list."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def place(given: str, kinds: Sequence[type]) -> list[str | int | float]:
    """The values of a cursor. Raises Invalid for one we did not make."""
    try:
        values = json.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    except (ValueError, binascii.Error):
        values = None
    if not isinstance(values, list) or [type(v) for v in values] != list(kinds):
        raise _strange_cursor()
    if any(isinstance(v, int) and not 0 <= v < 2**63 for v in values):
        raise _strange_cursor()
    return values


def moment(given: str) -> tuple[datetime, int]:
    """The instant and the id of a cursor in a list ordered by them. Raises Invalid for one we did not make."""
    at, id = place(given, (str, int))
    try:
        told = datetime.fromisoformat(str(at))
    except ValueError as error:
        raise _strange_cursor() from error
    if told.tzinfo is None:
        raise _strange_cursor()
    return told, int(id)


def _strange_cursor() -> Invalid:
    return invalid("cursor", say("翻页标记无效，请从第一页重新打开。"))
