"""Counts of topics by day and place, within the caller's scope: from sums kept by the day where they are true.

A question about one dimension (all provinces, one province, one touchpoint …) is answered from `topic_day`; days whose
sums are being made again, and questions about several dimensions at once, are counted from the voices themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from sqlalchemy import Date, Select, cast, false, func, literal, or_, select, union_all
from sqlmodel import Session, col

from experience.measures.tables import TopicDay, TopicDayStale
from experience.organisation.permissions import Scope
from experience.voices.queries.lists import UNNAMED, Filters, conditions
from experience.voices.tables import Reading, Voice
from experience.voices.trends import Span, Tally, added

BEIJING = timezone(timedelta(hours=8))
#: The dimensions by which sums are kept.
KINDS = ("province", "touchpoint", "product", "source")
#: The longest stretch that is counted for a list.
LONGEST = timedelta(days=366)
#: Fields of a filter that `topic_day` can answer; any other makes us count the voices.
_SUMMED = (*KINDS, "topic", "since", "until", "sort")
_TALLY = tuple(field.name for field in fields(Tally))
_DIMENSION: dict[str, Any] = {
    "province": Voice.province,
    "touchpoint": Voice.touchpoint,
    "product": Voice.product,
    "source": Voice.source,
}


def midnight(day: date) -> datetime:
    """When the day begins in Beijing."""
    return datetime.combine(day, time(), BEIJING)


def by_day(session: Session, scope: Scope, filters: Filters, span: Span) -> dict[str, dict[date, Tally]]:
    """Topic -> day -> tally of the span's voices; `filters.since` and `until` are left aside."""
    counted = _counted(session, scope, filters, (span, ""))
    rows = session.execute(_summed(counted, counted.c.topic, counted.c.day))
    made: dict[str, dict[date, Tally]] = {}
    for topic, day, *sums in rows:
        made.setdefault(topic, {})[day] = _tally(sums)
    return made


def by_place(
    session: Session, scope: Scope, filters: Filters, span: Span, *, kind: str
) -> dict[tuple[str, str], Tally]:
    """(place, topic) -> tally of the span's voices; `kind` is one of KINDS."""
    counted = _counted(session, scope, filters, (span, kind))
    rows = session.execute(_summed(counted, counted.c.value, counted.c.topic))
    return {(value, topic): _tally(sums) for value, topic, *sums in rows}


def total(session: Session, scope: Scope, filters: Filters) -> Tally | None:
    """How many voices a list of whole days shows; None where that is not bounded by days, or words are searched."""
    if filters.q or not (filters.since and filters.until) or filters.until - filters.since > LONGEST:
        return None
    last = (filters.until - timedelta(days=1)).astimezone(BEIJING).date()
    by_topic = by_day(session, scope, filters, Span(filters.since.astimezone(BEIJING).date(), last))
    return added(tally for days in by_topic.values() for tally in days.values())


def values(session: Session, kind: str, span: Span, *, limit: int = 200) -> list[str]:
    """The codes that voices of the span named in this dimension."""
    found = select(col(TopicDay.value)).where(
        col(TopicDay.kind) == kind, col(TopicDay.day).between(span.first, span.last), col(TopicDay.value) != ""
    )
    return list(session.scalars(found.distinct().order_by(col(TopicDay.value)).limit(limit)))


def _tally(sums: Sequence[Any]) -> Tally:
    n, texts, negative, positive, sentiment = sums
    return Tally(int(n), int(texts), int(negative), int(positive), float(sentiment))


def _summed(counted: Any, *groups: Any) -> Select[Any]:
    return select(*groups, *(func.sum(counted.c[name]) for name in _TALLY)).group_by(*groups)


