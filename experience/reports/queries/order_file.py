"""What an order's page shows beside its card: clocks with pauses, steps with names, follow-ups, effects."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.issues.tables import Issue, IssueSource
from experience.orders.tables import Clock, ClockMark, ClockSegment, Effect, FollowUp, OrderStep, WorkOrder
from experience.organisation.permissions import Scope
from experience.organisation.tables import User
from experience.reports.bars import Timing
from experience.reports.queries.orders import OrderLine, lines, visible
from experience.voices.queries import visible as voices_visible
from experience.voices.tables import Reading, Voice

#: Clocks shown as bars, in this order; `hold` and `dispatch` are told by the steps.
SHOWN_CLOCKS = ("accept", "contact", "resolve", "review", "callback", "supervise", "statutory")


@dataclass(frozen=True, slots=True)
class StepLine:
    """One act on the order and who did it ('' is the system)."""

    seq: int
    at: datetime
    action: str
    from_state: str
    to_state: str
    reason: str
    note: str
    detail: dict[str, Any]
    who: str


@dataclass(frozen=True, slots=True)
class FollowUpLine:
    """A customer asked again, by the voice that started it."""

    state: str
    cycle: int
    created_at: datetime
    answered_at: datetime | None
    is_solved: bool | None
    score: int | None
    note: str
    voice_id: int
    said: str


def order_row(session: Session, scope: Scope, code: str) -> tuple[WorkOrder, Issue]:
    """The order and its issue. Raises NotFound outside the scope."""
    row = session.execute(
        select(WorkOrder, Issue)
        .join(Issue, col(Issue.id) == col(WorkOrder.issue_id))
        .where(col(WorkOrder.code) == code, visible(scope))
    ).first()
    if row is None:
        raise NotFound(say("没有工单 %(code)s，或不在您的范围内。", code=code))
    return row[0], row[1]


def timings(session: Session, order_id: int) -> list[Timing]:
    """The order's clocks with their pauses and the marks of their latest generation, newest cycle first."""
    clocks = session.execute(select(Clock).where(col(Clock.order_id) == order_id)).scalars().all()
    ids = [clock.id for clock in clocks]
    paused: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    segments = select(ClockSegment).where(col(ClockSegment.clock_id).in_(ids), ~col(ClockSegment.is_counted))
    for segment in session.execute(segments).scalars():
        paused[segment.clock_id].append((segment.from_at, segment.to_at))
    marked: dict[tuple[int, int], list[tuple[int, datetime, datetime | None]]] = defaultdict(list)
    for mark in session.execute(select(ClockMark).where(col(ClockMark.order_id) == order_id)).scalars():
        marked[mark.clock_id, mark.generation].append((mark.level, mark.due_at, mark.fired_at))
    made = [
        Timing(
            kind=clock.kind,
            state=clock.state,
            limit=clock.limit_text,
            started_at=clock.started_at,
            due_at=clock.due_at,
            original_due_at=clock.original_due_at,
            ended_at=clock.met_at,
            breached_at=clock.breached_at,
            is_provisional=clock.is_provisional,
            cycle=clock.cycle,
            pauses=tuple(paused[clock.id or 0]),
            marks=tuple(sorted(marked[clock.id or 0, clock.generation])),
        )
        for clock in clocks
        if clock.kind in SHOWN_CLOCKS
    ]
    return sorted(made, key=lambda t: (-t.cycle, SHOWN_CLOCKS.index(t.kind)))


def steps(session: Session, order_id: int) -> list[StepLine]:
    """What was done to the order, newest first."""
    kept: tuple[Any, ...] = (
        OrderStep.seq, OrderStep.at, OrderStep.action, OrderStep.from_state, OrderStep.to_state,
        OrderStep.reason, OrderStep.note, OrderStep.detail, func.coalesce(User.name, ""),
    )  # fmt: skip
    query = select(*kept).outerjoin(User, col(User.id) == col(OrderStep.actor_id))
    found = session.execute(query.where(col(OrderStep.order_id) == order_id).order_by(col(OrderStep.seq).desc()))
    return [StepLine(*row) for row in found]


def children(session: Session, scope: Scope, order_id: int) -> list[OrderLine]:
    """The orders made of this one, within the scope."""
    query = lines().where(col(WorkOrder.parent_id) == order_id, visible(scope)).order_by(col(WorkOrder.id))
    return [OrderLine(*row) for row in session.execute(query)]


def follow_ups(session: Session, order_id: int, *, limit: int = 20) -> tuple[list[FollowUpLine], dict[str, int]]:
    """Customers asked again, answered ones first, and how many per state; `solved` and `unsolved` are counted too."""
    kept: tuple[Any, ...] = (
        FollowUp.state, FollowUp.cycle, FollowUp.created_at, FollowUp.answered_at, FollowUp.is_solved,
        FollowUp.score, FollowUp.note, FollowUp.voice_id, Voice.masked,
    )  # fmt: skip
    query = (
        select(*kept)
        .join(Voice, col(Voice.id) == col(FollowUp.voice_id))
        .where(col(FollowUp.order_id) == order_id)
        .order_by(col(FollowUp.answered_at).desc().nulls_last(), col(FollowUp.id))
    )
    shown = [FollowUpLine(*row) for row in session.execute(query.limit(limit))]
    counted = session.execute(
        select(col(FollowUp.state), col(FollowUp.is_solved), func.count())
        .where(col(FollowUp.order_id) == order_id)
        .group_by(col(FollowUp.state), col(FollowUp.is_solved))
    )
    totals: dict[str, int] = defaultdict(int)
    for state, is_solved, n in counted:
        totals[state] += n
        totals["all"] += n
        if is_solved is not None:
            totals["solved" if is_solved else "unsolved"] += n
    return shown, dict(totals)


def effects(session: Session, *, order_id: int | None = None, issue_id: int | None = None) -> list[Effect]:
    """Before and after, of an order or of all of an issue's orders, newest first."""
    query = select(Effect)
    query = query.where(col(Effect.order_id) == order_id) if order_id else query.where(col(Effect.issue_id) == issue_id)
    return list(session.execute(query.order_by(col(Effect.id).desc()).limit(12)).scalars())


def issue_voices(
    session: Session, scope: Scope, issue_id: int, *, limit: int = 5
) -> list[tuple[Voice, Reading | None]]:
    """The newest voices that prove an issue, as this caller may see them."""
    from_issue = select(col(IssueSource.row)).where(
        col(IssueSource.issue_id) == issue_id, col(IssueSource.kind) == "voice"
    )
    query = (
        select(Voice, Reading)
        .outerjoin(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(col(Voice.id).in_(from_issue), voices_visible(scope))
        .order_by(col(Voice.at).desc(), col(Voice.id).desc())
    )
    return [(row[0], row[1]) for row in session.execute(query.limit(limit))]
