"""Recompute what is stored from what was written down: chains of steps, states, clocks. Differences are told."""

from collections.abc import Iterator
from itertools import groupby

from sqlmodel import Session, col, select

from experience.orders import deadline
from experience.orders.operations.holding import sealed
from experience.orders.queries.calendars import calendar
from experience.orders.tables import Clock, ClockMark, ClockSegment, OrderStep, WorkOrder

_TOLERANCE_SECONDS = 2.0


def verify(session: Session) -> Iterator[str]:
    """One sentence for each difference; none means that history and state agree."""
    yield from _chains(session)
    yield from _clocks(session)


def _chains(session: Session) -> Iterator[str]:
    orders = {order.id: order for order in session.exec(select(WorkOrder))}
    steps = session.exec(select(OrderStep).order_by(col(OrderStep.order_id), col(OrderStep.seq)))
    seen = set()
    for order_id, chain in groupby(steps, key=lambda one: one.order_id):
        order, before, state = orders[order_id], "", None
        seen.add(order_id)
        last = None
        for one in chain:
            last = one
            if one.prev_hash != before or one.hash != sealed(one):
                yield f"{order.code}: step {one.seq} does not fit its chain"
            if state is not None and one.from_state != state:
                yield f"{order.code}: step {one.seq} starts at {one.from_state}, the one before ended at {state}"
            before, state = one.hash, one.to_state
        if last is not None and (order.state, order.version, order.last_hash) != (last.to_state, last.seq, last.hash):
            yield f"{order.code}: the order says {order.state} v{order.version}, its steps {last.to_state} v{last.seq}"
    yield from (f"{order.code}: no step at all" for id_, order in orders.items() if id_ not in seen)


def _clocks(session: Session) -> Iterator[str]:
    segments: dict[int, list[ClockSegment]] = {}
    for segment in session.exec(select(ClockSegment).order_by(col(ClockSegment.from_at))):
        segments.setdefault(segment.clock_id, []).append(segment)
    unfired = set(session.exec(select(ClockMark.clock_id).where(col(ClockMark.fired_at).is_(None)).distinct()))
    for clock in session.exec(select(Clock).where(Clock.kind != "hold")):
        if clock.state == "running" and clock.due_at is not None:
            days, limit = calendar(session, clock.calendar), deadline.parse(clock.limit_text)
            ran = segments.get(clock.id or 0, [])
            spent = sum(
                deadline.counted(days, limit, s.from_at, s.to_at) for s in ran if s.is_counted and s.to_at is not None
            )
            open_ones = [s.from_at for s in ran if s.to_at is None]
            if len(open_ones) != 1:
                yield f"clock {clock.id}: {len(open_ones)} open stretches while it runs"
                continue
            due = deadline.forward(days, limit, open_ones[0], max(clock.budget_seconds - spent, 0))
            if abs((due - clock.due_at).total_seconds()) > _TOLERANCE_SECONDS:
                yield f"clock {clock.id} of order {clock.order_id}: due {clock.due_at}, recomputed {due}"
        elif clock.state != "running" and clock.id in unfired:
            yield f"clock {clock.id}: {clock.state}, yet a mark is still to fire"
