"""Start, stop, pause, resume and re-time an order's clocks, with every stretch written down."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, text, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col

from experience.orders import deadline
from experience.orders.deadline import Limit
from experience.orders.queries.calendars import calendar
from experience.orders.tables import Clock, ClockMark, ClockSegment, OrderRequest, WorkOrder

#: A rejected reply leaves at least this much of the clock: four working hours.
REJECTED_FLOOR_SECONDS = 4 * 3600


_STOP = text("""
    with ended as (
      update clock c set state = n.state, breached_at = n.breached_at, met_at = cast(:met_at as timestamptz)
      from unnest(cast(:ids as bigint[]), cast(:states as text[]), cast(:breaches as timestamptz[]))
        n (id, state, breached_at)
      where c.id = n.id),
    closed as (update clock_segment set to_at = :at where clock_id = any(:ids) and to_at is null)
    delete from clock_mark where clock_id = any(:ids) and fired_at is null
""")


def limit_of(clock: Clock) -> Limit:
    """The clock's limit as it was written in the policy."""
    return deadline.parse(clock.limit_text)


def start(
    session: Session,
    order: WorkOrder,
    kind: str,
    limit_text: str,
    *,
    at: datetime,
    calendar_name: str,
    budget: float | None = None,
    latest: datetime | None = None,
) -> Clock:
    """A running clock with its marks.

    `budget` (seconds of the limit's own time) replaces the limit's own length; `latest` caps the due instant (a child
    ends before its parent).
    """
    limit, days = deadline.parse(limit_text), calendar(session, calendar_name)
    total = deadline.budget(days, limit, at) if budget is None else budget
    due = deadline.due(days, at, limit) if budget is None else deadline.forward(days, limit, at, total)
    if latest is not None and due > latest:
        total = deadline.counted(days, limit, at, latest)
        due = deadline.forward(days, limit, at, total)
    clock = Clock(
        order_id=order.id or 0,
        cycle=order.cycle,
        kind=kind,
        unit=limit.unit,
        limit_text=limit_text,
        budget_seconds=total,
        calendar=calendar_name,
        started_at=at,
        due_at=due,
        original_due_at=due,
        is_provisional=not days.is_covered(due),
    )
    session.add(clock)
    session.flush()
    session.add(ClockSegment(clock_id=clock.id or 0, from_at=at))
    _ring(session, clock, at, used=0.0)
    return clock


def hold(session: Session, order: WorkOrder, *, at: datetime, calendar_name: str) -> Clock:
    """The clock that says how long the unit holds the order; it has no due."""
    clock = Clock(
        order_id=order.id or 0,
        cycle=order.cycle,
        kind="hold",
        unit="nh",
        limit_text="",
        budget_seconds=0,
        calendar=calendar_name,
        started_at=at,
    )
    session.add(clock)
    session.flush()
    session.add(ClockSegment(clock_id=clock.id or 0, from_at=at))
    return clock


def _ring(session: Session, clock: Clock, at: datetime, *, used: float) -> None:
    """Marks of the clock's generation for every level not reached yet, counted from `at` with `used` seconds gone."""
    days, limit = calendar(session, clock.calendar), limit_of(clock)
    rung = set(
        session.execute(
            select(col(ClockMark.level)).where(
                col(ClockMark.clock_id) == clock.id, col(ClockMark.fired_at).is_not(None)
            )
        ).scalars()
        if clock.generation > 1
        else ()
    )
    rows = [
        {
            "clock_id": clock.id,
            "order_id": clock.order_id,
            "level": level,
            "generation": clock.generation,
            "due_at": deadline.forward(days, limit, at, max(clock.budget_seconds * level / 100 - used, 0)),
        }
        for level in deadline.LEVELS
        if level not in rung
    ]
    if rows:
        session.execute(insert(ClockMark), rows)


def used(session: Session, clock: Clock, now: datetime) -> float:
    """Seconds of the clock's own time counted so far."""
    if clock.state != "running":
        return clock.budget_seconds - (clock.remaining_seconds or 0)
    days, limit = calendar(session, clock.calendar), limit_of(clock)
    segments = session.execute(
        select(col(ClockSegment.from_at), col(ClockSegment.to_at)).where(
            col(ClockSegment.clock_id) == clock.id, col(ClockSegment.is_counted)
        )
    ).all()
    return sum(deadline.counted(days, limit, begin, end or now) for begin, end in segments)


def stop(session: Session, clocks: Iterable[Clock], *, at: datetime, is_met: bool = True) -> None:
    """Ends these clocks, met in time or met after a breach, or cancelled; their unfired marks go."""
    ending = [clock for clock in clocks if clock.state in ("running", "paused")]
    if not ending:
        return
    session.flush()
    for clock in ending:
        is_late = clock.due_at is not None and at > clock.due_at
        breached = clock.due_at if is_late and is_met and clock.breached_at is None else clock.breached_at
        state = ("breached_met" if breached or is_late else "met") if is_met else "cancelled"
        for name, value in (("state", state), ("breached_at", breached), ("met_at", at if is_met else None)):
            set_committed_value(clock, name, value)
    told = {
        "ids": [clock.id for clock in ending],
        "states": [clock.state for clock in ending],
        "breaches": [clock.breached_at for clock in ending],
        "met_at": at if is_met else None,
        "at": at,
    }
    session.connection().execute(_STOP, told)


def _silence(session: Session, ids: Iterable[int | None]) -> None:
    session.execute(delete(ClockMark).where(col(ClockMark.clock_id).in_(list(ids)), col(ClockMark.fired_at).is_(None)))


