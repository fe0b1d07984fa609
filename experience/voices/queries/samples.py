"""A bounded look into the voices of one topic: the newest of a span, with what was read in them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session, col

from experience.organisation.permissions import Scope
from experience.voices.gist import Read
from experience.voices.queries.lists import Filters, conditions
from experience.voices.tables import Reading, Voice

#: Newest readings that are looked at for what a topic is about, and texts for its summary.
LOOKED_AT, TEXTS = 600, 120


def newest(session: Session, scope: Scope, filters: Filters, *, limit: int = LOOKED_AT) -> list[Read]:
    """What was read in the newest voices under these filters."""
    rows = session.execute(
        select(
            col(Voice.id), col(Voice.fingerprint), col(Reading.label), col(Reading.sentiment), col(Reading.topics),
            col(Reading.aspects), col(Reading.keywords),
        )
        .join(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(*conditions(scope, filters))
        .order_by(col(Voice.at).desc(), col(Voice.id).desc())
        .limit(limit)
    )  # fmt: skip
    return [Read(*row) for row in rows]


def keywords(session: Session, scope: Scope, filters: Filters, *, limit: int = LOOKED_AT) -> list[Sequence[str]]:
    """The keywords of the newest voices under these filters."""
    rows = session.execute(
        select(col(Reading.keywords))
        .join(Voice, col(Reading.voice_id) == col(Voice.id))
        .where(*conditions(scope, filters))
        .order_by(col(Voice.at).desc(), col(Voice.id).desc())
        .limit(limit)
    )
    return [found for (found,) in rows]


def texts(session: Session, read: Sequence[Read]) -> list[str]:
    """What the first of these voices say, masked, each fingerprint once."""
    once = {one.fingerprint or -one.id: one.id for one in reversed(read)}
    chosen = sorted(once.values(), reverse=True)[:TEXTS]
    return list(session.scalars(select(col(Voice.masked)).where(col(Voice.id).in_(chosen)).order_by(col(Voice.id))))
