"""Tell people: a notice for each of them, in the transaction of the act it tells of."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from experience.ground.i18n import Sentence
from experience.notices.tables import Notice
from experience.organisation.permissions import Scope
from experience.organisation.tables import Grant, Unit, User


def tell(
    session: Session,
    *,
    roles: Sequence[str],
    unit_ids: Sequence[int],
    topic: str,
    sentence: str,
    params: Mapping[str, Any],
    link: str,
    dedupe: str,
    now: datetime,
    level: int = 0,
    centre: bool = False,
    centre_roles: Sequence[str] = (),
) -> int:
    """Tells the holders of these roles in these units, and at the centre when `centre`; returns how many.

    The same `dedupe` tells the same person once, whatever crashes in between.
    """
    places = []
    if roles and unit_ids:
        places.append(and_(col(Grant.role).in_(roles), col(Grant.unit_id).in_(unit_ids)))
    if centre:
        places.append(and_(col(Grant.role).in_(centre_roles or roles), col(Unit.kind) == "centre"))
    if not places:
        return 0
    hearers = (
        select(Grant.user_id)
        .join(User, col(User.id) == Grant.user_id)
        .join(Unit, col(Unit.id) == Grant.unit_id)
        .where(col(User.is_active), or_(*places))
        .distinct()
    )
    template = sentence.template if isinstance(sentence, Sentence) else sentence
    rows = [
        {
            "dedupe": f"{dedupe}:{user_id}",
            "user_id": user_id,
            "at": now,
            "topic": topic,
            "level": level,
            "sentence": template,
            "params": dict(params),
            "link": link,
        }
        for user_id in session.exec(hearers)
    ]
    if rows:
        session.execute(insert(Notice).values(rows).on_conflict_do_nothing(index_elements=["dedupe"]))
    return len(rows)


def mark_read(session: Session, scope: Scope, notice_ids: Sequence[int] | None, *, now: datetime) -> None:
    """The caller has seen these notices, or all of theirs when None."""
    mine = update(Notice).where(col(Notice.user_id) == scope.user_id, col(Notice.read_at).is_(None))
    if notice_ids is not None:
        mine = mine.where(col(Notice.id).in_(notice_ids))
    session.execute(mine.values(read_at=now))
