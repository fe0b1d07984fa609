"""What the rules need to know of orders: units, children, requests, and which parts the caller plays."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from experience.issues.tables import Issue
from experience.orders import lifecycle
from experience.orders.lifecycle import Standing
from experience.orders.tables import Clock, OrderRequest, WorkOrder
from experience.organisation.permissions import Reach, Scope
from experience.organisation.tables import Unit


@dataclass(frozen=True, slots=True)
class Place:
    """What the rules read of a unit; a row object costs three times as much to load, at every act."""

    id: int
    code: str
    name: str
    kind: str
    path: str
    territory: str
    calendar: str
    internal_review: bool

    @staticmethod
    def columns(unit: Any) -> list[Any]:
        """The columns of a unit, or of an alias of it, that make a place."""
        return [getattr(unit, one.name) for one in fields(Place)]


_WIDTH = len(fields(Place))


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around an order: its unit, the unit that dispatched it (None: the centre), children, requests."""

    unit: Place
    above: Place | None
    children: list[tuple[str, str]]  # code, state
    requests: list[OrderRequest]
    issue: str = ""  # its code
    parent: str | None = None  # its code
    parent_state: str | None = None

    def standing(self, order: WorkOrder, actors: frozenset[str], now: datetime) -> Standing:
        """The facts for the rules."""
        return Standing(
            state=order.state,
            actors=actors,
            has_internal_review=self.unit.internal_review,
            has_open_children=any(state not in lifecycle.FINAL for _, state in self.children),
            pending=frozenset(request.kind for request in self.requests if request.state == "pending"),
            returns=order.return_count,
            is_forced=order.is_forced,
            is_extended=any(r.kind == "extend" and r.state == "approved" for r in self.requests),
            is_due_past=order.due_at is not None and now > order.due_at,
            is_above_past=self.above is not None and self.parent_state != "processing",
            is_parent_of_all=self.unit.kind == "centre" and bool(self.children),
        )


#: Built once: putting these together costs more than running them.
_parent, _above, _child, _known = aliased(WorkOrder), aliased(Unit), aliased(WorkOrder), aliased(WorkOrder)
_UNITS = bindparam("units", type_=ARRAY(BigInteger))
_ORDER = (
    sa.select(
        WorkOrder,
        Clock,
        *Place.columns(Unit),
        *Place.columns(_above),
        col(Issue.code),
        col(_parent.code),
        col(_parent.state),
        select(func.json_agg(func.json_build_array(_child.code, _child.state)))
        .where(col(_child.parent_id) == WorkOrder.id)
        .scalar_subquery(),
        select(func.count()).where(col(OrderRequest.order_id) == WorkOrder.id).scalar_subquery(),
        select(col(_known.version)).where(col(_known.id) == WorkOrder.id).scalar_subquery(),
    )
    .join(Unit, col(Unit.id) == WorkOrder.unit_id)
    .join(Issue, col(Issue.id) == WorkOrder.issue_id)
    .outerjoin(Clock, col(Clock.order_id) == WorkOrder.id)
    .outerjoin(_parent, col(_parent.id) == WorkOrder.parent_id)
    .outerjoin(_above, col(_above.id) == _parent.unit_id)
)


@cache
def _order_by(column: str, *, is_locked: bool, sees_all: bool) -> Any:
    wanted = _ORDER.where(WorkOrder.__table__.c[column] == bindparam("wanted"))  # type: ignore[attr-defined]
    wanted = wanted if sees_all else wanted.where(col(WorkOrder.unit_id) == func.any(_UNITS))
    return wanted.with_for_update(of=WorkOrder).execution_options(populate_existing=True) if is_locked else wanted


