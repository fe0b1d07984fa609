"""Reads of work orders for lists and the desk."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, true, tuple_
from sqlmodel import Session, col

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.ground.store import UtcDateTime
from experience.issues.tables import Issue
from experience.orders.queries import visible
from experience.orders.tables import ORDER_STATES, OrderRequest, WorkOrder
from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit, User

FINAL = ("archived", "merged", "cancelled")
#: The holder must act: these count against the holding unit's clock.
WITH_UNIT = ("dispatched", "processing", "internal_review")
#: What may have happened lately, each with its column of instants.
LATELY = ("dispatched", "archived", "breached")
DAY = timedelta(hours=24)
AGES = ((0, 1), (1, 3), (3, 5), (5, 10), (10, None))


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A work order as a list shows it."""

    id: int
    code: str
    title: str
    type: str
    state: str
    version: int
    level: int
    unit_id: int
    handler: str
    issue_code: str
    severity: int
    touchpoint: str
    due_at: datetime | None
    breached_at: datetime | None
    dispatched_at: datetime | None
    submitted_at: datetime | None
    created_at: datetime
    urge_count: int
    reject_count: int
    is_supervised: bool
    is_forced: bool

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in FINAL

    @property
    def is_with_unit(self) -> bool:
        """Whether the holding unit must act, so that the due instant presses."""
        return self.state in WITH_UNIT


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of the list; empty means all. `state` may also be `open`, `late`, `soon`, `pressing` or `sent_back`."""

    q: str = ""
    state: str = ""
    unit: str = ""
    type: str = ""
    flag: str = ""  # supervised, urged, forced, requested, mine
    issue: str = ""
    age: str = ""  # index into AGES
    lately: str = ""  # what happened in the last 24 hours: dispatched, archived, breached
    sort: str = "due"


_LINE: tuple[Any, ...] = (
    WorkOrder.id, WorkOrder.code, WorkOrder.title, WorkOrder.type, WorkOrder.state, WorkOrder.version,
    WorkOrder.level, WorkOrder.unit_id, func.coalesce(User.name, ""), Issue.code, Issue.severity,
    Issue.touchpoint, WorkOrder.due_at, WorkOrder.breached_at, WorkOrder.dispatched_at,
    WorkOrder.submitted_at, WorkOrder.created_at, WorkOrder.urge_count, WorkOrder.reject_count,
    WorkOrder.is_supervised, WorkOrder.is_forced,
)  # fmt: skip


def lines() -> Select[Any]:
    """The statement behind every list of orders; rows make an OrderLine."""
    return (
        select(*_LINE)
        .join(Issue, col(Issue.id) == WorkOrder.issue_id)
        .outerjoin(User, col(User.id) == WorkOrder.handler_id)
    )  # fmt: skip


def orders(
    session: Session, scope: Scope, wanted: Wanted, *, now: datetime, cursor: str = "", limit: int = 50
) -> tuple[list[OrderLine], str | None]:
    """One page of orders and the cursor of the next; sorted by due instant, or newest first."""
    query = lines().where(visible(scope), *_conditions(session, scope, wanted, now))
    due, id = col(WorkOrder.due_at), col(WorkOrder.id)
    if wanted.sort == "new":
        if cursor:
            query = query.where(id < _place(cursor)[1])
        query = query.order_by(id.desc())
    else:  # ascending puts orders without a due instant last, as the index does
        if cursor:
            query = query.where(_after(*_place(cursor)))
        query = query.order_by(due, id)
    found = [OrderLine(*row) for row in session.execute(query.limit(limit + 1))]
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], f"{last.due_at.isoformat() if last.due_at else ''}_{last.id}"


def open_children(session: Session, parents: Iterable[int]) -> dict[int, int]:
    """Order id -> how many of its child orders are not over yet; orders without one are left out."""
    found = (
        select(col(WorkOrder.parent_id), func.count())
        .where(col(WorkOrder.parent_id).in_(list(parents)), col(WorkOrder.state).not_in(FINAL))
        .group_by(col(WorkOrder.parent_id))
    )
    return {parent: int(n) for parent, n in session.execute(found)}


def _place(cursor: str) -> tuple[datetime | None, int]:
    at, _, id = cursor.rpartition("_")
    try:
        due = datetime.fromisoformat(at) if at else None
        if due is not None and due.tzinfo is None or not 0 < int(id) < 2**63:
            raise ValueError(cursor)
    except ValueError:
        raise Invalid(say("翻页标记无效，请从第一页重新打开。")) from None
    return due, int(id)


def _after(at: datetime | None, place: int) -> ColumnElement[bool]:
    """Orders that follow this place in the order of (due instant, id), those without one last."""
    due, id = col(WorkOrder.due_at), col(WorkOrder.id)
    if at is None:
        return and_(due.is_(None), id > place)
    return or_(tuple_(due, id) > tuple_(literal(at, UtcDateTime), literal(place)), due.is_(None))


def _named(words: str) -> ColumnElement[bool]:
    """Orders with these words in title or code. Chinese has no letter case: LIKE takes a quarter of ILIKE's time."""
    title, code = col(WorkOrder.title), col(WorkOrder.code)
    is_cased = words.lower() != words.upper()
    titled = title.icontains(words, autoescape=True) if is_cased else title.contains(words, autoescape=True)
    return or_(titled, code.contains(words.upper(), autoescape=True))


