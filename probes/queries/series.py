"""The series of a touchpoint and its funnel, in the caller's provinces."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.measures import queries as measures
from experience.measures.queries import Span
from experience.organisation.permissions import Scope
from probes import indicators
from probes.indicators import FunnelStep, Point
from probes.tables import ProbeEvent

#: Points in one answer at the most.
MOST_POINTS = 5_000
FUNNEL_DAYS = 7
_HOUR = 3600


def provinces(scope: Scope, province: str = "", *, act: str = "touchpoints.read") -> Sequence[str]:
    """Whose numbers the caller sees: one province, all of the caller's, or all together ('')."""
    reach = scope.reach(act)
    if province:
        return (province,) if reach.sees_province(province) else ()
    return ("",) if reach.is_everything else tuple(sorted(reach.territories))


def points(
    session: Session,
    scope: Scope,
    touchpoint: str,
    *,
    start: datetime,
    end: datetime,
    step: str,
    province: str = "",
) -> list[Point]:
    """One point a window that has counts, oldest first. Raises Invalid for an unknown step or too long a stretch."""
    if step not in indicators.STEPS:
        raise Invalid(
            say("step 只能是 %(all)s。", all="、".join(indicators.STEPS)), [{"field": "step", "sentence": ""}]
        )
    seconds = indicators.STEPS[step]
    if end <= start or (end - start).total_seconds() / seconds > MOST_POINTS:
        raise Invalid(say("时间范围太长或颠倒，请缩短范围或放大步长。"), [{"field": "from", "sentence": ""}])
    where, session_key = provinces(scope, province), f"sessions:{seconds}"
    span = Span(seconds, start, end, tuple(where))
    counts = measures.series(session, touchpoint, (*indicators.KEYS, session_key), span)
    durations = measures.histograms(session, touchpoint, "ms", span)
    distinct = _distinct(session, touchpoint, span) if seconds < _HOUR else {}
    return [
        Point(
            at=at,
            counts={key: count.n for key, count in keys.items() if key != session_key},
            durations=durations.get(at, {}),
            sessions=keys[session_key].n if session_key in keys else distinct.get(at, 0),
        )
        for at, keys in sorted(counts.items())
    ]


def _distinct(session: Session, touchpoint: str, span: Span) -> dict[datetime, int]:
    """Distinct sessions a short window, from the raw events."""
    window = func.to_timestamp(
        func.floor(func.extract("epoch", col(ProbeEvent.at)) / span.window_seconds) * span.window_seconds
    )
    found = (
        select(window, func.count(func.distinct(ProbeEvent.session)))
        .where(
            ProbeEvent.touchpoint == touchpoint,
            ProbeEvent.at >= span.start,
            ProbeEvent.at < span.end,
            ProbeEvent.session != "",
            *([] if "" in span.provinces else [col(ProbeEvent.province).in_(span.provinces)]),
        )
        .group_by(window)
    )
    return {at.astimezone(UTC): n for at, n in session.execute(found).all()}


def funnel_of(
    session: Session, scope: Scope, touchpoint: str, steps: Sequence[str], *, end: datetime, province: str = ""
) -> list[FunnelStep]:
    """Distinct sessions that reached each step in the last seven days, start and success around the steps."""
    where = provinces(scope, province)
    name = func.coalesce(func.nullif(ProbeEvent.step, ""), ProbeEvent.type)
    reached = (
        select(name, func.count(func.distinct(ProbeEvent.session)))
        .where(
            ProbeEvent.touchpoint == touchpoint,
            ProbeEvent.at >= end - timedelta(days=FUNNEL_DAYS),
            ProbeEvent.at < end,
            col(ProbeEvent.type).in_(("start", "step", "success")),
            *([] if "" in where else [col(ProbeEvent.province).in_(where)]),
        )
        .group_by(name)
    )
    counts = {step: int(n) for step, n in session.execute(reached)}
    return indicators.funnel(["start", *steps, "success"], counts)
