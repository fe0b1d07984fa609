"""Anomalies: the list, one with what explains it, and what staff make of it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import col, select
from werkzeug.wrappers import Response

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.issues import queries as issues
from experience.issues.tables import Issue, IssueSource
from experience.web import door, kit
from experience.web.api.contract import cursor_of, cursor_parts
from experience.web.once import once
from probes import queries
from probes.operations import dismiss, make_issue
from probes.queries import overview
from probes.web import pictures

bp = Blueprint("anomaly_pages", __name__, url_prefix="/anomalies", template_folder="templates")

PAGE = 50
STATES = ("open", "closed", "dismissed")
BEFORE, AFTER = timedelta(days=2), timedelta(hours=12)


@bp.get("")
@door.requires("touchpoints.read")
def index() -> str:
    """Newest first."""
    state = request.args.get("state", "") if request.args.get("state") in STATES else ""
    found = queries.anomalies(
        door.db(),
        door.scope(),
        touchpoint=request.args.get("touchpoint", "")[:64],
        state=state,
        after=_after(request.args.get("cursor", "")),
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    more = cursor_of(shown[-1].started_at, shown[-1].id) if len(found) > PAGE else None
    return render_template("probes/anomalies.html", anomalies=shown, next=more, touchpoints=kit.touchpoints())


def _after(cursor: str) -> tuple[datetime, int] | None:
    parts = cursor_parts(cursor or None, str, int)
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(str(parts[0]))
        if at.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        return at, int(parts[1])
    except ValueError as error:
        raise Invalid(say("翻页标记无效，请从第一页重新开始。")) from error


@bp.get("/<code>")
@door.requires("touchpoints.read")
def one(code: str) -> str:
    """One anomaly: what, since when, how far, and which province, step or code explains it."""
    db, scope = door.db(), door.scope()
    found = queries.anomaly_by_code(db, scope, code)
    start = found.started_at - BEFORE
    end = min((found.ended_at or found.last_seen_at) + AFTER, door.now())
    points = queries.points(db, scope, found.touchpoint, start=start, end=end, step="hour", province=found.province)
    band = overview.expected(db, scope, found.touchpoint, end=end, province=found.province)
    words = {
        "rate": gettext("成功率"),
        "band": gettext("预期范围"),
        "expected": gettext("预期"),
        "anomaly": gettext("异动"),
    }
    issue = db.exec(
        select(Issue)
        .join(IssueSource, col(IssueSource.issue_id) == Issue.id)
        .where(IssueSource.kind == "anomaly", IssueSource.row == found.id, issues.visible(scope))
    ).first()
    return render_template(
        "probes/anomaly.html",
        anomaly=found,
        picture=pictures.success(points, band, [found], words) if points else None,
        issue=issue,
    )


@bp.post("/<code>/issue")
@door.requires("anomalies.judge")
def issue(code: str) -> Response:
    """Makes an issue of it, or leads to the one it has."""

    def act() -> str:
        made = make_issue(door.db(), door.scope(), code, now=door.now())
        flash(gettext("已转为问题 %(code)s。", code=made.code), "good")
        return url_for("issues.one", code=made.code)

    return once(act)


@bp.post("/<code>/dismiss")
@door.requires("anomalies.judge")
def drop(code: str) -> Response:
    """Says that it is none."""
    return once(_dismissing(code))


def _dismissing(code: str) -> Callable[[], str]:
    def act() -> str:
        dismiss(door.db(), door.scope(), code, now=door.now())
        flash(gettext("已标记为不是异动。"), "good")
        return url_for("anomaly_pages.one", code=code)

    return act