def pause(session: Session, clock: Clock, *, at: datetime, reason: str) -> None:
    """Stops counting from `at` (which may lie before now); what is left is remembered."""
    at = _not_before_the_open_stretch(session, clock, at)
    spent = used(session, clock, at)
    clock.remaining_seconds = max(clock.budget_seconds - spent, 0)
    clock.state = "paused"
    session.add(clock)
    close = update(ClockSegment).where(col(ClockSegment.clock_id) == clock.id, col(ClockSegment.to_at).is_(None))
    session.execute(close.values(to_at=at))
    session.add(ClockSegment(clock_id=clock.id or 0, from_at=at, is_counted=False, reason=reason[:200]))
    _silence(session, [clock.id])


def _not_before_the_open_stretch(session: Session, clock: Clock, at: datetime) -> datetime:
    """`at`, or the start of what runs now if that is later: what is written down is never counted anew."""
    is_open = col(ClockSegment.clock_id) == clock.id, col(ClockSegment.to_at).is_(None)
    begun = session.execute(select(func.max(col(ClockSegment.from_at))).where(*is_open)).scalar_one()
    return max(at, begun) if begun else at


def resume(session: Session, clock: Clock, *, at: datetime, floor: float = 0.0) -> None:
    """Counts on from `at` with what was left, at least `floor` seconds; unfired marks are timed anew."""
    at = _not_before_the_open_stretch(session, clock, at)
    left = max(clock.remaining_seconds or 0.0, floor)
    if left > (clock.remaining_seconds or 0.0):  # a late clock has spent more than its budget
        clock.budget_seconds = _counted_until(session, clock, at) + left
    spent = clock.budget_seconds - left
    clock.state, clock.met_at, clock.remaining_seconds = "running", None, None
    clock.generation += 1
    days, limit = calendar(session, clock.calendar), limit_of(clock)
    clock.due_at = deadline.forward(days, limit, at, left)
    clock.is_provisional = not days.is_covered(clock.due_at)
    session.add(clock)
    close = update(ClockSegment).where(col(ClockSegment.clock_id) == clock.id, col(ClockSegment.to_at).is_(None))
    session.execute(close.values(to_at=at))
    session.add(ClockSegment(clock_id=clock.id or 0, from_at=at))
    _ring(session, clock, at, used=spent)


def take_back(session: Session, clock: Clock, *, submitted_at: datetime, now: datetime) -> None:
    """A reply was refused: the tentative stop is undone, the time of the review is left out."""
    clock.remaining_seconds = max(clock.budget_seconds - _counted_until(session, clock, submitted_at), 0)
    session.add(ClockSegment(clock_id=clock.id or 0, from_at=submitted_at, is_counted=False, reason="review"))
    session.flush()
    resume(session, clock, at=now, floor=REJECTED_FLOOR_SECONDS)


def _counted_until(session: Session, clock: Clock, end: datetime) -> float:
    days, limit = calendar(session, clock.calendar), limit_of(clock)
    segments = session.execute(
        select(col(ClockSegment.from_at), col(ClockSegment.to_at)).where(
            col(ClockSegment.clock_id) == clock.id, col(ClockSegment.is_counted)
        )
    ).all()
    return sum(deadline.counted(days, limit, begin, stop_ or end) for begin, stop_ in segments)


def run_on(session: Session, clock: Clock | None) -> None:
    """The statutory clock was stopped too early: it has run all along, as nothing pauses it; its due stays."""
    if clock is None or clock.met_at is None:
        return
    spent = _counted_until(session, clock, clock.met_at)
    session.add(ClockSegment(clock_id=clock.id or 0, from_at=clock.met_at))
    clock.generation += 1
    at, clock.state, clock.met_at = clock.met_at, "running", None
    session.add(clock)
    _ring(session, clock, at, used=spent)


def move(session: Session, clock: Clock, *, due_at: datetime, now: datetime) -> None:
    """Another due; unfired marks are timed anew, the original due is kept.

    A due that is past already (an order taken over late) is the working instant at which the time was used up.
    """
    days, limit = calendar(session, clock.calendar), limit_of(clock)
    clock.budget_seconds = used(session, clock, now) + deadline.counted(days, limit, now, max(due_at, now))
    begun, before = _open_stretch(session, clock)
    clock.due_at = deadline.forward(days, limit, begun, clock.budget_seconds - before)
    clock.is_provisional = not days.is_covered(clock.due_at)
    clock.generation += 1
    session.add(clock)
    _silence(session, [clock.id])
    _ring(session, clock, begun, used=before)


def _open_stretch(session: Session, clock: Clock) -> tuple[datetime, float]:
    """When the stretch that runs now began, and the seconds counted before it."""
    is_open = col(ClockSegment.clock_id) == clock.id, col(ClockSegment.to_at).is_(None)
    begun = session.execute(select(col(ClockSegment.from_at)).where(*is_open)).scalar_one()
    return begun, used(session, clock, begun)


_NEXT_MARK = select(func.min(col(ClockMark.due_at))).where(
    col(ClockMark.order_id) == WorkOrder.id, col(ClockMark.fired_at).is_(None)
)
_NEXT_ANSWER = select(func.min(col(OrderRequest.expires_at))).where(
    col(OrderRequest.order_id) == WorkOrder.id,
    or_(col(OrderRequest.state) == "pending", col(OrderRequest.kind) == "suspend"),
)
#: SQL of an order's next due instant: its first unfired mark, a pending request's end, or the end of a suspension.
NEXT_INSTANT: Any = func.least(
    _NEXT_MARK.correlate(WorkOrder).scalar_subquery(), _NEXT_ANSWER.correlate(WorkOrder).scalar_subquery()
)
