"""Reads of notices: the caller's own only."""

from datetime import datetime

from sqlalchemy import func, tuple_
from sqlmodel import Session, col, select

from experience.notices.tables import Notice
from experience.organisation.permissions import Scope


def unread_count(session: Session, scope: Scope) -> int:
    """How many notices the caller has not seen."""
    return session.exec(
        select(func.count()).where(Notice.user_id == scope.user_id, col(Notice.read_at).is_(None))
    ).one()


def mine(
    session: Session, scope: Scope, *, after: tuple[datetime, int] | None = None, limit: int = 50, unread: bool = False
) -> list[Notice]:
    """The caller's notices, newest first, from after the cursor (at, id)."""
    found = select(Notice).where(Notice.user_id == scope.user_id)
    if unread:
        found = found.where(col(Notice.read_at).is_(None))
    if after is not None:
        found = found.where(tuple_(col(Notice.at), col(Notice.id)) < after)
    return list(session.exec(found.order_by(col(Notice.at).desc(), col(Notice.id).desc()).limit(limit)))
