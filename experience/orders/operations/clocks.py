"""Start, stop, pause, resume and re-time an order's clocks, with every stretch written down."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import CTE, bindparam, delete, func, insert, literal, or_, select, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col

from experience.orders import deadline
from experience.orders.deadline import Limit
from experience.orders.queries.calendars import calendar
from experience.orders.tables import Clock, ClockMark, ClockSegment, OrderRequest, WorkOrder

#: A rejected reply leaves at least this much of the clock: four working hours.
REJECTED_FLOOR_SECONDS = 4 * 3600


_CLOCKS, _SEGMENTS, _MARKS = Clock.__table__, ClockSegment.__table__, ClockMark.__table__  # type: ignore[attr-defined]


@cache
def endings_beside(count: int) -> tuple[CTE, ...]:
    """Parts of a statement that write down so many clocks ended already; `ending_values` gives their parameters.

    One row by its key each, not one array of keys: so the plan costs the same whatever the keys are, and PostgreSQL
    keeps it instead of planning anew at every act, which takes longer than the writing.
    """
    return tuple(part for number in range(count) for part in _ending_beside(number))


def _ending_beside(number: int) -> tuple[CTE, ...]:
    """The state, the end of the open stretch, and the marks that never fire."""

    def told(name: str, of: Any) -> Any:
        return bindparam(f"ended_{name}_{number}", type_=of.type)

    clock = told("clock", _CLOCKS.c.id)
    changed = {name: told(name, _CLOCKS.c[name]) for name in ("state", "breached_at", "met_at")}
    is_open = _SEGMENTS.c.clock_id == clock, _SEGMENTS.c.to_at.is_(None)
    is_unfired = _MARKS.c.clock_id == clock, _MARKS.c.fired_at.is_(None)
    return (
        update(_CLOCKS).where(_CLOCKS.c.id == clock).values(changed).cte(f"ended_{number}"),
        update(_SEGMENTS).where(*is_open).values(to_at=told("at", _SEGMENTS.c.to_at)).cte(f"closed_{number}"),
        delete(_MARKS).where(*is_unfired).cte(f"silenced_{number}"),
    )


@cache
def _writing_endings(count: int) -> Any:
    return select(literal(1)).add_cte(*endings_beside(count))


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
    ended = end(session, clocks, at=at, is_met=is_met)
    if ended:
        session.flush()
        session.connection().execute(_writing_endings(len(ended)), ending_values((clock, at) for clock in ended))


def end(session: Session, clocks: Iterable[Clock], *, at: datetime, is_met: bool = True) -> list[Clock]:
    """Ends these clocks in memory and returns those that were not ended; `endings_beside` writes it down."""
    ending = [clock for clock in clocks if clock.state in ("running", "paused")]
    if any(session.is_modified(clock) for clock in ending):
        session.flush()
    for clock in ending:
        is_late = clock.due_at is not None and at > clock.due_at
        breached = clock.due_at if is_late and is_met and clock.breached_at is None else clock.breached_at
        state = ("breached_met" if breached or is_late else "met") if is_met else "cancelled"
        for name, value in (("state", state), ("breached_at", breached), ("met_at", at if is_met else None)):
            set_committed_value(clock, name, value)
    return ending


def ending_values(ended: Iterable[tuple[Clock, datetime]]) -> dict[str, Any]:
    """The parameters of `endings_beside`: these clocks, each with the instant it was ended at."""
    values: dict[str, Any] = {}
    for number, (clock, at) in enumerate(ended):
        told = {
            "clock": clock.id,
            "at": at,
            **{name: getattr(clock, name) for name in ("state", "breached_at", "met_at")},
        }
        values |= {f"ended_{name}_{number}": value for name, value in told.items()}
    return values


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


_NEXT_ANSWER = select(func.min(col(OrderRequest.expires_at))).where(
    col(OrderRequest.order_id) == WorkOrder.id,
    or_(col(OrderRequest.state) == "pending", col(OrderRequest.kind) == "suspend"),
)


@cache
def next_instant(ended: int) -> Any:
    """SQL of an order's next due instant: its first unfired mark, a pending request's end, or a suspension's end.

    In a statement with `endings_beside(ended)` the marks of those clocks are left out: what the statement deletes is
    still there for its other parts.
    """
    own = select(func.min(_MARKS.c.due_at)).where(_MARKS.c.order_id == WorkOrder.id, _MARKS.c.fired_at.is_(None))
    gone = (bindparam(f"ended_clock_{number}", type_=_MARKS.c.clock_id.type) for number in range(ended))
    next_mark = own.where(*(_MARKS.c.clock_id != clock for clock in gone))
    return func.least(*(one.correlate(WorkOrder).scalar_subquery() for one in (next_mark, _NEXT_ANSWER)))
