"""Reads of the first page: what changed since yesterday."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from experience.organisation.permissions import Scope
from experience.voices.queries import visible
from experience.voices.tables import Reading, Voice

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Change:
    """How often something was said in the last 24 hours and in the 24 hours before."""

    topic: str
    now: int
    before: int
    negative: int
    negative_before: int

    @property
    def more(self) -> int:
        """By how many it grew; negative when it shrank."""
        return self.now - self.before


def voice_changes(session: Session, scope: Scope, now: datetime) -> list[Change]:
    """Per topic what was said in the last day and the day before, in one pass over two days of voices."""
    lately = col(Voice.at) >= now - DAY
    is_negative = col(Reading.label) == "negative"
    rows = session.execute(
        select(
            col(Reading.topic),
            func.count().filter(lately),
            func.count().filter(~lately),
            func.count().filter(lately & is_negative),
            func.count().filter(~lately & is_negative),
        )
        .join(Voice, col(Voice.id) == col(Reading.voice_id))
        .where(visible(scope), col(Voice.at) >= now - 2 * DAY, col(Voice.at) <= now)
        .group_by(col(Reading.topic))
    )
    return [Change(*row) for row in rows]


def urgent_voices(session: Session, scope: Scope, now: datetime) -> int:
    """How many voices of the last three days were read as urgent (2 or more)."""
    query = select(func.count()).select_from(Voice).join(Reading, col(Reading.voice_id) == col(Voice.id))
    recent = col(Voice.at) >= now - 3 * DAY
    return int(session.execute(query.where(visible(scope), recent, col(Reading.urgency) >= 2)).scalar_one())


def total(changes: list[Change]) -> Change:
    """All topics together."""
    return Change(
        "",
        sum(c.now for c in changes),
        sum(c.before for c in changes),
        sum(c.negative for c in changes),
        sum(c.negative_before for c in changes),
    )
