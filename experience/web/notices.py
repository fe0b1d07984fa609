"""A person's notices: the page, opening one, and marking them read."""

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

bp = Blueprint("notices", __name__, url_prefix="/notices")

PAGE = 50
MENU = 12


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
    return render_template("notices/index.html", notices=shown, next=following, only=only)


@bp.get("/menu")
@door.requires("home.see")
def menu() -> str:
    """The latest few, to be opened beside any page."""
    return render_template("notices/menu.html", notices=queries.mine(door.db(), door.scope(), limit=MENU))


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
