"""What the rules need to know of orders: units, children, requests, and which parts the caller plays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from experience.orders import lifecycle
from experience.orders.lifecycle import Standing
from experience.orders.tables import OrderRequest, WorkOrder
from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around an order: its unit, the unit that dispatched it (None: the centre), children, requests."""

    unit: Unit
    above: Unit | None
    children: list[tuple[str, str]]  # code, state
    requests: list[OrderRequest]

    def standing(self, order: WorkOrder, actors: frozenset[str], now: datetime) -> Standing:
        """The facts for the rules."""
        return Standing(
            state=order.state,
            actors=actors,
            has_internal_review=self.unit.internal_review,
            has_open_children=any(state not in lifecycle.FINAL for _, state in self.children),
            has_children=bool(self.children),
            pending=frozenset(request.kind for request in self.requests if request.state == "pending"),
            returns=order.return_count,
            is_forced=order.is_forced,
            is_extended=any(r.kind == "extend" and r.state == "approved" for r in self.requests),
            is_due_past=order.due_at is not None and now > order.due_at,
            is_parent_of_all=self.unit.kind == "centre" and bool(self.children),
        )


def circumstances(session: Session, orders: Sequence[WorkOrder]) -> dict[int, Around]:
    """What stands around each of these orders, by id; three statements for all of them."""
    ids = [order.id for order in orders]
    parent, above = aliased(WorkOrder), aliased(Unit)
    units = session.exec(
        select(WorkOrder.id, Unit, above)
        .join(Unit, col(Unit.id) == WorkOrder.unit_id)
        .outerjoin(parent, col(parent.id) == WorkOrder.parent_id)
        .outerjoin(above, col(above.id) == parent.unit_id)
        .where(col(WorkOrder.id).in_(ids))
    ).all()
    found = {
        id_ or 0: Around(unit, None if upper is None or upper.kind == "centre" else upper, [], [])
        for id_, unit, upper in units
    }
    children = select(WorkOrder.parent_id, WorkOrder.code, WorkOrder.state).where(col(WorkOrder.parent_id).in_(ids))
    for parent_id, code, state in session.exec(children.order_by(col(WorkOrder.id))):
        found[parent_id or 0].children.append((code, state))
    requests = select(OrderRequest).where(col(OrderRequest.order_id).in_(ids)).order_by(col(OrderRequest.id))
    for request in session.exec(requests):
        found[request.order_id].requests.append(request)
    return found


def actors_of(scope: Scope, order: WorkOrder, around: Around) -> frozenset[str]:
    """The parts the caller plays for this order."""
    if scope.user_id is None:
        return frozenset(lifecycle.ACTORS)
    is_member = order.unit_id in scope.unit_ids or (scope.is_everything and around.unit.kind == "centre")
    is_above = around.above is not None and around.above.id in scope.unit_ids
    is_centre, may = scope.is_everything, scope.may
    parts = {
        "unit": is_member and may("orders.work"),
        "coordinator": is_member
        and may("orders.work")
        and may("orders.dispatch")
        or is_member
        and _handles_alone(scope),
        "approver": is_member and may("orders.approve"),
        "superior": may("orders.dispatch") and (is_above or is_centre),
        "reviewer": (is_centre and may("orders.review"))
        if around.above is None
        else (is_above and may("orders.dispatch")),
        "leader": is_centre and may("orders.supervise"),
        "callback": is_centre and may("orders.callback"),
    }
    return frozenset(name for name, plays in parts.items() if plays)


def _handles_alone(scope: Scope) -> bool:
    """A department's handler asks for returns and extensions too: departments rarely have a coordinator."""
    return "handler" in scope.roles
