"""Pages of issues: board and list, one issue with its evidence, and dispatching it in one step."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from analysis.topics import TOPICS
from experience.ground.errors import Conflict, Invalid
from experience.issues import lifecycle, operations, queries
from experience.issues.tables import Issue
from experience.orders import operations as orders
from experience.reports import pictures, suggestions
from experience.reports.queries import issues as reads
from experience.reports.queries import units
from experience.touchpoints.tables import Touchpoint
from experience.voices.intake import PROVINCES
from experience.web import door, kit
from experience.web.once import once
from experience.web.saying import told
from experience.web.words import N_, ORDER_TYPES

bp = Blueprint("issues", __name__, url_prefix="/issues")

PAGE = 50
SHOWN_VOICES = 50
WEEK = timedelta(days=7)


@bp.get("")
@door.requires("issues.read")
def index() -> str:
    """The board, or the list when it is asked for or narrowed."""
    args = request.args
    narrowed = any(args.get(name) for name in ("q", "state", "severity", "touchpoint", "topic", "province"))
    shared = {
        "topics": list(TOPICS.items()),
        "touchpoints": kit.touchpoints(),
        "provinces": [(c, n) for c, n in PROVINCES.items() if door.scope().reach("issues.read").sees_province(c)],
        "counts": queries.counts(door.db(), door.scope()),
    }
    if args.get("view") != "list" and not narrowed:
        cards = reads.board(door.db(), door.scope(), now=door.now())
        return render_template("issues/board.html", columns=cards, **shared)
    severity = args.get("severity", "")
    filters = queries.Filters(
        state=args.get("state", ""),
        severity=int(severity) if severity in ("1", "2", "3", "4") else None,
        touchpoint=args.get("touchpoint", ""),
        topic=args.get("topic", ""),
        province=args.get("province", ""),
        q=args.get("q", "").strip()[:100],
    )
    found, following = queries.page(door.db(), door.scope(), filters, cursor=args.get("cursor", ""), limit=PAGE)
    return render_template("issues/list.html", issues=found, next=following, **shared)


@bp.get("/alike")
@door.requires("issues.triage")
def alike() -> str:
    """Open issues that what is being raised may belong to: a piece of the form, asked for while the title is typed."""
    title = request.args.get("title", "").strip()[:120]
    given = [int(id) for id in request.args.getlist("voice")[:200] if id.isdecimal() and len(id) <= 18]
    found = queries.suggestions(door.db(), door.scope(), title, given) if title or given else []
    return render_template("issues/_alike.html", found=found)


@bp.get("/<code>")
@door.requires("issues.read")
def one(code: str) -> str:
    """One issue: what proves it, how grave it is and why, who works on it, what helped before."""
    return _one(code)


def _one(code: str, **more: Any) -> str:
    db, scope, now = door.db(), door.scope(), door.now()
    issue, touchpoint = reads.placed(db, scope, code)
    issue_id = issue.id or 0
    told_by = reads.told(db, scope, issue_id)
    alike = queries.alike(db, scope, issue)
    names = kit.units()
    past = [one.issue for one in alike]
    past_ids = [i.id or 0 for i in past]
    remedies = reads.remedies(db, scope, past_ids)
    effects, helped = reads.effects(db, issue_id, past_ids)
    acts = lifecycle.ACTS[issue.state]
    may_dispatch = scope.reach("orders.dispatch").is_everything and "dispatch" in acts
    return render_template(
        "issues/one.html",
        issue=issue,
        told=told_by,
        voices=queries.voices_of(db, scope, issue_id, limit=SHOWN_VOICES),
        anomalies=queries.sources_of(db, issue_id, "anomaly"),
        touchpoint=touchpoint,
        alike=alike,
        remedies={r.issue_id: r for r in reversed(remedies)},
        helped=helped,
        orders=reads.orders_of(db, scope, issue_id),
        effects=effects,
        units=names,
        acts=acts if scope.may("issues.triage") else {},
        series=_series(issue),
        days=pictures.days(told_by.days, now),
        suggested=_suggested(issue, touchpoint, told_by, _Past(past, remedies, names)) if may_dispatch else [],
        may_dispatch=may_dispatch,
        unit_choices=units.choices(names, scope.reach("orders.dispatch")),
        order_types=list(ORDER_TYPES),
        **more,
    )


@dataclass(frozen=True, slots=True)
class _Past:
    """Similar issues, what was done about them, and the units that did it."""

    alike: list[Issue]
    remedies: list[reads.Remedy]
    units: dict[int, units.UnitName]


def _suggested(
    issue: Issue, touchpoint: Touchpoint | None, told_by: reads.Told, past: _Past
) -> list[suggestions.Suggestion]:
    codes = {i.id: i.code for i in past.alike}
    grounds = suggestions.Grounds(
        province=issue.province,
        product_line=issue.product or (touchpoint.product_line if touchpoint else ""),
        voices=told_by.provinces,
        solvers={r.unit_code: codes[r.issue_id] for r in reversed(past.remedies)},
    )
    first_level = [
        suggestions.Candidate(u.code, u.name, u.kind, u.territory, u.product_line)
        for u in past.units.values()
        if u.kind in ("province", "base")
    ]
    return suggestions.suggest(grounds, first_level)


def _series(issue: Issue) -> dict[str, Any] | None:
    """The touchpoint's success rate from the week before the issue until now, or None when nothing was measured."""
    if not issue.touchpoint:
        return None
    start, end = issue.opened_at - WEEK, min(door.now(), issue.opened_at + 3 * WEEK)
    points = reads.success_by_hour(door.db(), issue.touchpoint, issue.province, start, end)
    return pictures.success(points, gettext("办理成功率"), (issue.opened_at, gettext("发现"))) if points else None


