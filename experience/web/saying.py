"""Values put into words: instants, lengths of time, codes, and the marked pieces of what was said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from flask import Flask, g
from flask_babel import get_translations

from experience.ground.errors import HuishengError
from experience.ground.i18n import Sentence
from experience.notices.tables import Notice
from experience.orders import escalation
from experience.reports.bars import Bar
from experience.voices import search
from experience.web import door, errors, words

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")  # staff work by Beijing time wherever the server stands
SOON_SECONDS = 4 * 3600


def gettext(sentence: str, **params: Any) -> str:
    """The sentence in the reader's language."""
    said = str(_translations().ugettext(sentence))
    return said % params if params else said


def install(app: Flask) -> None:
    """Lets templates translate by what was looked up once a request: a list has many words."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda sentence: _translations().ugettext(sentence),
        ngettext=lambda one, many, n: _translations().ungettext(one, many, n),
        newstyle=True,
    )


def _translations() -> Any:
    if not g:
        return get_translations()
    if "translations" not in g:
        g.translations = get_translations()
    return g.translations


def ago(at: datetime | str, now: datetime | None = None) -> str:
    """How far an instant lies from now in words, such as 2 小时前 or 3 天后."""
    seconds = (instant(at) - (now or door.now())).total_seconds()
    size = abs(seconds)
    if size < 45:
        return gettext("刚刚")
    if size < 3600:
        n, past, future = round(size / 60) or 1, gettext("分钟前"), gettext("分钟后")
    elif size < 48 * 3600:
        n, past, future = round(size / 3600) or 1, gettext("小时前"), gettext("小时后")
    else:
        n, past, future = round(size / 86400), gettext("天前"), gettext("天后")
    return f"{n} {past if seconds < 0 else future}"


def length(seconds: float) -> str:
    """A length of time in its two largest units, such as 1 天 4 小时."""
    minutes = round(abs(seconds) / 60)
    days, minutes = divmod(minutes, 1440)
    hours, minutes = divmod(minutes, 60)
    parts = ((days, gettext("天")), (hours, gettext("小时")), (minutes, gettext("分钟")))
    said = [f"{n} {unit}" for n, unit in parts if n][:2]
    return " ".join(said) or gettext("不到 1 分钟")


def instant(value: datetime | str) -> datetime:
    """An instant from a row or from the contract's JSON."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def beijing(value: datetime | str, pattern: str = "%m-%d %H:%M") -> str:
    """The instant as a Beijing wall clock shows it; the year is said when it is another year than this one."""
    at = instant(value).astimezone(BEIJING)
    if pattern == "%m-%d %H:%M" and at.year != door.now().astimezone(BEIJING).year:
        pattern = "%Y-%m-%d %H:%M"
    return at.strftime(pattern)


def due_words(value: datetime | str) -> str:
    """An instant to come as 2 小时后到期, one gone by as 已超时 3 小时."""
    left = (instant(value) - door.now()).total_seconds()
    if left < 0:
        return gettext("已超时 %(length)s", length=length(left))
    return gettext("%(length)s后到期", length=length(left))


def due_tone(value: datetime | str) -> str:
    """`late` when the instant has gone by, `soon` within four hours of it, else `calm`."""
    left = (instant(value) - door.now()).total_seconds()
    return "late" if left < 0 else "soon" if left < SOON_SECONDS else "calm"


def word(code: object, group: str) -> str:
    """What a code is called, in the reader's language; an unknown code is shown as it is."""
    name = words.GROUPS[group].get(str(code))
    return gettext(name) if name else str(code)


def limit(text: str) -> str:
    """A limit as policies write it (8wh, 3wd, 48nh) in words."""
    for unit in sorted(words.LIMIT_UNITS, key=len, reverse=True):
        number = text.removesuffix(unit)
        if number != text:
            return f"{number} {gettext(words.LIMIT_UNITS[unit])}"
    return text


def clock_left(bar: Bar) -> str:
    """How a clock stands, in words: time left, paused, met, late by how much."""
    if bar.state in ("met", "breached_met"):
        when = f" {beijing(bar.ended_at)}" if bar.ended_at else ""
        return gettext("按时完成") + when if bar.tone == "done" else gettext("超时完成") + when
    if bar.state in ("cancelled", "paused"):
        return word(bar.state, "clock_state")
    return due_words(bar.due_at) if bar.due_at else gettext("计时中")


def cause(code: str) -> str:
    """What a reply's cause is called."""
    return gettext(words.CAUSES[code]) if code in words.CAUSES else code or "—"


def aspect(name: str) -> str:
    """What an aspect is called: the readings keep the lexicon's lower case."""
    return words.ASPECTS.get(name, name)


def tone(code: object) -> str:
    """The tone of a code's badge."""
    return words.TONES.get(str(code), "mute")


def notice_words(notice: Notice) -> str:
    """A notice in the reader's language."""
    rung, clock = escalation.apart(notice.sentence)
    if rung:
        return errors.translated(Sentence(rung, **notice.params, clock=Sentence(clock)))
    return errors.translated(Sentence(notice.sentence, **notice.params))


def told(refusal: HuishengError | str) -> str:
    """A refusal's sentence, or one a rule made, in the reader's language."""
    return errors.translated(refusal.sentence if isinstance(refusal, HuishengError) else refusal)


#: Evidence below this share of the text's strongest is not shown, below the second only underlined: a text where every
#: word is marked says nothing.
SHOWN, STRONG = 0.25, 0.6


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `kind` is '' or how it is marked: evidence for or against, or a search hit."""

    text: str
    kind: str = ""
    is_weak: bool = False


def pieces(text: str, evidence: Iterable[Mapping[str, Any]] = (), terms: Sequence[str] = ()) -> list[Piece]:
    """The text cut where its marks begin and end; search hits win over evidence, so that a term is never hidden.

    `evidence` holds start, end and weight (-1 to 1) as readings do; offsets outside the text are ignored.
    """
    kinds: list[tuple[str, bool]] = [("", False)] * len(text)
    spans = [(int(s["start"]), int(s["end"]), float(s.get("weight", 0))) for s in evidence]
    strongest = max((abs(weight) for _, _, weight in spans), default=0.0)
    for start, end, weight in spans:
        if abs(weight) >= SHOWN * strongest:
            mark = ("against" if weight < 0 else "for", abs(weight) < STRONG * strongest)
            for i in range(max(0, start), min(len(text), end)):
                kinds[i] = mark
    for start, end in search.spans(text, terms):
        kinds[start:end] = [("hit", False)] * (end - start)
    return _joined(text, kinds)


def _joined(text: str, kinds: Sequence[tuple[str, bool]]) -> list[Piece]:
    made: list[Piece] = []
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or kinds[i] != kinds[start]:
            made.append(Piece(text[start:i], *kinds[start]))
            start = i
    return made
