"""What every staff page shares: filters that put values into words, the navigation, and the layout's own facts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, current_app, request
from flask_babel import gettext, ngettext

from experience.web import door, words

bp = Blueprint("kit", __name__)

SOON_SECONDS = 4 * 3600
BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")  # staff work by Beijing time wherever the server stands

#: group title -> entries of (path, words, icon, act)
NAVIGATION: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...] = (
    (
        words.N_("工作"),
        (
            ("/", words.N_("首页"), "home", "home.see"),
            ("/desk", words.N_("我的工作台"), "inbox", "orders.work"),
            ("/orders", words.N_("工单"), "clipboard-list", "orders.read"),
            ("/supervision", words.N_("督办台"), "urgent", "orders.read"),
        ),
    ),
    (
        words.N_("聆听"),
        (
            ("/voices", words.N_("客户原声"), "message-2", "voices.read"),
            ("/issues", words.N_("体验问题"), "alert-triangle", "issues.read"),
            ("/rants/manage", words.N_("吐槽专区"), "speakerphone", "voices.moderate"),
        ),
    ),
    (
        words.N_("感知"),
        (
            ("/touchpoints", words.N_("触点与旅程"), "route", "touchpoints.read"),
            ("/anomalies", words.N_("异动"), "wave-sine", "touchpoints.read"),
            ("/triggers", words.N_("触发规则"), "bolt", "touchpoints.read"),
            ("/surveys", words.N_("问卷"), "forms", "surveys.read"),
        ),
    ),
    (
        words.N_("管理"),
        (
            ("/customers", words.N_("客户"), "users", "customers.read"),
            ("/admin", words.N_("系统管理"), "settings", "organisation.edit"),
            ("/audit", words.N_("审计"), "history", "audit.read"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation."""

    path: str
    words: str
    icon: str
    is_here: bool


def _is_served(path: str) -> bool:
    """Whether the app has a page at this path; entries of rooms that are not there yet stay hidden."""
    known: set[str] | None = current_app.extensions.get("huisheng.paths")
    if known is None:
        known = {rule.rule.rstrip("/") or "/" for rule in current_app.url_map.iter_rules()}
        current_app.extensions["huisheng.paths"] = known
    return path in known


def navigation(may: Any, here: str) -> list[tuple[str, list[Entry]]]:
    """The groups of pages this person may open; `may` is Scope.may, `here` the path shown now."""
    groups = []
    for title, entries in NAVIGATION:
        shown = [
            Entry(path, words_, icon, here == path or (path != "/" and here.startswith(path + "/")))
            for path, words_, icon, act in entries
            if may(act) and _is_served(path)
        ]
        if shown:
            groups.append((title, shown))
    return groups


def ago(at: datetime, now: datetime) -> str:
    """How far an instant lies from now in words, such as 2 小时前 or 3 天后."""
    seconds = (at - now).total_seconds()
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


def query_with(**changes: Any) -> str:
    """This page's query string with some parameters changed (None removes one); the cursor never survives a change."""
    kept: dict[str, list[str]] = {k: v for k, v in request.args.to_dict(flat=False).items() if k != "cursor"}
    for name, value in changes.items():
        if value is None or value == "":
            kept.pop(name, None)
        else:
            kept[name] = [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)]
    return "?" + urlencode(kept, doseq=True)


def counted(n: int, one: str, many: str | None = None) -> str:
    """`n` with its noun, by the reader's plural rules; `one` and `many` hold %(num)s."""
    return ngettext(one, many or one, n)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `kind` is '' or how it is marked: evidence for or against, or a search hit."""

    text: str
    kind: str = ""


def pieces(text: str, evidence: Iterable[Mapping[str, Any]] = (), terms: Sequence[str] = ()) -> list[Piece]:
    """The text cut where its marks begin and end; search hits win over evidence, so that a term is never hidden.

    `evidence` holds start, end and weight as readings do; offsets outside the text are ignored.
    """
    kinds = [""] * len(text)
    for span in evidence:
        kind = "against" if float(span.get("weight", 0)) < 0 else "for"
        for i in range(max(0, int(span["start"])), min(len(text), int(span["end"]))):
            kinds[i] = kind
    lowered = text.lower()
    for term in filter(None, (t.lower() for t in terms)):
        at = lowered.find(term)
        while at >= 0:
            kinds[at : at + len(term)] = ["hit"] * len(term)
            at = lowered.find(term, at + len(term))
    return _joined(text, kinds)


def _joined(text: str, kinds: Sequence[str]) -> list[Piece]:
    made: list[Piece] = []
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or kinds[i] != kinds[start]:
            made.append(Piece(text[start:i], kinds[start]))
            start = i
    return made
