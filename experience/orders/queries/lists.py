"""Lists of orders: by unit, state, overdue, in a stable order with a cursor."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.issues.tables import Issue
from experience.orders.queries.visible import visible
from experience.orders.tables import ORDER_STATES, WITH_UNIT_SQL, WorkOrder
from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What is wanted; None and '' want everything. `unit` takes in its subtree."""

    unit: str = ""
    state: str = ""
    is_overdue: bool | None = None
    issue: str = ""


def orders(
    session: Session, scope: Scope, wanted: OrderFilter, *, now: datetime, after: int | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Heads of orders, newest first, from after the cursor (an id). Raises Invalid for an unknown state or unit."""
    found = (
        select(WorkOrder, Unit.code, Unit.name, Issue.code)
        .join(Unit, col(Unit.id) == WorkOrder.unit_id)
        .join(Issue, col(Issue.id) == WorkOrder.issue_id)
        .where(visible(scope), *_conditions(session, wanted, now))
    )
    if after is not None:
        found = found.where(col(WorkOrder.id) < after)
    rows = session.exec(found.order_by(col(WorkOrder.id).desc()).limit(limit)).all()
    return [_line(order, unit, name, issue) for order, unit, name, issue in rows]


def _conditions(session: Session, wanted: OrderFilter, now: datetime) -> list[Any]:
    found: list[Any] = []
    if wanted.unit:
        path = session.exec(select(Unit.path).where(Unit.code == wanted.unit)).first()
        if path is None:
            raise Invalid(say("没有单位“%(code)s”。", code=wanted.unit[:60]), [{"field": "unit", "sentence": ""}])
        below = select(Unit.id).where(col(Unit.path).startswith(path))
        found.append(col(WorkOrder.unit_id).in_(session.exec(below).all()))
    if wanted.state:
        states = wanted.state.split(",")
        if set(states) - set(ORDER_STATES):
            raise Invalid(say("没有这种工单状态。"), [{"field": "state", "sentence": say("请用现有的状态")}])
        found.append(col(WorkOrder.state).in_(states))
    if wanted.is_overdue is not None:
        late = (col(WorkOrder.due_at) < now) & text(f"work_order.{WITH_UNIT_SQL}")
        found.append(late if wanted.is_overdue else late.is_not(True))  # an order without a due is never late
    if wanted.issue:
        found.append(col(WorkOrder.issue_id).in_(select(Issue.id).where(Issue.code == wanted.issue)))
    return found


def _line(order: WorkOrder, unit: str, name: str, issue: str) -> dict[str, Any]:
    return {
        "id": order.id,
        "code": order.code,
        "version": order.version,
        "state": order.state,
        "type": order.type,
        "title": order.title,
        "level": order.level,
        "unit": unit,
        "unit_name": name,
        "issue": issue,
        "due_at": order.due_at.isoformat() if order.due_at else None,
        "breached_at": order.breached_at.isoformat() if order.breached_at else None,
        "created_at": order.created_at.isoformat(),
        "supervised": order.is_supervised,
    }
