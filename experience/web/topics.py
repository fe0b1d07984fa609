"""Pages of topics: the map with volume, sentiment, trend and bursts; a grid of places; one topic in depth."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext

from analysis import summary
from analysis.topics import TOPICS
from experience.issues import queries as issues
from experience.reports import topic_pictures as pictures
from experience.voices import queries as voices
from experience.voices import trends
from experience.voices.gist import Gist, Read, gist
from experience.voices.intake import PROVINCES, SOURCES
from experience.voices.queries import UNNAMED, Filters, samples, topics
from experience.voices.trends import Line, Span, Tally
from experience.web import door, kit
from experience.web.saying import BEIJING, word
from experience.web.words import N_

bp = Blueprint("topics", __name__, url_prefix="/topics")

PERIODS = (7, 28, 90)
LONGEST = 366
#: How the grid may be cut, and what that is called.
GROUPS = {
    "province": N_("省分"),
    "touchpoint": N_("触点"),
    "product": N_("产品"),
    "source": N_("来源"),
    "week": N_("周"),
}
#: Rows of a grid that are shown; provinces are never more.
MOST_PLACES = 31
SHOWN_ISSUES = 6
_NARROWING = ("touchpoint", "province", "product", "source", "unit")


@dataclass(frozen=True, slots=True)
class View:
    """What the page is asked for: the days, what they are narrowed to, and how the grid is cut."""

    span: Span
    filters: Filters
    by: str

    def link(self, **more: str) -> str:
        """The list of voices that makes a number of this view."""
        kept = {name: getattr(self.filters, name) for name in _NARROWING}
        days = {"from": self.span.first.isoformat(), "to": self.span.last.isoformat()}
        return "/voices?" + urlencode({name: value for name, value in (kept | days | more).items() if value})

    def cell(self, place: str, topic: str = "") -> str:
        """The list of voices that makes a cell of the grid."""
        if self.by == "week":
            week = next(week for week in self.span.weeks() if week.first.isoformat() == place)
            return self.link(topic=topic, **{"from": week.first.isoformat(), "to": week.last.isoformat()})
        return self.link(topic=topic, **{self.by: place or UNNAMED})


def asked() -> View:
    """The view this request asks for; what cannot be meant is left aside."""
    args = request.args
    narrowed: dict[str, Any] = {name: args.get(name, "").strip()[:64] for name in _NARROWING}
    by = args.get("by", "")
    if by not in GROUPS:
        by = "province" if len(_provinces()) > 1 and not narrowed["province"] else "touchpoint"
    return View(_span(), Filters(**narrowed), by)


def _span() -> Span:
    today = door.now().astimezone(BEIJING).date()
    first, last = _date(request.args.get("from", "")), _date(request.args.get("to", ""))
    if first or last:
        last = min(last or today, today)
        return Span(max(min(first or last, last), last - timedelta(days=LONGEST - 1)), last)
    days = request.args.get("days", "")
    return Span(today - timedelta(days=(int(days) if days in map(str, PERIODS) else 28) - 1), today)


def _date(given: str) -> date | None:
    try:
        return date.fromisoformat(given) if len(given) == 10 else None
    except ValueError:
        return None


@bp.get("")
@door.requires("voices.read")
def index() -> str:
    """The map of topics and the grid of places."""
    view = asked()
    lines, grid = lines_of(view), grid_of(view)
    return render_template(
        "topics/index.html",
        view=view,
        lines=lines,
        total=trends.added(line.now for line in lines),
        before=trends.added(line.before for line in lines),
        grid=grid,
        groups=GROUPS,
        place_name=place_names(view),
        picture=pictures.bubbles(
            lines,
            lambda code: word(code, "topic"),
            (gettext("占比变化（与上一期比）"), gettext("负面占比"), gettext("原声")),
        ),
        sparks={line.topic: pictures.spark(line.days) for line in lines},
        periods=PERIODS,
        chosen_days=_chosen_days(),
        **_choices(view),
    )


@bp.get("/<code>")
@door.requires("voices.read")
def one(code: str) -> str:
    """One topic: its days, what it is about, who says it, what was made of it."""
    if code not in TOPICS:
        abort(404)
    view, db, scope = asked(), door.db(), door.scope()
    line, about, read = line_of(view, code), *about_of(view, code)
    shown = {heard.voice.id: heard for heard in voices.some(db, scope, [*about.negative, *about.positive])}
    days = list(view.span)
    may_see_issues = scope.may("issues.read")
    return render_template(
        "topics/one.html",
        code=code,
        view=view,
        line=line,
        about=about,
        days=days,
        volume=pictures.days(days, line.days, line.bursts, (gettext("负面"), gettext("其他"), gettext("突增"))),
        mood=pictures.sentiment(days, line.days, gettext("平均情感")),
        told=summary.summary(samples.texts(db, read), most=3),
        negative=[shown[id] for id in about.negative if id in shown],
        positive=[shown[id] for id in about.positive if id in shown],
        issues=issues.page(db, scope, issues.Filters(topic=code), limit=SHOWN_ISSUES)[0] if may_see_issues else [],
        periods=PERIODS,
        chosen_days=_chosen_days(),
        **_choices(view),
    )


def lines_of(view: View) -> list[Line]:
    """Every topic of the view, most first."""
    days = topics.by_day(door.db(), door.scope(), view.filters, view.span.with_past)
    return trends.lines(days, view.span)


def line_of(view: View, code: str) -> Line:
    """The topic's line, empty when nobody spoke of it."""
    return next((line for line in lines_of(view) if line.topic == code), trends.unheard(code, view.span))