def order_around(
    session: Session, scope: Scope, *, is_locked: bool = False, **wanted: Any
) -> tuple[WorkOrder, Around, list[Clock]] | None:
    """The one order in scope with this `code` or `id`, what stands around it and its clocks; one statement, or two.

    A lock that waited gives the order as it is now beside clocks and units as they were when the statement began:
    then the order's version differs from the one known at that instant, or no row is found, and it looks once more.
    """
    ((column, value),) = wanted.items()
    reach = scope.reach("orders.read")
    statement = _order_by(column, is_locked=is_locked, sees_all=reach.is_everything)
    asked = {"wanted": value} if reach.is_everything else {"wanted": value, "units": list(reach.unit_ids)}
    rows = session.execute(statement, asked).all()
    if is_locked and (not rows or rows[0][0].version != rows[0][-1]):
        rows = session.execute(statement, asked).all()
    if not rows:
        return None
    order, _, *rest = rows[0]
    unit, upper = rest[:_WIDTH], rest[_WIDTH : 2 * _WIDTH]
    issue, parent_code, parent_state, children, requests, _ = rest[2 * _WIDTH :]
    around = Around(
        Place(*unit),
        _above_of(upper),
        sorted((code, state) for code, state in children or ()),
        list(_requests(session, order)) if requests else [],
        issue,
        parent_code,
        parent_state,
    )
    return order, around, [row[1] for row in rows if row[1] is not None]


def _above_of(upper: Sequence[Any]) -> Place | None:
    """The centre is not above anybody in the sense of the rules: it dispatches to all."""
    place = Place(*upper)
    return None if place.id is None or place.kind == "centre" else place


def _requests(session: Session, order: WorkOrder) -> Sequence[OrderRequest]:
    wanted = select(OrderRequest).where(OrderRequest.order_id == order.id)
    return session.exec(wanted.order_by(col(OrderRequest.id))).all()


def circumstances(session: Session, orders: Sequence[WorkOrder]) -> dict[int, Around]:
    """What stands around each of these orders, by id; three statements for all of them."""
    ids = [order.id for order in orders]
    parent, above = aliased(WorkOrder), aliased(Unit)
    wanted = sa.select(col(WorkOrder.id), col(parent.state), *Place.columns(Unit), *Place.columns(above))
    wanted = wanted.join(Unit, col(Unit.id) == WorkOrder.unit_id)
    wanted = wanted.outerjoin(parent, col(parent.id) == WorkOrder.parent_id)
    wanted = wanted.outerjoin(above, col(above.id) == parent.unit_id).where(col(WorkOrder.id).in_(ids))
    found = {
        id_ or 0: Around(Place(*both[:_WIDTH]), _above_of(both[_WIDTH:]), [], [], parent_state=state)
        for id_, state, *both in session.execute(wanted)
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
    works, dispatches = scope.reach("orders.work"), scope.reach("orders.dispatch")
    is_worker = _is_member(works, order, around)
    is_above = around.above is not None and around.above.id in dispatches.unit_ids
    is_direct = around.above is None
    parts = {
        "unit": is_worker,
        "coordinator": is_worker and (_is_member(dispatches, order, around) or _handles_alone(scope, order, around)),
        "approver": _is_member(scope.reach("orders.approve"), order, around),
        "superior": is_above or dispatches.is_everything,
        "reviewer": scope.reach("orders.review").is_everything if is_direct else is_above,
        "leader": scope.reach("orders.supervise").is_everything,
        "callback": scope.reach("orders.callback").is_everything,
    }
    return frozenset(name for name, plays in parts.items() if plays)


def _is_member(reach: Reach, order: WorkOrder, around: Around) -> bool:
    """Whether the order lies with a unit of this reach; the centre's own orders lie with the centre's people."""
    return order.unit_id in reach.unit_ids or (reach.is_everything and around.unit.kind == "centre")


def _handles_alone(scope: Scope, order: WorkOrder, around: Around) -> bool:
    """A department's handler asks for returns and extensions too: departments rarely have a coordinator."""
    return _is_member(scope.reach_as("handler"), order, around)


def decides(scope: Scope, act: str, around: Around) -> bool:
    """Whether the caller decides a request on the order, where that takes `act`: the centre, or the unit above it."""
    above = around.above
    return scope.reach(act).is_everything or (above is not None and above.id in scope.reach("orders.dispatch").unit_ids)
