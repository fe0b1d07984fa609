"""The audit: who did what, when, to which row."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from flask import Blueprint, render_template, request
from sqlmodel import col, select

from experience.audit import queries
from experience.audit.queries import Wanted
from experience.audit.tables import AuditLine
from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.organisation import directory
from experience.organisation.tables import User
from experience.voices import search
from experience.web import door
from experience.web.saying import BEIJING

bp = Blueprint("audit", __name__, url_prefix="/audit")

PAGE = 50


@bp.get("")
@door.requires("audit.read")
def index() -> str:
    """Lines newest first."""
    args = request.args
    wanted = Wanted(
        actor_ids=actors(args.get("actor", "").strip()[:100]),
        act=args.get("act", "").strip()[:60],
        kind=args.get("kind", "").strip()[:60],
        subject=args.get("subject", "").strip()[:200],
        since=_day(args.get("from", "")),
        until=_day(args.get("to", ""), timedelta(days=1)),
    )
    after = search.moment(args["cursor"]) if args.get("cursor") else None
    found = queries.lines(door.db(), wanted, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    following = search.cursor(shown[-1].at.isoformat(), shown[-1].id or 0) if len(found) > PAGE else None
    return render_template("audit/index.html", lines=shown, next=following, names=names(shown))


def actors(login: str) -> list[int] | None:
    """Whose lines may be shown: those of this login, those of the people in the caller's units, or (None) all."""
    scope, session = door.scope(), door.db()
    mine = directory.audited(session, scope)
    if not login:
        return mine
    asked = session.exec(select(User.id).where(User.login == login)).all()
    return [id for id in asked if id is not None and (mine is None or id in mine)]


def names(lines: Sequence[AuditLine]) -> dict[int, str]:
    """Names of the people in these lines."""
    ids = {id for line in lines for id in (line.actor_id, line.acting_for_id) if id is not None}
    found = door.db().exec(select(User.id, User.name).where(col(User.id).in_(ids)))
    return {id: name for id, name in found if id is not None}


def _day(given: str, more: timedelta = timedelta()) -> datetime | None:
    if not given:
        return None
    try:
        return datetime.combine(datetime.fromisoformat(given).date(), time(), BEIJING) + more
    except (ValueError, OverflowError) as error:
        raise Invalid(say("日期有误，请写成 2026-11-23 的样子。")) from error
