"""An order held for an act: locked, with what the rules need to know of it; and its chain of steps."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, insert
from sqlmodel import Session, col, select

from experience.audit.operations import LINE_BESIDE, audited, line
from experience.ground.errors import Conflict, Forbidden, Invalid, NotFound
from experience.ground.i18n import say
from experience.ground.store import write_changes
from experience.orders import lifecycle
from experience.orders.lifecycle import Standing
from experience.orders.operations import clocks as clockwork
from experience.orders.queries.standing import Around, Place, actors_of, order_around
from experience.orders.tables import Clock, ClockMark, OrderRequest, OrderStep, WorkOrder
from experience.organisation.permissions import SYSTEM, Scope
from experience.organisation.tables import Unit

_STEPS = OrderStep.__table__  # type: ignore[attr-defined]
_STEP = insert(_STEPS).values(
    {c.name: bindparam(f"step_{c.name}", type_=c.type) for c in _STEPS.columns if not c.primary_key}
)
_STEP_ALONE = _STEP.add_cte(LINE_BESIDE)
_STEP_BESIDE = (_STEP.cte("step_beside"), LINE_BESIDE)
#: What a step's seal covers, in this order for ever.
_SEALED = (
    "order_id", "seq", "at", "actor_id", "acting_for_id", "action", "from_state", "to_state", "reason", "note",
    "detail", "prev_hash",
)  # fmt: skip


@dataclass
class Held:
    """A locked order with its unit, the unit above it, its clocks and requests."""

    order: WorkOrder
    around: Around
    standing: Standing
    clocks: list[Clock] = field(default_factory=list)

    @property
    def unit(self) -> Place:
        """The unit that holds the order."""
        return self.around.unit

    @property
    def above(self) -> Place | None:
        """The unit that dispatched it; None for the centre."""
        return self.around.above

    @property
    def requests(self) -> list[OrderRequest]:
        """What was asked of the centre, oldest first."""
        return self.around.requests

    def running(self, *kinds: str) -> list[Clock]:
        """Clocks of these kinds that run or are paused, newest cycle first."""
        found = [c for c in self.clocks if c.kind in kinds and c.state in ("running", "paused")]
        return sorted(found, key=lambda c: -c.cycle)

    def latest(self, kind: str) -> Clock | None:
        """The newest clock of a kind, whatever its state."""
        found = [c for c in self.clocks if c.kind == kind]
        return max(found, key=lambda c: (c.cycle, c.id or 0)) if found else None


def held(session: Session, scope: Scope, code: str, *, now: datetime) -> Held:
    """The order under this code, locked. Raises NotFound outside the scope."""
    found = order_around(session, scope, code=code, is_locked=True)
    if found is None:
        raise NotFound(say("没有工单 %(code)s，或不在您的范围内。", code=code))
    return _held(scope, *found, now=now)


def with_surroundings(session: Session, scope: Scope, order_id: int, *, now: datetime) -> Held:
    """The order with this id, locked, with what the rules need."""
    found = order_around(session, SYSTEM, id=order_id, is_locked=True)
    assert found is not None
    return _held(scope, *found, now=now)


def _held(scope: Scope, order: WorkOrder, around: Around, clocks: list[Clock], *, now: datetime) -> Held:
    return Held(order, around, around.standing(order, actors_of(scope, order, around), now), clocks)


def demand(held_: Held, action: str, version: int | None) -> None:
    """Raises Invalid for an unknown act, Conflict for a stale version or an act not in the table now.

    The wrong person is told so by Forbidden before the state matters.
    """
    if action not in lifecycle.MOVES:
        raise Invalid(
            say("没有“%(action)s”这个动作。", action=action[:40]),
            [{"field": "action", "sentence": say("可用的动作：%(all)s", all="、".join(lifecycle.MOVES))}],
        )
    if not lifecycle.is_actor(action, held_.standing):
        raise Forbidden(say("这一步不由您的岗位来做。"))
    from_table = lifecycle.refusal(action, held_.standing)
    if version is not None and version != held_.order.version:
        raise conflict(held_, say("工单已被他人更新，请按最新状态再操作。"))
    if from_table is not None:
        raise conflict(held_, from_table)


def conflict(held_: Held, sentence: str) -> Conflict:
    """A conflict that tells the order's state now and what is allowed."""
    order = held_.order
    return Conflict(
        sentence,
        {
            "code": order.code,
            "state": order.state,
            "version": order.version,
            "allowed": lifecycle.allowed(held_.standing),
        },
    )


