"""Make the sums of a day again after readings of it were written."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, delete, func, insert, literal, select, text, tuple_
from sqlmodel import Session, col

from experience.measures.tables import TopicDay, TopicDayStale
from experience.voices.queries.topics import KINDS, midnight, tallied
from experience.voices.tables import Reading, Voice

#: Any fixed number: with it and the day, two workers count the same day one after the other.
_COUNTING = 7_263_403
_EPOCH = date(2000, 1, 1)


def count_next(session: Session, now: datetime) -> bool:
    """Counts the day that has waited longest; whether there was one."""
    waiting = select(col(TopicDayStale.day)).order_by(col(TopicDayStale.id)).limit(1)
    day = session.execute(waiting.with_for_update(skip_locked=True)).scalar()
    if day is None:
        return False
    count(session, day)
    return True


def count(session: Session, day: date) -> None:
    """The day's sums as its voices have them now. Notes that come while we count stay, and it is counted again."""
    key = {"key": _COUNTING, "day": (day - _EPOCH).days}
    session.execute(text("select pg_advisory_xact_lock(:key, :day)"), key)
    session.execute(delete(TopicDayStale).where(col(TopicDayStale.day) == day))
    session.execute(delete(TopicDay).where(col(TopicDay.day) == day))
    columns = ["kind", "value", "day", "topic", "n", "texts", "negative", "positive", "sentiment"]
    session.execute(insert(TopicDay).from_select(columns, _sums(day)))


def _sums(day: date) -> Select[Any]:
    topic = col(Reading.topic)
    dimension = {kind: col(getattr(Voice, kind)) for kind in KINDS}
    named = [(func.grouping(column) == 0, kind) for kind, column in dimension.items()]
    valued = [(func.grouping(column) == 0, column) for column in dimension.values()]
    sets = func.grouping_sets(tuple_(topic), *(tuple_(topic, column) for column in dimension.values()))
    return (
        select(case(*named, else_=""), case(*valued, else_=""), literal(day), topic, *tallied())
        .join(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(col(Voice.at) >= midnight(day), col(Voice.at) < midnight(day + timedelta(days=1)))
        .group_by(sets)
    )
