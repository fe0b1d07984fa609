"""Bring what voices are found by up to this code's form."""

from datetime import datetime

from sqlalchemy import Text, bindparam, cast, update
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Session, col, select, text

from analysis import segment
from experience.voices import search
from experience.voices.tables import Voice

#: Voices of one transaction.
BATCH = 500
#: Said as the index `ix_voice_old_form` says it, or the index is not used; both change with search.FORM.
OLD_FORM = text("search_form < 1 and read_at is not null")


def refresh_next(session: Session, now: datetime) -> bool:  # noqa: ARG001 - every step takes the clock
    """Makes the vectors of some voices kept in an older form anew; whether there were any."""
    claim = select(Voice.id, Voice.masked).where(OLD_FORM).order_by(col(Voice.id)).limit(BATCH)
    old = session.exec(claim.with_for_update(skip_locked=True)).all()
    if old:
        table = Voice.__table__  # type: ignore[attr-defined]
        session.connection().execute(
            update(table)
            .where(table.c.id == bindparam("voice"))
            .values(tokens=cast(cast(bindparam("vector"), Text), TSVECTOR), search_form=search.FORM),
            [{"voice": id, "vector": search.vector(segment.tokens(masked))} for id, masked in old],
        )
    return bool(old)
