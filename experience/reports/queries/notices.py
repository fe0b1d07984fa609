"""Reads of one's own notices."""

from sqlalchemy import func, select
from sqlmodel import Session, col

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.notices.tables import Notice


def unread(session: Session, user_id: int) -> int:
    """How many notices this user has not opened."""
    query = select(func.count()).select_from(Notice)
    return int(session.execute(query.where(col(Notice.user_id) == user_id, col(Notice.read_at).is_(None))).scalar_one())


def notices(
    session: Session, user_id: int, *, only_unread: bool = False, cursor: str = "", limit: int = 50
) -> tuple[list[Notice], str | None]:
    """One page of a user's notices, newest first, and the cursor of the next."""
    query = select(Notice).where(col(Notice.user_id) == user_id)
    if only_unread:
        query = query.where(col(Notice.read_at).is_(None))
    if cursor:
        if not (cursor.isdecimal() and len(cursor) <= 18):
            raise Invalid(say("翻页标记无效，请从第一页重新打开。"))
        query = query.where(col(Notice.id) < int(cursor))
    found = list(session.execute(query.order_by(col(Notice.id).desc()).limit(limit + 1)).scalars())
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else None