@dataclass
class Unwritten:
    """What an act has done in memory and writes with the order itself, in one statement."""

    step: dict[str, Any] | None = None
    ended: list[tuple[Clock, datetime]] = field(default_factory=list)


def step(session: Session, scope: Scope, order: WorkOrder, action: str, *, now: datetime, **more: Any) -> None:
    """Moves the order on as `moved` does and writes the step with its audit line at once."""
    write_step(session, moved(scope, order, action, now=now, **more))


def write_step(session: Session, made: Mapping[str, Any]) -> None:
    """Writes what `moved` gave."""
    session.connection().execute(_STEP_ALONE, made)


def moved(
    scope: Scope,
    order: WorkOrder,
    action: str,
    *,
    to: str | None = None,
    now: datetime,
    reason: str = "",
    note: str = "",
    detail: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Moves the order on by one version and seals the step into its chain; the step and its audit line to write."""
    came_from = order.state
    order.state = to or came_from
    order.version += 1
    made = {
        "order_id": order.id,
        "seq": order.version,
        "at": now,
        "actor_id": scope.user_id,
        "acting_for_id": scope.acting_for_id,
        "action": action,
        "from_state": came_from,
        "to_state": order.state,
        "reason": reason,
        "note": note,
        "detail": detail or {},
        "prev_hash": order.last_hash,
    }
    order.last_hash = made["hash"] = sealed(made)
    change = {"from": came_from, "to": order.state}
    told = line(scope, f"orders.{action}", ("order", order.code), now=now, detail=change)
    return {f"step_{name}": value for name, value in made.items()} | audited(told)


def sealed(one: Mapping[str, Any]) -> str:
    """SHA-256 over a step's content and the hash before it."""
    at: datetime = one["at"]
    written = {"at": at.astimezone(UTC).isoformat()}  # the instant, however it is written
    content = [written.get(name, one[name]) for name in _SEALED]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def settle(session: Session, order: WorkOrder, unwritten: Unwritten | None = None) -> None:
    """Writes the order with its next due instant and what its act left unwritten, in one statement."""
    if any(isinstance(row, ClockMark | OrderRequest) for row in (*session.new, *session.dirty)):
        session.flush()  # what the next instant is read from
    what = unwritten or Unwritten()
    beside = (_STEP_BESIDE if what.step else ()) + clockwork.endings_beside(len(what.ended))
    told = (what.step or {}) | clockwork.ending_values(what.ended)
    write_changes(session, order, beside=beside, told=told, next_due_at=clockwork.next_instant(len(what.ended)))


def close_requests(held_: Held, *, now: datetime) -> None:
    """What was asked for a state that the order has left is asked no longer: an approval must not pull it back."""
    for request in held_.requests:
        if request.state == "pending" and held_.order.state not in lifecycle.MOVES[request.kind].sources:
            request.state, request.decided_at, request.expires_at = "expired", now, None
            request.decision_reason = say("工单已进入其他环节，申请自动关闭").template


def note_due(order: WorkOrder, resolve: Clock | None) -> None:
    """The order's own due columns follow its resolve clock."""
    if resolve is not None:
        order.due_at = resolve.due_at
        order.original_due_at = order.original_due_at or resolve.original_due_at
        order.breached_at = order.breached_at or resolve.breached_at


def unit_by_code(session: Session, code: str, field_name: str = "unit") -> Unit:
    """The active unit. Raises Invalid when there is none."""
    found = session.exec(select(Unit).where(col(Unit.code) == code, col(Unit.is_active))).first()
    if found is None:
        raise Invalid(
            say("没有单位“%(code)s”。", code=str(code)[:60]), [{"field": field_name, "sentence": say("请选择现有单位")}]
        )
    return found
