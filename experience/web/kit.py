"""What every staff page shares: filters that put values into words, the navigation, and the layout's own facts."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, g, request, url_for
from flask_babel import gettext
from werkzeug.local import LocalProxy

from analysis import segment
from experience.notices.queries import unread_count
from experience.orders.tables import Effect
from experience.organisation.permissions import joined
from experience.reports import pictures
from experience.reports.queries.units import UnitName, unit_names
from experience.reports.queries.voices import touchpoint_names
from experience.voices import search
from experience.web import door, saying, words
from experience.web.once import form_token

bp = Blueprint("kit", __name__)


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
            ("/topics", words.N_("主题"), "chart-bar", "voices.read"),
            ("/discovery", words.N_("新词与聚类"), "eye", "voices.read"),
            ("/issues", words.N_("体验问题"), "alert-triangle", "issues.read"),
            ("/learning/queue", words.N_("更正队列"), "square-check", "voices.correct"),
            ("/models", words.N_("研读模型"), "target", "models.see"),
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
            ("/admin/calendars", words.N_("工作日历"), "calendar", "organisation.edit"),
            ("/admin/policies", words.N_("时限策略"), "clock", "organisation.edit"),
            ("/audit", words.N_("审计"), "history", "audit.read"),
            ("/admin/system", words.N_("系统状况"), "database", "system.see"),
        ),
    ),
)


#: What holds for all units together is shown to who administers all of them.
CENTRE_ONLY = frozenset({"/admin/calendars", "/admin/policies"})


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


def navigation() -> list[tuple[str, list[Entry]]]:
    """The groups of pages the caller may open, with the one shown now marked; none for nobody."""
    me, here = door.somebody(), request.path
    if me is None:
        return []
    paths = [path for _, entries in NAVIGATION for path, *_ in entries if path != "/"]
    nearest = max((path for path in paths if f"{here}/".startswith(f"{path}/")), key=len, default=here)
    groups = []
    for title, entries in NAVIGATION:
        shown = [
            Entry(path, words_, icon, path == nearest)
            for path, words_, icon, act in entries
            if me.may(act) and _is_served(path) and (path not in CENTRE_ONLY or me.reach(act).is_everything)
        ]
        if shown:
            groups.append((title, shown))
    return groups


def query_with(**changes: Any) -> str:
    """This page's query string with some parameters changed (None removes one); the cursor never survives a change."""
    kept: dict[str, list[str]] = {k: v for k, v in request.args.to_dict(flat=False).items() if k != "cursor"}
    for name, value in changes.items():
        if value is None or value == "":
            kept.pop(name, None)
        else:
            kept[name] = [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)]
    return "?" + urlencode(kept, doseq=True)


@cache
def _version(name: str) -> str:
    file = Path(str(current_app.static_folder)) / name
    return hashlib.blake2b(file.read_bytes(), digest_size=5).hexdigest() if file.exists() else ""


def asset(name: str) -> str:
    """The address of a static file, with its content's hash so that it may be kept for ever."""
    return _address(name, request.script_root)


@cache
def _address(name: str, _mounted_at: str) -> str:
    return url_for("static", filename=name, v=_version(name))


def units() -> dict[int, UnitName]:
    """Every unit by id, read once a request."""
    if "units" not in g:
        g.units = unit_names(door.db())
    return g.units  # type: ignore[no-any-return]


def unit_name(unit_id: int | None) -> str:
    """What a unit is called, with its province before a department's name."""
    unit = units().get(unit_id or 0)
    return unit.full_name if unit else ""


def touchpoints() -> list[tuple[str, str]]:
    """(code, name) of the touchpoints in use, read once a request."""
    if "touchpoints" not in g:
        g.touchpoints = touchpoint_names(door.db())
    return g.touchpoints  # type: ignore[no-any-return]


def touchpoint_name(code: str) -> str:
    """What a touchpoint is called; one we do not know is called by its code."""
    return next((name for known, name in touchpoints() if known == code), code)


def _my_unit() -> str:
    me = door.somebody()
    homes = joined(one.reach for one in me.held).home_unit_ids if me else ()
    return "、".join(unit_name(id) for id in sorted(homes))


def _unread() -> int:
    if "unread" not in g:
        me = door.somebody()
        g.unread = unread_count(door.db(), me) if me else 0
    return int(g.unread)


def effect_picture(effect: Effect) -> dict[str, Any] | None:
    """The picture of an effect, or None when there is nothing to draw."""
    return pictures.effect(effect.series, effect.split_at, (saying.word(effect.key, "effect"), gettext("整改完成")))


def words_of(typed: str) -> tuple[str, ...]:
    """The words to highlight for what was typed into a search box."""
    return search.wanted(typed, segment.tokens).terms if typed else ()


FILTERS: dict[str, Callable[..., Any]] = {
    "ago": saying.ago,
    "aspect": saying.aspect,
    "beijing": saying.beijing,
    "cause": saying.cause,
    "clock_left": saying.clock_left,
    "due": saying.due_words,
    "due_tone": saying.due_tone,
    "iso": lambda at: saying.instant(at).isoformat(),
    "lasting": saying.length,
    "limit": saying.limit,
    "notice_words": saying.notice_words,
    "pieces": saying.pieces,
    "told": saying.told,
    "tone": saying.tone,
    "word": saying.word,
}
for _name, _filter in FILTERS.items():
    bp.add_app_template_filter(_filter, _name)


@bp.after_app_request
def keep(answer: Response) -> Response:
    """A static file asked for by its hash never changes, so browsers need not ask again."""
    if request.endpoint == "static" and request.args.get("v") and answer.status_code in (200, 304):
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


@bp.app_context_processor
def shared() -> dict[str, Any]:
    """What the layout and the macros use; all of it is asked for only when a template does, for errors' sake."""
    return {
        "me": LocalProxy(door.somebody),
        "navigation": navigation,
        "my_unit": _my_unit,
        "unread": _unread,
        "asset": asset,
        "effect_picture": effect_picture,
        "form_token": form_token,
        "query_with": query_with,
        "touchpoint_name": touchpoint_name,
        "unit_name": unit_name,
    }
