"""Touchpoints as staff see them: the map, one touchpoint, and how to put the probe on a page."""

from datetime import timedelta
from itertools import groupby
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import col, select

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.issues import queries as issues
from experience.orders.tables import Effect
from experience.touchpoints import queries as touchpoints
from experience.touchpoints.tables import Site
from experience.voices.intake import PROVINCES
from experience.web import door
from probes import queries
from probes.queries import overview
from probes.queries.overview import Numbers
from probes.tables import Trigger
from probes.triggers import REASONS
from probes.web import pictures, sdk
from probes.web.triggers import titles

bp = Blueprint(
    "probe_pages", __name__, template_folder="templates", static_folder="static", static_url_path="/probes/static"
)

#: What a reader may look back over -> days, step.
STRETCHES = {"day": (1, "5min"), "week": (7, "hour"), "month": (30, "hour"), "quarter": (90, "day")}
LATELY = timedelta(days=30)
EFFECTS = 5


@bp.get("/touchpoints")
@door.requires("touchpoints.read")
def index() -> str:
    """The journey map: stages by channels, with what is missing."""
    found = overview.journey_map(door.db(), door.scope(), now=door.now())
    journeys = [
        (name, [(stage, list(cells)) for stage, cells in groupby(rows, key=lambda one: one.place.stage)])
        for name, rows in groupby(found, key=lambda one: one.place.journey)
    ]
    return render_template(
        "probes/map.html",
        journeys=journeys,
        count=len(found),
        anomalies=sum(one.open_anomalies for one in found),
        silent=[one for one in found if not one.numbers.volume],
        unasked=[one for one in found if not one.has_question],
        spark=_spark,
    )


def _spark(numbers: Numbers) -> str:
    hours = [numbers.hours[at] for at in sorted(numbers.hours)]
    return pictures.spark([ok / n if n else None for ok, n in hours])


@bp.get("/touchpoints/<code>")
@door.requires("touchpoints.read")
def one(code: str) -> str:
    """One touchpoint: its series and anomalies, funnel, errors, questions, and what came of them."""
    db, scope, now = door.db(), door.scope(), door.now()
    reach = scope.reach("touchpoints.read")
    place = touchpoints.touchpoint(db, code)
    if place is None:
        raise NotFound(say("没有触点 %(code)s。", code=code[:64]))
    chosen = request.args.get("span", "") if request.args.get("span") in STRETCHES else "week"
    province = request.args.get("province", "") if request.args.get("province") in PROVINCES else ""
    days, step = STRETCHES[chosen]
    start = now - timedelta(days=days)
    points = queries.points(db, scope, code, start=start, end=now, step=step, province=province)
    anomalies = queries.anomalies(db, scope, touchpoint=code, since=start)
    asked = overview.asked(db, scope, code, start=now - LATELY)
    return render_template(
        "probes/touchpoint.html",
        place=place,
        span=chosen,
        stretches=list(STRETCHES),
        points=points,
        totals=_totals(points),
        drawn=_drawn(points, anomalies, province) if points else {},
        anomalies=anomalies,
        funnel=queries.funnel_of(db, scope, code, place.steps, end=now, province=province),
        codes=overview.codes(db, scope, code, start=start, province=province),
        asked=asked,
        titles=titles(one.survey for one in asked),
        reasons=REASONS,
        triggers=db.exec(select(Trigger).where(Trigger.touchpoint == code).order_by(col(Trigger.id))).all(),
        issues=issues.page(db, scope, issues.Filters(touchpoint=code), limit=8)[0],
        effects=_effects(code) if reach.is_everything else [],
        provinces=[(key, name) for key, name in PROVINCES.items() if reach.sees_province(key)],
    )


def _totals(points: list[Any]) -> dict[str, Any]:
    keys = ("view", "start", "success", "fail", "abandon", "error")
    sums: dict[str, Any] = {key: sum(point.counts.get(key, 0) for point in points) for key in keys}
    ended = sums["success"] + sums["fail"]
    sums["rate"] = sums["success"] / ended if ended else None
    sums["given_up"] = sums["abandon"] / sums["start"] if sums["start"] else None
    return sums


def _drawn(points: list[Any], anomalies: list[Any], province: str) -> dict[str, Any]:
    code = anomalies[0].touchpoint if anomalies else (request.view_args or {})["code"]
    band = overview.expected(door.db(), door.scope(), code, end=door.now(), province=province)
    words = {
        "rate": gettext("成功率"), "band": gettext("预期范围"), "expected": gettext("预期"), "anomaly": gettext("异动"),
        "start": gettext("开始"), "success": gettext("成功"), "fail": gettext("失败"), "abandon": gettext("放弃"),
    }  # fmt: skip
    return {
        "success": pictures.success(points, band, anomalies, words),
        "volume": pictures.volume(points, words),
        "durations": pictures.durations(points),
    }


def _effects(code: str) -> list[Effect]:
    found = select(Effect).where(Effect.touchpoint == code).order_by(col(Effect.id).desc())
    return list(door.db().exec(found.limit(EFFECTS)))


@bp.get("/touchpoints/install")
@door.requires("touchpoints.read")
def install() -> str:
    """The lines that put the probe on a page, and whether events arrive."""
    sites = door.db().exec(select(Site).where(col(Site.is_active)).order_by(col(Site.key))).all()
    wanted = request.args.get("site", "")
    site = next((each for each in sites if each.key == wanted), sites[0] if sites else None)
    return render_template(
        "probes/install.html",
        sites=sites,
        site=site,
        places=touchpoints.touchpoints(door.db()),
        script=url_for("probe_sdk.probe_js", _external=True),
        integrity=sdk.script().integrity,
        weight=len(sdk.script().gzipped),
        events=_arriving(site),
    )


@bp.get("/touchpoints/install/events")
@door.requires("touchpoints.read")
def arriving() -> str:
    """The newest events of a site, asked for again and again by the page."""
    site = door.db().get(Site, request.args.get("site", "")[:80])
    return render_template("probes/_arriving.html", site=site, events=_arriving(site))


def _arriving(site: Site | None) -> list[Any]:
    if site is None:
        return []
    return overview.arriving(door.db(), door.scope(), site.key, since=door.now() - timedelta(minutes=30))