def _conditions(session: Session, scope: Scope, wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = []
    if wanted.q:
        made.append(_named(wanted.q))
    if wanted.state:
        made.append(_state(wanted.state, now))
    if wanted.unit:
        path = session.execute(select(col(Unit.path)).where(col(Unit.code) == wanted.unit)).scalar()
        inside = select(col(Unit.id)).where(col(Unit.path).startswith(path or "-", autoescape=True))
        made.append(col(WorkOrder.unit_id).in_(inside))
    if wanted.type:
        made.append(col(WorkOrder.type) == wanted.type)
    if wanted.issue:
        made.append(col(Issue.code) == wanted.issue)
    if wanted.age in map(str, range(len(AGES))):
        made.append(aged(AGES[int(wanted.age)], now))
    if wanted.lately in LATELY:
        column = getattr(WorkOrder, f"{wanted.lately}_at")
        made.append(and_(column >= now - DAY, column < now))
    if wanted.flag:
        made.append(_flagged(wanted.flag, scope))
    return made


def _state(state: str, now: datetime) -> ColumnElement[bool]:
    with_unit = col(WorkOrder.state).in_(WITH_UNIT)
    named: dict[str, ColumnElement[bool]] = {
        "open": col(WorkOrder.state).not_in(FINAL),
        "late": and_(with_unit, col(WorkOrder.due_at) < now),
        "soon": and_(with_unit, col(WorkOrder.due_at).between(now, now + timedelta(hours=24))),
        "pressing": and_(with_unit, col(WorkOrder.due_at) < now + timedelta(hours=24)),
        "sent_back": and_(col(WorkOrder.state) == "processing", col(WorkOrder.reject_count) > 0),
    }
    return named.get(state, col(WorkOrder.state) == state)


def aged(band: tuple[int, int | None], now: datetime) -> ColumnElement[bool]:
    """Open orders dispatched this many natural days ago; `band` is [young, old), old None for no end."""
    young, old = band
    since = func.coalesce(WorkOrder.dispatched_at, WorkOrder.created_at)
    made = and_(col(WorkOrder.state).not_in(FINAL), since <= now - timedelta(days=young))
    return made if old is None else and_(made, since > now - timedelta(days=old))


def _flagged(flag: str, scope: Scope) -> ColumnElement[bool]:
    pending = select(col(OrderRequest.order_id)).where(col(OrderRequest.state) == "pending")
    named: dict[str, ColumnElement[bool]] = {
        "supervised": col(WorkOrder.is_supervised).is_(True),
        "urged": col(WorkOrder.urge_count) > 0,
        "forced": col(WorkOrder.is_forced).is_(True),
        "requested": col(WorkOrder.id).in_(pending),
        "mine": col(WorkOrder.handler_id) == scope.user_id,
        "breached": col(WorkOrder.breached_at).is_not(None),
    }
    return named.get(flag, true())


def order_counts(session: Session, scope: Scope, now: datetime) -> dict[str, int]:
    """How many orders of the scope are in each state that somebody must act on, and how they stand against time."""
    state, due = col(WorkOrder.state), col(WorkOrder.due_at)
    with_unit, soon = state.in_(WITH_UNIT), now + timedelta(hours=24)
    counted = {
        "open": true(),
        "late": and_(with_unit, due < now),
        "soon": and_(with_unit, due.between(now, soon)),
        "sent_back": and_(state == "processing", col(WorkOrder.reject_count) > 0),
        "supervised": col(WorkOrder.is_supervised).is_(True),
        **{name: state == name for name in ORDER_STATES if name not in FINAL},
    }
    row = session.execute(
        select(*(func.count().filter(condition) for condition in counted.values()))
        .select_from(WorkOrder)
        .where(visible(scope), state.not_in(FINAL))
    ).one()
    return dict(zip(counted, row, strict=True))


def open_orders(session: Session, scope: Scope, *, limit: int) -> list[OrderLine]:
    """The open orders held in the scope, most pressing first."""
    query = (
        lines()
        .where(visible(scope), col(WorkOrder.state).not_in(FINAL))
        .order_by(col(WorkOrder.due_at), col(WorkOrder.id))
    )
    return [OrderLine(*row) for row in session.execute(query.limit(limit))]


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A return, suspension or extension asked for, with its order."""

    id: int
    kind: str
    state: str
    reason: str
    decision_reason: str
    asked_at: datetime
    decided_at: datetime | None
    expires_at: datetime | None
    payload: dict[str, Any]
    order_code: str
    order_title: str
    order_version: int
    unit_id: int
    asked_by: str


_REQUEST: tuple[Any, ...] = (
    OrderRequest.id, OrderRequest.kind, OrderRequest.state, OrderRequest.reason, OrderRequest.decision_reason,
    OrderRequest.asked_at, OrderRequest.decided_at, OrderRequest.expires_at, OrderRequest.payload,
    WorkOrder.code, WorkOrder.title, WorkOrder.version, WorkOrder.unit_id, func.coalesce(User.name, ""),
)  # fmt: skip


def requests(
    session: Session, scope: Scope, *, state: str = "pending", since: datetime | None = None, limit: int = 50
) -> list[RequestLine]:
    """Requests in the scope: pending ones by expiry, or those decided since an instant, newest first."""
    query = (
        select(*_REQUEST)
        .join(WorkOrder, col(WorkOrder.id) == OrderRequest.order_id)
        .outerjoin(User, col(User.id) == OrderRequest.asked_by_id)
        .where(visible(scope))
    )  # fmt: skip
    if state == "pending":
        query = query.where(col(OrderRequest.state) == "pending").order_by(col(OrderRequest.expires_at))
    else:
        query = query.where(col(OrderRequest.decided_at) >= since).order_by(col(OrderRequest.decided_at).desc())
    return [RequestLine(*row) for row in session.execute(query.limit(limit))]


def pending_requests(session: Session, scope: Scope) -> int:
    """How many requests of the scope wait for an answer."""
    query = select(func.count()).select_from(OrderRequest).join(WorkOrder, col(WorkOrder.id) == OrderRequest.order_id)
    return int(session.execute(query.where(visible(scope), col(OrderRequest.state) == "pending")).scalar_one())
