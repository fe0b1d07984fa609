"""Chinese full text: what is kept of a voice to find it by, the query made of what was typed, where it was found.

PostgreSQL's own parser is left out on purpose: its dictionaries and the server's locale have no say. A text is kept as
its pairs of neighbouring characters (宽带费 as 宽带 and 带费) at their places, foreign words and figures whole. So
every run of characters is found however text and query were cut, and however the operator's words have changed since.
A pair that only meets across two longer words (普通|信号 holds 通信) is kept apart, marked `~`: it counts inside longer
words and phrases, and is no find for the word 通信 itself.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from analysis import normalise
from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.voices.intake import invalid

#: Number of this form of vector; voices kept in an older one are made anew by the clock (`voices.refresh`).
FORM = 1
#: Longest foreign word worth keeping (characters), and units kept of one voice (a longer letter: its beginning).
WORD_LIMIT = 40
UNITS_KEPT = 8_000
#: Characters of a query that are looked at, and words of it that are used.
TYPED_LIMIT = 200
QUERY_WORDS = 24
#: Shortest foreign word that also finds what begins with it (wifi finds wifi6).
PREFIX_LEAST = 3
#: A part of a query: perhaps a minus, then something in quotes or up to the next blank or quote.
_OPEN, _SHUT = '"＂“”「『', '"＂“”」』'
_TYPED = re.compile(rf"((?<!\S)[-－−])?(?:[{_OPEN}]([^{_SHUT}]*)[{_SHUT}]|([^\s{_OPEN}]+))")
#: What no column holds, so that no place in a list can be named so.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_HAS_MEANING = re.compile(r"\w")
#: Foreign words and figures whole, Chinese characters (and kana, hangul) one by one.
_UNITS = re.compile(r"(?:(?![\u2e80-\U0010ffff])[^\W_])+|(?=[\u2e80-\U0010ffff])\w")
_DENIES = frozenset("不没無无未别莫")
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


def _units(token: str) -> list[str]:
    return [unit[:WORD_LIMIT] for unit in _UNITS.findall(token.lower())]


def _is_character(unit: str) -> bool:
    return unit[0] >= "\u2e80"


def vector(tokens: Iterable[str]) -> str:
    """The literal of a tsvector of a text cut into these words."""
    places: dict[str, list[int]] = {}
    for position, form in enumerate(_forms([units for token in tokens if (units := _units(token))]), start=1):
        if position > UNITS_KEPT:
            break
        places.setdefault(form, []).append(position)
    return " ".join(f"{_quoted(form)}:{','.join(map(str, at))}" for form, at in places.items())


def _forms(cut: Sequence[Sequence[str]]) -> Iterator[str]:
    """For each unit of the words what begins at it: a pair, a marked pair, or the unit itself."""
    for place, word in enumerate(cut):
        following = cut[place + 1] if place + 1 < len(cut) else ()
        for at, unit in enumerate(word):
            ends = at + 1 == len(word)
            after = (following[0] if following else "") if ends else word[at + 1]
            if not after or not _is_character(unit) or not _is_character(after):
                yield unit
            elif ends and len(word) > 1 and len(following) > 1:
                yield f"~{unit}{after}"
            else:
                yield unit + after


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: the tsquery, and the words to highlight. `query` is '' when nothing usable was typed."""

    query: str
    terms: tuple[str, ...]


def wanted(typed: str, segment: Segment, *, own_words: frozenset[str] = frozenset()) -> Wanted:
    """The query for what was typed: all words are wanted, in quotes exactly as written, with a minus not at all.

    `own_words` are the operator's: texts older than the word may have been cut through it, and are found all the same.
    """
    clauses: list[str] = []
    terms: list[str] = []
    is_alone = len(segment(typed[:TYPED_LIMIT])) == 1
    for match in _TYPED.finditer(typed[:TYPED_LIMIT]):
        is_unwanted = bool(match[1])
        phrase, loose = match[2], match[3]
        if phrase:
            made, told = _exactly(segment(phrase)), [normalise.clean(phrase).text]
        else:
            kept = _telling(segment(loose or ""))
            made, told = " & ".join(_word(word, own_words, is_alone=is_alone) for word in kept), kept
        if made:
            clauses.append(f"!({made})" if is_unwanted else f"({made})")
            terms += (
                []
                if is_unwanted
                else [*told, *(word[:2] for word in told if is_alone and not phrase and _is_loose(word))]
            )
    return Wanted(" & ".join(clauses[:QUERY_WORDS]), tuple(dict.fromkeys(term for term in terms if term)))


