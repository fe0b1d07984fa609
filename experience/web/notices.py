"""A person's notices: the page, opening one, and marking them read."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experience.notices import operations
from experience.reports.queries import notices as reads
from experience.web import door

bp = Blueprint("notices", __name__, url_prefix="/notices")

PAGE = 50
MENU = 12


@bp.get("")
@door.requires("home.see")
def index() -> str:
    """One's notices, newest first."""
    me = door.scope().user_id or 0
    only = request.args.get("unread") == "1"
    cursor = request.args.get("cursor", "")
    found, following = reads.notices(door.db(), me, only_unread=only, cursor=cursor, limit=PAGE)
    return render_template("notices/index.html", notices=found, next=following, only=only)


@bp.get("/menu")
@door.requires("home.see")
def menu() -> str:
    """The latest few, to be opened beside any page."""
    found, _ = reads.notices(door.db(), door.scope().user_id or 0, limit=MENU)
    return render_template("notices/menu.html", notices=found)


@bp.post("/<int(max=9223372036854775807):notice_id>")
@door.requires("home.see")
def open_one(notice_id: int) -> Response:
    """Marks a notice read and leads to what it tells of."""
    link = operations.read(door.db(), door.scope(), notice_id, now=door.now())
    door.commit()
    return redirect(link if link.startswith("/") and not link.startswith("//") else url_for("notices.index"), 303)


@bp.post("/read")
@door.requires("home.see")
def read_all() -> Response:
    """Marks all of one's notices read."""
    operations.read_all(door.db(), door.scope(), now=door.now())
    door.commit()
    return redirect(url_for("notices.index"), 303)
