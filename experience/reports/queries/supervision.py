"""Reads for supervision: who holds what, how old it is, how it stands against time, what the clock did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from experience.orders.queries import visible
from experience.orders.tables import Clock, OrderStep, WorkOrder
from experience.organisation.permissions import Scope
from experience.reports.queries.orders import AGES, FINAL, WITH_UNIT, aged


@dataclass(frozen=True, slots=True)
class Holding:
    """What one unit holds: how many open, late, due within a day; oldest in days."""

    unit_id: int
    open: int
    late: int
    soon: int
    supervised: int
    oldest_at: datetime | None


def holdings(session: Session, scope: Scope, now: datetime) -> list[Holding]:
    """Open orders that wait for their unit, per holding unit."""
    due = col(WorkOrder.due_at)
    query = (
        select(
            col(WorkOrder.unit_id),
            func.count(),
            func.count().filter(due < now),
            func.count().filter(due.between(now, now + timedelta(hours=24))),
            func.count().filter(col(WorkOrder.is_supervised).is_(True)),
            func.min(func.coalesce(WorkOrder.dispatched_at, col(WorkOrder.created_at))),
        )
        .where(visible(scope), col(WorkOrder.state).in_(WITH_UNIT))
        .group_by(col(WorkOrder.unit_id))
    )
    return [Holding(*row) for row in session.execute(query)]


def ages(session: Session, scope: Scope, now: datetime) -> list[int]:
    """How many open orders fall into each band of AGES (natural days since dispatch)."""
    row = session.execute(
        select(*(func.count().filter(aged(band, now)) for band in AGES))
        .select_from(WorkOrder)
        .where(visible(scope), col(WorkOrder.state).not_in(FINAL))
    ).one()
    return [int(n) for n in row]


def on_time(session: Session, scope: Scope, start: datetime, end: datetime) -> dict[int, tuple[int, int]]:
    """Unit id -> (met in time, all) of the resolve clocks whose final due instant lies in [start, end).

    Open and overdue clocks are in the denominator; cancelled ones are out (ORDERS §4, 按时办结率).
    """
    query = (
        select(
            col(WorkOrder.unit_id), func.count().filter(col(Clock.met_at) <= col(Clock.due_at)), func.count()
        )
        .join(WorkOrder, col(WorkOrder.id) == Clock.order_id)
        .where(visible(scope), col(Clock.kind) == "resolve", col(Clock.state) != "cancelled")
        .where(col(Clock.due_at) >= start, col(Clock.due_at) < end)
        .group_by(col(WorkOrder.unit_id))
    )  # fmt: skip
    return {unit: (met, total) for unit, met, total in session.execute(query)}


@dataclass(frozen=True, slots=True)
class LadderLine:
    """One thing the clock did to an order by itself."""

    at: datetime
    action: str
    note: str
    detail: dict[str, Any]
    order_code: str
    order_title: str
    unit_id: int


_LADDER: tuple[Any, ...] = (
    OrderStep.at, OrderStep.action, OrderStep.note, OrderStep.detail,
    WorkOrder.code, WorkOrder.title, WorkOrder.unit_id,
)  # fmt: skip


def ladder(session: Session, scope: Scope, actions: Sequence[str], *, limit: int = 30) -> list[LadderLine]:
    """The latest steps the system itself took on orders of the scope: reminders, breaches, escalations."""
    query = (
        select(*_LADDER)
        .join(WorkOrder, col(WorkOrder.id) == OrderStep.order_id)
        .where(visible(scope), col(OrderStep.action).in_(actions))
        .order_by(col(OrderStep.id).desc())
        .limit(limit)
    )  # fmt: skip
    return [LadderLine(*row) for row in session.execute(query)]