@bp.post("/<code>/dispatch")
@door.requires("orders.dispatch")
def dispatch(code: str) -> Response | tuple[str, int]:
    """Sends the issue to the chosen units; a refusal shows the page again with what was typed."""

    def act() -> str:
        issue = queries.by_code(door.db(), door.scope(), code)
        chosen = list(dict.fromkeys(request.form.getlist("units")))
        asked = orders.DispatchIn(
            units=chosen,
            type=request.form.get("type", ""),
            instructions=request.form.get("instructions", "").strip(),
        )
        made = orders.dispatch(door.db(), door.scope(), issue.id or 0, asked, now=door.now())
        flash(gettext("已派单 %(code)s，时限从现在起算。", code=made.code), "good")
        return url_for("orders.one", code=made.code)

    return _or_again(code, act)


#: What is said once the issue has moved.
_MOVED = {
    "accept": N_("已立为问题，可以派单。"),
    "dismiss": N_("已判为不成立，七天内同样的情况不再自动立项。"),
    "reopen": N_("问题已重开。"),
    "solve": N_("已记为解决。"),
}


@bp.post("/<code>/<any(accept, dismiss, reopen, solve):what>")
@door.requires("issues.triage")
def move(code: str, what: str) -> Response | tuple[str, int]:
    """Moves the issue along: accept a candidate, dismiss, reopen, or say how it was solved without an order."""

    def act() -> str:
        db, scope, now, version = door.db(), door.scope(), door.now(), _version()
        reason = request.form.get("reason", "")
        if what == "accept":
            operations.accept(db, scope, code, now=now, version=version)
        else:
            {"dismiss": operations.dismiss, "reopen": operations.reopen, "solve": operations.solve}[what](
                db, scope, code, reason, now=now, version=version
            )
        flash(gettext(_MOVED[what]), "good")
        return url_for("issues.one", code=code)

    return _or_again(code, act)


@bp.post("/<code>/merge")
@door.requires("issues.triage")
def merge(code: str) -> Response | tuple[str, int]:
    """Puts the issue's evidence into another and closes it."""

    def act() -> str:
        into = request.form.get("into", "").strip()
        target = operations.merge(door.db(), door.scope(), code, into, now=door.now(), version=_version())
        flash(gettext("已并入 %(code)s。", code=target.code), "good")
        return url_for("issues.one", code=target.code)

    return _or_again(code, act)


@bp.post("/<code>/change")
@door.requires("issues.triage")
def change(code: str) -> Response | tuple[str, int]:
    """Changes title, severity or the note on the issue."""

    def act() -> str:
        form = request.form
        changes: dict[str, Any] = {name: form[name].strip() for name in ("title", "summary") if name in form}
        if form.get("severity", "") in ("1", "2", "3", "4"):
            changes["severity"] = int(form["severity"])
        operations.change(door.db(), door.scope(), code, changes, version=_version(), now=door.now())
        return url_for("issues.one", code=code)

    return _or_again(code, act)


def _version() -> int | None:
    given = request.form.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


def _or_again(code: str, act: Callable[[], str]) -> Response | tuple[str, int]:
    """Does the act once; when it is refused shows the issue as it is now, why, and what was typed."""
    try:
        return once(act)
    except Conflict as refused:
        door.db().rollback()
        return _one(code, refused=told(refused), typed=request.form, is_overtaken=True), 409
    except Invalid as refused:
        door.db().rollback()
        return _one(code, refused=told(refused), typed=request.form), 422