def about_of(view: View, code: str) -> tuple[Gist, list[Read]]:
    """What the newest voices of the topic are about, and those readings."""
    db, scope = door.db(), door.scope()
    within = replace(view.filters, topic=code, **_instants(view.span))
    read = samples.newest(db, scope, within)
    past = samples.keywords(db, scope, replace(within, **_instants(view.span.before)))
    return gist(code, read, past), read


def grid_of(view: View) -> trends.Grid:
    """The view's places by topics."""
    db, scope = door.db(), door.scope()
    if view.by == "week":
        cells = _by_week(topics.by_day(db, scope, view.filters, view.span), view.span)
    else:
        cells = topics.by_place(db, scope, view.filters, view.span, kind=view.by)
    volume: dict[str, int] = {}
    for (_, topic), tally in cells.items():
        volume[topic] = volume.get(topic, 0) + tally.n
    ordered = sorted(volume, key=lambda topic: (-volume[topic], topic))
    return trends.grid(cells, ordered, most=MOST_PLACES, keep=view.by == "week")


def _by_week(days: Mapping[str, Mapping[date, Tally]], span: Span) -> dict[tuple[str, str], Tally]:
    return {
        (week.first.isoformat(), topic): trends.added(by_day.get(day, Tally()) for day in week)
        for week in span.weeks()
        for topic, by_day in days.items()
    }


def _instants(span: Span) -> dict[str, Any]:
    return {"since": topics.midnight(span.first), "until": topics.midnight(span.last + timedelta(days=1))}


def _chosen_days() -> int:
    """The period of the buttons that is chosen; 0 for days of one's own."""
    if request.args.get("from") or request.args.get("to"):
        return 0
    days = request.args.get("days", "")
    return int(days) if days in map(str, PERIODS) else 28


def place_names(view: View) -> dict[str, str]:
    """What the rows of the grid are called."""
    if view.by == "touchpoint":
        return dict(kit.touchpoints())
    if view.by == "week":
        return {week.first.isoformat(): f"{week.first:%m-%d} – {week.last:%m-%d}" for week in view.span.weeks()}
    if view.by == "product":
        return _product_names()
    codes = PROVINCES if view.by == "province" else SOURCES
    return {code: word(code, view.by) for code in codes}


def _provinces() -> list[tuple[str, str]]:
    reach = door.scope().reach("voices.read")
    return [(code, word(code, "province")) for code in PROVINCES if reach.sees_province(code)]


def _product_names() -> dict[str, str]:
    return {line: name.name for name in kit.units().values() if (line := name.product_line)}


def _choices(view: View) -> dict[str, Any]:
    names = _product_names()
    units = [(unit.code, unit.name) for unit in kit.units().values() if unit.kind in ("province", "base")]
    return {
        "touchpoints": kit.touchpoints(),
        "provinces": _provinces(),
        "products": [(code, names.get(code, code)) for code in topics.values(door.db(), "product", view.span)],
        "sources": [(code, word(code, "source")) for code in SOURCES],
        "units": units if door.scope().reach("voices.read").is_everything else [],
    }
