"""Reads of the first page: what changed since yesterday."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from experience.orders.queries import visible as orders_visible
from experience.orders.tables import WorkOrder
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


def voices_waiting(session: Session, scope: Scope, now: datetime) -> tuple[int, int]:
    """Voices of three days that were read as urgent (2 or more), and those nobody has judged for the unsure model."""
    unsure = col(Reading.abstains) & col(Reading.corrected_at).is_(None)
    urgent, unjudged = session.execute(
        select(func.count().filter(col(Reading.urgency) >= 2), func.count().filter(unsure))
        .select_from(Voice)
        .join(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(visible(scope), col(Voice.at) >= now - 3 * DAY)
    ).one()
    return int(urgent), int(unjudged)


@dataclass(frozen=True, slots=True)
class Moves:
    """What happened to orders in the last 24 hours, and in the 24 hours before."""

    dispatched: int
    dispatched_before: int
    archived: int
    archived_before: int
    breached: int
    breached_before: int


def moves(session: Session, scope: Scope, now: datetime) -> Moves:
    """Orders dispatched, archived and newly late, yesterday and today."""
    columns = (col(WorkOrder.dispatched_at), col(WorkOrder.archived_at), col(WorkOrder.breached_at))
    counted = [
        func.count().filter(column >= start, column < start + DAY)
        for column in columns
        for start in (now - DAY, now - 2 * DAY)
    ]
    lately = or_(*(column >= now - 2 * DAY for column in columns))
    row = session.execute(select(*counted).select_from(WorkOrder).where(orders_visible(scope), lately)).one()
    return Moves(*row)


def total(changes: list[Change]) -> Change:
    """All topics together."""
    return Change(
        "",
        sum(c.now for c in changes),
        sum(c.before for c in changes),
        sum(c.negative for c in changes),
        sum(c.negative_before for c in changes),
    )
