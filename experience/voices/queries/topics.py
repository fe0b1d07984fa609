"""What is talked about: topics of a window against the weeks before it."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from experience.organisation.permissions import Scope
from experience.voices.bursts import Heat, heat
from experience.voices.queries.lists import Filters, conditions
from experience.voices.tables import Reading, Voice

WINDOWS_BEFORE = 28


def hot(
    session: Session, scope: Scope, filters: Filters, *, now: datetime, window: timedelta = timedelta(days=1)
) -> list[Heat]:
    """Topics of the last window, bursts first, then by how far they rose; counted within the scope and the filters."""
    is_now = col(Voice.at) > now - window
    counted = (
        select(col(Reading.topic), func.count().filter(is_now), func.count().filter(~is_now))
        .join(Voice, col(Voice.id) == col(Reading.voice_id))
        .where(col(Voice.at) > now - window * (WINDOWS_BEFORE + 1), col(Voice.at) <= now)
        .where(*conditions(scope, filters))
        .group_by(col(Reading.topic))
    )
    found = [heat(topic, n, before, WINDOWS_BEFORE) for topic, n, before in session.execute(counted) if n]
    return sorted(found, key=lambda one: (not one.is_burst, -one.rise, -one.n))
