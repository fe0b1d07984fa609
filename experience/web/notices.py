"""A person's notices: the page, opening one, and marking them read."""

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from sqlmodel import select
from werkzeug.wrappers import Response

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.notices import operations, queries
from experience.notices.tables import Notice
from experience.voices import search
from experience.web import door
from experience.web.saying import BEIJING

bp = Blueprint("notices", __name__, url_prefix="/notices")

PAGE = 50
MENU = 12
LOOKED_AT = 40  # of which the menu folds what is alike
ALIKE = 3  # so many of one kind on one day are told once


@bp.get("")
@door.requires("home.see")
def index() -> str:
    """One's notices, newest first."""
    only, after = request.args.get("unread") == "1", None
    if request.args.get("cursor"):
        at, id = search.place(request.args["cursor"], (str, int))
        after = (datetime.fromisoformat(str(at)), int(id))
    found = queries.mine(door.db(), door.scope(), after=after, limit=PAGE + 1, unread=only)
    shown = found[:PAGE]
    following = search.cursor(shown[-1].at.isoformat(), shown[-1].id or 0) if len(found) > PAGE else None
    return render_template("notices/index.html", runs=runs(shown), next=following, shown=len(shown), only=only)


@bp.get("/menu")
@door.requires("home.see")
def menu() -> str:
    """The latest few, to be opened beside any page."""
    found = queries.mine(door.db(), door.scope(), limit=LOOKED_AT)
    return render_template("notices/menu.html", runs=runs(found)[:MENU])


def runs(notices: Sequence[Notice]) -> list[list[Notice]]:
    """The notices in their order; `ALIKE` or more of one kind and day, all read or all unread, stand at the newest."""
    kinds: dict[object, list[Notice]] = {}
    for one in notices:
        kinds.setdefault((one.sentence, one.read_at is None, one.at.astimezone(BEIJING).date()), []).append(one)
    parts = (part for run in kinds.values() for part in ([run] if len(run) >= ALIKE else [[one] for one in run]))
    return sorted(parts, key=lambda part: (part[0].at, part[0].id or 0), reverse=True)


@bp.post("/<int(max=9223372036854775807):notice_id>")
@door.requires("home.see")
def open_one(notice_id: int) -> Response:
    """Marks a notice read and leads to what it tells of."""
    mine = select(Notice.link).where(Notice.id == notice_id, Notice.user_id == door.scope().user_id)
    link = door.db().exec(mine).first()
    if link is None:
        raise NotFound(say("没有这条通知。"))
    operations.mark_read(door.db(), door.scope(), [notice_id], now=door.now())
    door.commit()
    return redirect(link if link.startswith("/") and not link.startswith("//") else url_for("notices.index"), 303)


@bp.post("/read")
@door.requires("home.see")
def read_all() -> Response:
    """Marks all of one's notices read."""
    operations.mark_read(door.db(), door.scope(), None, now=door.now())
    door.commit()
    return redirect(url_for("notices.index"), 303)
