"""Pages of the models that read: versions and their scores, training, promotion and roll-back, reading old voices again."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from experience.ground.errors import Conflict
from experience.readers import operations, queries
from experience.readers.queries import Version
from experience.web import door
from experience.web.once import once
from experience.web.saying import told

bp = Blueprint("models", __name__, url_prefix="/models")


@bp.get("")
@door.requires("models.see")
def index() -> str:
    """The model in use: what it is worth, what waits to take its place, what runs, every version."""
    return _index()


def _index(**more: Any) -> str:
    versions = queries.versions(door.db(), door.scope())
    current = next(one for one in versions if one.state == "current")
    return render_template(
        "models/index.html",
        versions=versions,
        current=current,
        waiting=_waiting(versions, current),
        **pictures(current.card["report"]),
        **more,
    )


def _waiting(versions: Sequence[Version], current: Version) -> Version | None:
    """The newest model, when it is one that has not read yet and was made after the one in use began to."""
    newest = versions[0]
    since = current.promoted_at
    is_news = newest.made_at is not None and (since is None or newest.made_at > since)
    return newest if is_news and newest.state in ("candidate", "refused") else None


@bp.get("/<version>")
@door.requires("models.see")
def one(version: str) -> str:
    """One version: its scores beside those of the model in use, what it was made from, what the gate says."""
    shown = queries.version(door.db(), door.scope(), version)
    current = queries.version(door.db(), door.scope(), queries.current_version(door.db()))
    return render_template("models/one.html", shown=shown, current=current, **pictures(shown.card["report"]))


@bp.post("/<version>/promote")
@door.requires("models.change")
def promote(version: str) -> Response | tuple[str, int]:
    """Lets this version read from now on; what the gate refuses, or another one's change, is told on the page."""

    def act() -> str:
        operations.promote(
            door.db(), door.scope(), version, now=door.now(), instead_of=request.form.get("instead_of") or None
        )
        flash(gettext("已启用 %(version)s，新的原声从现在起由它研读。", version=version), "good")
        return url_for("models.index")

    return _changed(act)


@bp.post("/back")
@door.requires("models.change")
def roll_back() -> Response | tuple[str, int]:
    """Lets the version read again that the one in use took the place of."""

    def act() -> str:
        row = operations.roll_back(
            door.db(), door.scope(), now=door.now(), instead_of=request.form.get("instead_of") or None
        )
        version = row.version if row else queries.shipped_version()
        flash(gettext("已退回 %(version)s。", version=version), "good")
        return url_for("models.index")

    return _changed(act)


def _changed(act: Any) -> Response | tuple[str, int]:
    try:
        return once(act)
    except Conflict as refused:
        door.db().rollback()
        return _index(refused=told(refused)), 409


def pictures(report: Mapping[str, Any]) -> dict[str, Any]:
    """What the report's pictures and tables draw."""
    return {
        "scores": scores(report),
        "calibration": calibration(report),
        "confusion": confusion(report.get("confusion") or {}),
    }