def _counted(session: Session, scope: Scope, filters: Filters, asked: tuple[Span, str]) -> Any:
    """Rows of (day, value, topic, tally) that together are the span's voices."""
    span, kind = asked
    kept = _kept(scope, filters, kind)
    if kept is None:
        return _live(scope, filters, [span], kind).subquery()
    stale = _stale(session, span)
    true_rows = kept.where(col(TopicDay.day).between(span.first, span.last), col(TopicDay.day).not_in(stale))
    if filters.topic:
        true_rows = true_rows.where(col(TopicDay.topic) == filters.topic)
    if not stale:
        return true_rows.subquery()
    return union_all(true_rows, _live(scope, filters, _runs(stale), kind)).subquery()


@dataclass(frozen=True, slots=True)
class _Pin:
    """A dimension held to some values by a filter or by the scope."""

    kind: str
    values: Sequence[str]


def _kept(scope: Scope, filters: Filters, kind: str) -> Select[Any] | None:
    """The sums that answer the question, or None when none were kept for it."""
    if any(getattr(filters, field.name) != field.default for field in fields(Filters) if field.name not in _SUMMED):
        return None
    pins = [_Pin(name, [_meant(getattr(filters, name))]) for name in KINDS if getattr(filters, name)]
    reach = scope.reach("voices.read")
    if not reach.is_everything:
        if reach.product_lines:
            return None
        pins.append(_Pin("province", sorted(reach.territories)))
    dimensions = {pin.kind for pin in pins} | ({kind} - {""})
    if len(dimensions) > 1:
        return None
    held = next(iter(dimensions), "")
    value = col(TopicDay.value) if kind else literal("")
    kept = select(col(TopicDay.day), value.label("value"), col(TopicDay.topic), *(getattr(TopicDay, n) for n in _TALLY))
    return kept.where(col(TopicDay.kind) == held, *(col(TopicDay.value).in_(pin.values) for pin in pins))


def _meant(given: str) -> str:
    return "" if given == UNNAMED else given


def _stale(session: Session, span: Span) -> list[date]:
    found = select(col(TopicDayStale.day)).where(col(TopicDayStale.day).between(span.first, span.last))
    return sorted(session.scalars(found.distinct()))


def _runs(days: Sequence[date]) -> list[Span]:
    """The days as runs without gaps."""
    runs: list[Span] = []
    for day in days:
        if runs and runs[-1].last + timedelta(days=1) == day:
            runs[-1] = Span(runs[-1].first, day)
        else:
            runs.append(Span(day, day))
    return runs


def _live(scope: Scope, filters: Filters, spans: Sequence[Span], kind: str) -> Select[Any]:
    """The same counted from the voices."""
    named = {field.name: getattr(filters, field.name) for field in fields(Filters)}
    narrowed = Filters(**(named | {"since": None, "until": None}))
    within = [
        (col(Voice.at) >= midnight(s.first)) & (col(Voice.at) < midnight(s.last + timedelta(days=1))) for s in spans
    ]
    day = cast(func.timezone("Asia/Shanghai", col(Voice.at)), Date)
    value = col(_DIMENSION[kind]) if kind else literal("")
    groups: list[Any] = [day.label("day"), value.label("value"), col(Reading.topic).label("topic")]
    counted: Select[Any] = select(*groups, *tallied()).join(Reading, col(Reading.voice_id) == col(Voice.id))
    return counted.where(or_(false(), *within), *conditions(scope, narrowed)).group_by(
        day, *([value] if kind else []), col(Reading.topic)
    )


def tallied() -> list[Any]:
    """A tally of grouped voices as columns; a text without a fingerprint is like no other."""
    alike = func.coalesce(func.nullif(col(Voice.fingerprint), 0), -col(Voice.id))
    return [
        func.count().label("n"),
        func.count(alike.distinct()).label("texts"),
        func.count().filter(col(Reading.label) == "negative").label("negative"),
        func.count().filter(col(Reading.label) == "positive").label("positive"),
        func.coalesce(func.sum(col(Reading.sentiment)), 0.0).label("sentiment"),
    ]
