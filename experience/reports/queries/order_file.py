"""What an order's page shows beside its card: clocks with pauses, steps with names, follow-ups, effects."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.issues.tables import Issue, IssueSource
from experience.orders import lifecycle
from experience.orders.queries import visible
from experience.orders.queries.standing import Around, actors_of, circumstances, decides
from experience.orders.tables import Clock, ClockMark, ClockSegment, FollowUp, OrderStep, WorkOrder
from experience.organisation.permissions import Scope
from experience.organisation.tables import User
from experience.reports.bars import Timing
from experience.reports.queries.orders import OrderLine, lines
from experience.voices.queries import visible as voices_visible
from experience.voices.tables import Reading, Voice

#: kind of request -> the act held at the centre by which it is decided there (as orders.operations.decide demands).
DECIDERS = {"return": "orders.dispatch", "suspend": "orders.review", "extend": "orders.review"}
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


@dataclass(frozen=True, slots=True)
class File:
    """An order with what stands around it and what the caller may do with it now."""

    order: WorkOrder
    issue: Issue
    parent_code: str  # empty too where the caller may not read it
    around: Around
    allowed: list[str]
    decides: frozenset[str]  # kinds of request the caller may decide here


def order_file(session: Session, scope: Scope, code: str, *, now: datetime) -> File:
    """The order under this code. Raises NotFound outside the scope."""
    parent = aliased(WorkOrder)
    row = session.execute(
        select(WorkOrder, Issue, func.coalesce(parent.code, ""))
        .join(Issue, col(Issue.id) == col(WorkOrder.issue_id))
        .outerjoin(parent, (col(parent.id) == col(WorkOrder.parent_id)) & visible(scope, parent))
        .where(col(WorkOrder.code) == code, visible(scope))
    ).first()
    if row is None:
        raise NotFound(say("没有工单 %(code)s，或不在您的范围内。", code=code))
    order, issue, parent_code = row
    around = circumstances(session, [order])[order.id]
    allowed = lifecycle.allowed(around.standing(order, actors_of(scope, order, around), now))
    decided = frozenset(kind for kind, act in DECIDERS.items() if decides(scope, act, around))
    return File(order, issue, parent_code, around, allowed, decided)


def timings(session: Session, order_id: int) -> list[Timing]:
    """The order's clocks with their pauses and the marks of their latest generation, newest cycle first."""
    rows = session.execute(
        select(Clock, ClockMark)
        .outerjoin(ClockMark, col(ClockMark.clock_id) == col(Clock.id))
        .where(col(Clock.order_id) == order_id, col(Clock.kind).in_(SHOWN_CLOCKS))
        .order_by(col(Clock.id), col(ClockMark.level))
    ).all()
    clocks = list({clock.id: clock for clock, _ in rows}.values())
    marked: dict[tuple[int, int], list[tuple[int, datetime, datetime | None]]] = defaultdict(list)
    for clock, mark in rows:
        if mark is not None:
            marked[clock.id, mark.generation].append((mark.level, mark.due_at, mark.fired_at))
    paused: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    reasons: dict[int, str] = {}
    stopped = select(ClockSegment).join(Clock, col(Clock.id) == col(ClockSegment.clock_id))
    for segment in session.execute(
        stopped.where(col(Clock.order_id) == order_id, ~col(ClockSegment.is_counted))
    ).scalars():
        paused[segment.clock_id].append((segment.from_at, segment.to_at))
        if segment.to_at is None:
            reasons[segment.clock_id] = segment.reason
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
            marks=tuple(marked[clock.id or 0, clock.generation]),
            pause_reason=reasons.get(clock.id or 0, ""),
        )
        for clock in clocks
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