def _telling(tokens: Sequence[str]) -> list[str]:
    """The words of a query worth looking for: empty ones left out unless there are no others, 不 kept with its word."""
    found: list[str] = []
    for word in words(tokens)[:QUERY_WORDS]:
        if found and found[-1] in _DENIES:
            found[-1] += word
        else:
            found.append(word)
    return [word for word in found if word not in _EMPTY_WORDS] or found


def _word(word: str, own_words: frozenset[str], *, is_alone: bool = False) -> str:
    """One word of a query, cut however it may be in the text; one that `is_alone` is taken more loosely."""
    units = _units(word)
    if len(units) == 2 and all(map(_is_character, units)) and word not in own_words:
        return _quoted(word)
    if len(units) == 1 and units[0].isascii() and units[0][0].isalpha() and len(units[0]) >= PREFIX_LEAST:
        return _quoted(units[0]) + ":*"
    if is_alone and _is_loose(word):
        return _loosely(units)
    return _row(units)


def _is_loose(word: str) -> bool:
    return len(word) == 3 and all(map(_is_character, word))


def _loosely(units: Sequence[str]) -> str:
    """A word of three characters, or with one or two more before its last: 网速慢 finds 网速太慢."""
    head, last = _either(units[0] + units[1]), _beginning(units[2])
    return f"({_row(units)} | ({head} <3> {last}) | ({head} <4> {last}))"


def _exactly(tokens: Iterable[str]) -> str:
    return _row([unit for token in tokens for unit in _units(token)][: 4 * QUERY_WORDS])


def _row(units: Sequence[str]) -> str:
    """These units one after another; '' of none."""
    steps = list(_steps(units))
    if not steps:
        return ""
    joined = steps[0][1]
    for (before, _), (at, form) in zip(steps, steps[1:], strict=False):
        joined += f" <{at - before}> {form}"
    return f"({joined})"


def _steps(units: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Places and what must begin there, as few as fix every unit."""
    at = 0
    while at < len(units):
        if not _is_character(units[at]):
            yield at, _quoted(units[at])
            at += 1
            continue
        end = at
        while end < len(units) and _is_character(units[end]):
            end += 1
        if end - at == 1:
            yield at, _beginning(units[at])
        else:
            starts = dict.fromkeys([*range(at, end - 1, 2), end - 2])
            yield from ((start, _either(units[start] + units[start + 1])) for start in starts)
        at = end


def _either(pair: str) -> str:
    return f"({_quoted(pair)} | {_quoted('~' + pair)})"


def _beginning(character: str) -> str:
    return f"({_quoted(character)}:* | {_quoted('~' + character)}:*)"


def any_of(tokens: Iterable[str], *, most: int = 16) -> str:
    """A query that matches any of a text's telling words, for `similar`; '' when it has none."""
    telling = [word for word in dict.fromkeys(words(tokens)) if len(word) >= 2 and word not in _EMPTY_WORDS]
    return " | ".join(made for word in telling[:most] if (made := _word(word, frozenset())))


def spans(text: str, terms: Iterable[str]) -> list[tuple[int, int]]:
    """Where the terms stand in the text, as half-open spans, merged and in order.

    The text is compared in its clean form: neither case nor width nor traditional characters matter.
    """
    clean = normalise.clean(text)
    found = sorted(
        clean.span(*match.span())
        for term in terms
        if term
        for match in re.finditer(re.escape(term.lower()), clean.text)
    )
    merged: list[tuple[int, int]] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def cursor(*values: str | int | float) -> str:
    """An opaque place in a list."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def place(given: str, kinds: Sequence[type]) -> list[str | int | float]:
    """The values of a cursor. Raises Invalid for one we did not make."""
    try:
        values = json.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or [type(v) for v in values] != list(kinds):
        raise _strange_cursor()
    if any(isinstance(v, int) and not 0 <= v < 2**63 for v in values):
        raise _strange_cursor()
    if any(isinstance(v, str) and _UNSTORABLE.search(v) for v in values):
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
