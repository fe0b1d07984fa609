"""Pages of the models that read: versions and scores, training, promotion and roll-back, re-reading of old voices."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from experience.ground.errors import Conflict
from experience.learning import operations as learning
from experience.learning import queries as learnt
from experience.readers import operations, queries
from experience.readers.queries import Version
from experience.reports import model_pictures
from experience.web import door
from experience.web.once import once
from experience.web.saying import told

bp = Blueprint("models", __name__, url_prefix="/models")

_MOVES = {"start": learning.reread, "pause": learning.pause, "resume": learning.resume, "stop": learning.stop}


@bp.get("")
@door.requires("models.see")
def index() -> str:
    """The model in use: what it is worth, what waits to take its place, what runs, every version."""
    return _index()


def _index(**more: Any) -> str:
    db, scope = door.db(), door.scope()
    versions = queries.versions(db, scope)
    current = next(one for one in versions if one.state == "current")
    waiting = _waiting(versions, current)
    return render_template(
        "models/index.html",
        versions=versions,
        current=current,
        waiting=waiting,
        gains=model_pictures.questions(waiting.card["report"], current.card["report"]) if waiting else [],
        fair=next((one for one in learnt.accuracy(db, scope) if one.version == current.version), None),
        verdicts=learnt.verdicts(db, scope),
        **_running(),
        **_drawn(current, current, versions),
        **more,
    )


def _waiting(versions: Sequence[Version], current: Version) -> Version | None:
    """The newest model, when it is one that has not read yet and was made after the one in use began to."""
    newest, since = versions[0], current.promoted_at
    is_news = newest.made_at is not None and (since is None or newest.made_at > since)
    return newest if is_news and newest.state in ("candidate", "refused") else None


def _running() -> dict[str, Any]:
    """The newest training and the newest re-reading, open or ended."""
    runs = learnt.runs(door.db(), door.scope(), limit=1)
    return {"run": runs[0] if runs else None, "rereading": learnt.rereading(door.db(), door.scope())}


def _drawn(shown: Version, current: Version, versions: Sequence[Version] = ()) -> dict[str, Any]:
    """The pictures and tables of a version; the newest card that has them gives the other engines and the curve."""
    report = shown.card["report"]
    names = {"label": gettext("情感"), "topic": gettext("主题"), "intent": gettext("意图")}
    compared: dict[str, Any] = next((one.card["engines"] for one in (shown, *versions) if one.card.get("engines")), {})
    points: list[Any] = next(
        (one.card["learning_curve"] for one in (shown, *versions) if one.card.get("learning_curve")), []
    )
    return {
        "names": names,
        "questions": model_pictures.questions(report, None if shown is current else current.card["report"]),
        "sources": model_pictures.by_source(shown.card),
        "engines": {name: figures for name, figures in compared.items() if name != "model"},
        "own_speed": compared.get("model", {}).get("texts_per_second"),
        "polar": report["binary"].get("all"),
        "polar_fit": report["calibration"].get("all"),
        "fit": report["calibration"].get("all"),
        "calibration": model_pictures.calibration(
            report["calibration"].get("all"), (gettext("模型"), gettext("完全可信"))
        ),
        "confusion": model_pictures.confusion(report),
        "points": points,
        "curve": model_pictures.curve(points, names),
    }


@bp.get("/<version>")
@door.requires("models.see")
def one(version: str) -> str:
    """One version: its scores beside those of the model in use, what it was made from, what the gate says."""
    shown = queries.version(door.db(), door.scope(), version)
    now_reads = queries.current_version(door.db())
    current = shown if shown.version == now_reads else queries.version(door.db(), door.scope(), now_reads)
    return render_template("models/one.html", shown=shown, current=current, **_drawn(shown, current))


@bp.get("/progress")
@door.requires("models.see")
def progress() -> Response:
    """How far the training and the re-reading are; the page comes anew when the training it watched has ended."""
    running = _running()
    answer = make_response(render_template("models/progress.html", **running))
    run = running["run"]
    if run is not None and run.finished_at and request.args.get("run") == str(run.id):
        answer.headers["HX-Refresh"] = "true"
    return answer


@bp.get("/<any(train, back, reread):what>")
@door.requires("models.see")
def act_address(what: str) -> Response:
    """The address of an act, reloaded after it was refused: leads to the models, and is no version's name."""
    return redirect(url_for("models.index"), 303)


@bp.post("/train")
@door.requires("models.change")
def train() -> Response | tuple[str, int]:
    """Asks for a training; the clock does it."""

    def act() -> str:
        learning.train(door.db(), door.scope(), now=door.now())
        return url_for("models.index")

    return _changed(act)


@bp.post("/<version>/promote")
@door.requires("models.change")
def promote(version: str) -> Response | tuple[str, int]:
    """Lets this version read from now on; what the gate refuses, or another one's change, is told on the page."""

    def act() -> str:
        operations.promote(door.db(), door.scope(), version, now=door.now(), instead_of=_instead_of())
        flash(gettext("已启用 %(version)s：从现在起由它研读。", version=version), "good")
        return url_for("models.index")

    return _changed(act)


@bp.post("/back")
@door.requires("models.change")
def roll_back() -> Response | tuple[str, int]:
    """Lets the version read again that the one in use took the place of."""

    def act() -> str:
        row = operations.roll_back(door.db(), door.scope(), now=door.now(), instead_of=_instead_of())
        version = row.version if row else queries.shipped_version()
        flash(gettext("已退回 %(version)s。", version=version), "good")
        return url_for("models.index")

    return _changed(act)


@bp.post("/reread/<any(start, pause, resume, stop):what>")
@door.requires("models.change")
def reread(what: str) -> Response | tuple[str, int]:
    """Starts, pauses, resumes or stops reading old voices again."""

    def act() -> str:
        _MOVES[what](door.db(), door.scope(), now=door.now())
        return url_for("models.index")

    return _changed(act)


def _instead_of() -> str | None:
    """The version that read when the page was made: who promotes over another's change is told."""
    return request.form.get("instead_of") or None


def _changed(act: Callable[[], str]) -> Response | tuple[str, int]:
    try:
        return once(act)
    except Conflict as refused:
        door.db().rollback()
        return _index(refused=told(refused)), 409
