"""Recompute what is stored from what was written down: chains of steps, clocks, marks. Differences are told."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from sqlmodel import Session, col, select

from experience.orders import deadline, lifecycle
from experience.orders.operations.clocks import next_instant
from experience.orders.operations.holding import sealed
from experience.orders.queries.calendars import Change, calendar, changes, keeps_promise
from experience.orders.tables import Clock, ClockMark, ClockSegment, OrderStep, WorkOrder

_TOLERANCE_SECONDS = 2.0
_LIVE = ("running", "paused")


def verify(session: Session) -> Iterator[str]:
    """One sentence for each difference; none means that history and state agree."""
    session.flush()
    orders = {order.id or 0: order for order in session.exec(select(WorkOrder))}
    yield from _chains(session, orders)
    lives, changed = _lives(session), changes(session)
    for life in lives:
        code = orders[life.clock.order_id].code
        for told in (*_shape(life), *_verdict(life), *_dues(session, life, changed)):
            yield f"{code}: {life.clock.kind} clock {life.clock.id}: {told}"
    yield from _orders(session, orders, lives)


def _chains(session: Session, orders: dict[int, WorkOrder]) -> Iterator[str]:
    steps = session.exec(select(OrderStep).order_by(col(OrderStep.order_id), col(OrderStep.seq)))
    seen = set()
    for order_id, chain in groupby(steps, key=lambda one: one.order_id):
        seen.add(order_id)
        yield from _chain(orders[order_id], list(chain))
    yield from (f"{order.code}: no step at all" for id_, order in orders.items() if id_ not in seen)


def _chain(order: WorkOrder, chain: Sequence[OrderStep]) -> Iterator[str]:
    before, state, seq = "", None, 0
    for one in chain:
        if one.prev_hash != before or one.hash != sealed(one.model_dump()) or one.seq != seq + 1:
            yield f"{order.code}: step {one.seq} does not fit its chain"
        if state is not None and one.from_state != state:
            yield f"{order.code}: step {one.seq} starts at {one.from_state}, the one before ended at {state}"
        before, state, seq = one.hash, one.to_state, one.seq
    if (order.state, order.version, order.last_hash) != (state, seq, before):
        yield f"{order.code}: the order says {order.state} v{order.version}, its steps {state} v{seq}"


@dataclass
class _Life:
    """A clock with its stretches and marks, each in the order they were written."""

    clock: Clock
    stretches: list[ClockSegment] = field(default_factory=list)
    marks: list[ClockMark] = field(default_factory=list)


def _lives(session: Session) -> list[_Life]:
    lives = {clock.id: _Life(clock) for clock in session.exec(select(Clock).order_by(col(Clock.id)))}
    for segment in session.exec(select(ClockSegment).order_by(col(ClockSegment.id))):
        lives[segment.clock_id].stretches.append(segment)
    for mark in session.exec(select(ClockMark).order_by(col(ClockMark.id))):
        lives[mark.clock_id].marks.append(mark)
    return list(lives.values())


def _shape(life: _Life) -> Iterator[str]:
    """Stretches follow one another from the start to the end, and one is open while the clock lives."""
    clock, stretches = life.clock, life.stretches
    if not stretches:
        yield "no stretch at all"
        return
    if stretches[0].from_at != clock.started_at:
        yield f"started {clock.started_at}, its first stretch {stretches[0].from_at}"
    for one, other in pairwise(stretches):
        if one.to_at != other.from_at:
            yield f"a stretch ends {one.to_at}, the next begins {other.from_at}"
    yield from (f"a stretch ends before it begins, {s.from_at}" for s in stretches if s.to_at and s.to_at < s.from_at)
    if (stretches[-1].to_at is None) != (clock.state in _LIVE):
        yield f"{clock.state}, its last stretch ends {stretches[-1].to_at}"
    if clock.met_at != (stretches[-1].to_at if clock.state in ("met", "breached_met") else None):
        yield f"{clock.state} at {clock.met_at}, its last stretch ends {stretches[-1].to_at}"


def _verdict(life: _Life) -> Iterator[str]:
    """Late is late: what was missed says so, and says when."""
    clock = life.clock
    if clock.generation == 1 and clock.breached_at not in (None, clock.due_at):
        yield f"breached at {clock.breached_at}, due {clock.due_at}"
    is_late = clock.met_at is not None and clock.due_at is not None and clock.met_at > clock.due_at
    is_breached = is_late or clock.breached_at is not None
    if clock.state in ("met", "breached_met") and is_breached != (clock.state == "breached_met"):
        yield f"{clock.state} at {clock.met_at}, due {clock.due_at}, breached {clock.breached_at}"
    if clock.generation == 1 and clock.original_due_at != clock.due_at:
        yield f"originally due {clock.original_due_at}, due {clock.due_at}, yet never moved"


def _dues(session: Session, life: _Life, changed: Sequence[Change]) -> Iterator[str]:
    """The due and the marks, from the budget and the stretches.

    A clock that ended while holidays were not announced yet was right by what was known then; one that ran when a day
    under it was changed keeps what was promised.
    """
    clock = life.clock
    counting = [s for s in life.stretches if s.is_counted]
    is_open, is_statutory = clock.state in _LIVE, clock.kind == "statutory"
    if clock.state != "running" and any(mark.fired_at is None for mark in life.marks):
        yield f"{clock.state}, yet a mark is still to fire"
    if clock.due_at is None or not counting or (clock.is_provisional and not is_open):
        return
    days, limit = calendar(session, clock.calendar), deadline.parse(clock.limit_text)
    last = counting[-1]
    until = max([clock.due_at, *(mark.due_at for mark in life.marks)])
    if keeps_promise(session, clock, last.from_at, until, changed):
        return
    spent = sum(deadline.counted(days, limit, s.from_at, s.to_at) for s in counting[:-1] if s.to_at)

    def reached(share: float) -> datetime:
        return deadline.forward(days, limit, last.from_at, max(clock.budget_seconds * share - spent, 0))

    # nothing pauses the statutory clock, and an answer refused after its due does not move it
    due = deadline.forward(days, limit, clock.started_at, clock.budget_seconds) if is_statutory else reached(1)
    if _differs(due, clock.due_at):
        yield f"due {clock.due_at}, recomputed {due}"
    if clock.state == "running":
        yield from _marks(life, {level: reached(level / 100) for level in deadline.LEVELS})


def _marks(life: _Life, expected: dict[int, datetime]) -> Iterator[str]:
    fired = {mark.level for mark in life.marks if mark.fired_at is not None}
    waiting = {m.level: m.due_at for m in life.marks if m.fired_at is None and m.generation == life.clock.generation}
    for level, at in expected.items():
        if level in fired:
            continue
        if level not in waiting:
            yield f"no mark at {level} %"
        elif _differs(waiting[level], at):
            yield f"mark at {level} % due {waiting[level]}, recomputed {at}"


def _differs(one: datetime, other: datetime) -> bool:
    return abs((one - other).total_seconds()) > _TOLERANCE_SECONDS


def _orders(session: Session, orders: dict[int, WorkOrder], lives: Iterable[_Life]) -> Iterator[str]:
    clocks: dict[int, list[Clock]] = defaultdict(list)
    for life in lives:
        clocks[life.clock.order_id].append(life.clock)
    for id_, order in orders.items():
        yield from (f"{order.code}: {told}" for told in _order(order, clocks[id_]))
    sweeps: Any = select(WorkOrder.code, WorkOrder.next_due_at, next_instant(0)).order_by(col(WorkOrder.id))
    for code, stored, recomputed in session.exec(sweeps):
        if stored != recomputed:
            yield f"{code}: wakes at {stored}, recomputed {recomputed}"


def _order(order: WorkOrder, clocks: Sequence[Clock]) -> Iterator[str]:
    live = [clock.kind for clock in clocks if clock.state in _LIVE]
    if order.state in lifecycle.FINAL and live:
        yield f"{order.state}, yet {', '.join(live)} still run"
    if order.state not in lifecycle.FINAL and live.count("hold") != 1:
        yield f"{order.state}, held {live.count('hold')} times"
    resolve = [clock for clock in clocks if clock.kind == "resolve"]
    if resolve and order.due_at != resolve[-1].due_at:
        yield f"due {order.due_at}, its resolve clock {resolve[-1].due_at}"
