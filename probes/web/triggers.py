"""Trigger rules: the list, the editor, and the switch that stops one at once."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import col, select
from werkzeug.wrappers import Response

from experience.ground.errors import HuishengError, NotFound
from experience.ground.i18n import say
from experience.touchpoints import queries as touchpoints
from experience.web import door
from experience.web.once import once
from experience.web.saying import told
from probes.operations import edit, simulate
from probes.queries import overview
from probes.simulation import Outcome
from probes.tables import Trigger
from probes.triggers import REASONS
from surveys.tables import Survey

bp = Blueprint("trigger_pages", __name__, url_prefix="/triggers", template_folder="templates")

EVENTS = ("fail", "abandon", "success", "error", "rage_click", "dead_click", "step", "start", "view")
MOST = 200
WEEK = timedelta(days=7)
SURVEYS = 300


@bp.get("")
@door.requires("touchpoints.read")
def index() -> str:
    """The rules, with what became of their hits in the last week."""
    rows = door.db().exec(select(Trigger).order_by(col(Trigger.is_active).desc(), col(Trigger.id)).limit(MOST)).all()
    counts = overview.outcomes(door.db(), door.scope(), start=door.now() - WEEK)
    return render_template(
        "probes/triggers.html", triggers=rows, counts=counts, titles=titles(row.survey for row in rows)
    )


def titles(codes: Iterable[str]) -> dict[str, str]:
    """What the surveys of these codes are called."""
    found = select(Survey.code, Survey.title).where(col(Survey.code).in_(set(codes)))
    return dict(door.db().exec(found).all())


@bp.get("/new")
@door.requires("triggers.edit")
def new() -> str:
    """An empty rule."""
    return _editor(
        None,
        {"touchpoint": request.args.get("touchpoint", ""), "type": "event", "event": "fail", "sample_class": "anomaly"},
    )


@bp.get("/<int:trigger_id>")
@door.requires("touchpoints.read")
def one(trigger_id: int) -> str:
    """One rule in the editor."""
    row = _found(trigger_id)
    return _editor(row, {**row.when, **row.model_dump(exclude={"when"}), "sample": round(row.sample * 100)})


@bp.post("/new")
@bp.post("/<int:trigger_id>")
@door.requires("triggers.edit")
def save(trigger_id: int | None = None) -> Response | tuple[str, int]:
    """Saves the rule, a version later; what was typed is kept when it is refused."""

    def act() -> str:
        made = edit(door.db(), door.scope(), trigger_id, _typed(), now=door.now())
        flash(gettext("触发规则已保存，第 %(n)s 版，几秒内生效。", n=made.version), "good")
        return url_for("trigger_pages.index")

    try:
        return once(act)
    except HuishengError as refused:
        door.db().rollback()
        row = door.db().get(Trigger, trigger_id) if trigger_id else None
        return _editor(row, request.form.to_dict(), fault=told(refused)), 422


@bp.post("/simulate")
@door.requires("triggers.edit")
def try_out() -> str | tuple[str, int]:
    """What the rule as typed would have done in the last seven days; nothing is saved."""
    trigger_id = _number(request.form.get("trigger"), 0)
    row = door.db().get(Trigger, trigger_id) if trigger_id > 0 else None
    try:
        tried = simulate(door.db(), door.scope(), _typed(), now=door.now())
    except HuishengError as refused:
        return _editor(row, request.form.to_dict(), fault=told(refused)), 422
    return _editor(row, request.form.to_dict(), tried=tried)


@bp.post("/<int:trigger_id>/<any(stop, start):what>")
@door.requires("triggers.edit")
def switch(trigger_id: int, what: str) -> Response:
    """Stops or starts the rule."""

    def act() -> str:
        edit(door.db(), door.scope(), trigger_id, {"is_active": what == "start"}, now=door.now())
        return url_for("trigger_pages.index")

    return once(act)


def _found(trigger_id: int) -> Trigger:
    row = door.db().get(Trigger, trigger_id) if trigger_id < 2**31 else None
    if row is None:
        raise NotFound(say("没有这条触发规则。"))
    return row


def _typed() -> dict[str, Any]:
    form = request.form
    when: dict[str, Any] = {"type": form.get("type", "event")}
    if when["type"] == "anomaly":
        when["min_severity"] = _number(form.get("min_severity"), 2)
    else:
        when |= {
            "event": form.get("event", ""),
            "count": _number(form.get("count"), 1),
            "within_seconds": _number(form.get("within_seconds"), 600),
        }
    return {
        "name": form.get("name", "").strip()[:80],
        "touchpoint": form.get("touchpoint", ""),
        "survey": form.get("survey", ""),
        "when": when,
        "sample": _number(form.get("sample"), 100) / 100,
        "sample_class": form.get("sample_class", "anomaly"),
        "hourly_cap": min(_number(form.get("hourly_cap"), 200), 100_000),
        "is_active": bool(form.get("is_active")),
    }


def _number(text: str | None, otherwise: int) -> int:
    """The whole number typed; one left empty is the usual one, and nonsense is refused by the rule's own check."""
    if not text:
        return otherwise
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1


def _editor(row: Trigger | None, typed: dict[str, Any], fault: str = "", tried: Outcome | None = None) -> str:
    surveys = door.db().exec(
        select(Survey)
        .where(Survey.current_version > 0, Survey.state != "closed")
        .order_by(col(Survey.code))
        .limit(SURVEYS)
    )
    return render_template(
        "probes/trigger.html",
        trigger=row,
        typed=typed,
        fault=fault,
        tried=tried,
        repeatedly=sum(1 for n in tried.by_person.values() if n > 1) if tried else 0,
        reasons=REASONS,
        surveys=surveys.all(),
        places=touchpoints.touchpoints(door.db()),
        events=EVENTS,
    )
