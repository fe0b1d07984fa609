"""The order as the contract's JSON: state, clocks with marks, allowed acts, requests, steps, effects."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.issues.tables import Issue
from experience.orders import lifecycle
from experience.orders.queries.effects import told as effect_told
from experience.orders.queries.standing import Around, actors_of, circumstances
from experience.orders.queries.visible import visible
from experience.orders.tables import Clock, ClockMark, Effect, OrderRequest, OrderStep, WorkOrder
from experience.organisation.permissions import Scope
from experience.organisation.tables import User


def order_card(session: Session, scope: Scope, code: str, *, now: datetime) -> dict[str, Any]:
    """The order under this code. Raises NotFound outside the scope."""
    order = session.exec(select(WorkOrder).where(WorkOrder.code == code, visible(scope))).first()
    if order is None:
        raise NotFound(say("没有工单 %(code)s，或不在您的范围内。", code=code))
    return order_cards(session, scope, [order], now=now)[0]


def order_cards(session: Session, scope: Scope, orders: Sequence[WorkOrder], *, now: datetime) -> list[dict[str, Any]]:
    """Cards of several orders in the same order, with one statement a kind of row."""
    ids = [order.id or 0 for order in orders]
    around = circumstances(session, orders)
    issues = dict(
        session.exec(select(Issue.id, Issue.code).where(col(Issue.id).in_({order.issue_id for order in orders}))).all()
    )
    parents = dict(
        session.exec(
            select(WorkOrder.id, WorkOrder.code).where(col(WorkOrder.id).in_({o.parent_id for o in orders} - {None}))
        ).all()
    )
    clocks, steps, effects = _clocks(session, ids), _steps(session, ids), _effects(session, ids)
    return [
        {
            **_head(order, around[order.id or 0]),
            "issue": issues.get(order.issue_id),
            "parent": parents.get(order.parent_id) if order.parent_id else None,
            "allowed": lifecycle.allowed(
                around[order.id or 0].standing(order, actors_of(scope, order, around[order.id or 0]), now)
            ),
            "clocks": clocks[order.id or 0],
            "requests": [_request(request) for request in around[order.id or 0].requests],
            "steps": steps[order.id or 0],
            "effects": effects[order.id or 0],
        }
        for order in orders
    ]


def _head(order: WorkOrder, around: Around) -> dict[str, Any]:
    return {
        "code": order.code,
        "version": order.version,
        "state": order.state,
        "type": order.type,
        "policy": order.policy,
        "title": order.title,
        "instructions": order.instructions,
        "level": order.level,
        "priority": order.priority,
        "cycle": order.cycle,
        "unit": around.unit.code,
        "unit_name": around.unit.name,
        "children": [{"code": code, "state": state} for code, state in around.children],
        "due_at": _iso(order.due_at),
        "original_due_at": _iso(order.original_due_at),
        "breached_at": _iso(order.breached_at),
        "created_at": _iso(order.created_at),
        "dispatched_at": _iso(order.dispatched_at),
        "submitted_at": _iso(order.submitted_at),
        "archived_at": _iso(order.archived_at),
        "urges": order.urge_count,
        "rejects": order.reject_count,
        "returns": order.return_count,
        "supervised": order.is_supervised,
        "forced": order.is_forced,
        "escalation": order.escalation_level,
        "reply": {
            "note": order.reply_note,
            "cause": order.reply_cause,
            "measure": order.reply_measure,
            "contacted": order.reply_contacted,
        }
        if order.reply_note
        else None,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _clocks(session: Session, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    marks: dict[int, list[ClockMark]] = defaultdict(list)
    for mark in session.exec(select(ClockMark).where(col(ClockMark.order_id).in_(ids)).order_by(col(ClockMark.due_at))):
        marks[mark.clock_id].append(mark)
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    wanted = select(Clock).where(col(Clock.order_id).in_(ids), Clock.kind != "hold").order_by(col(Clock.id))
    for clock in session.exec(wanted):
        found[clock.order_id].append(
            {
                "kind": clock.kind,
                "unit": clock.unit,
                "limit": clock.limit_text,
                "cycle": clock.cycle,
                "started_at": _iso(clock.started_at),
                "due_at": _iso(clock.due_at),
                "original_due_at": _iso(clock.original_due_at),
                "state": clock.state,
                "breached_at": _iso(clock.breached_at),
                "met_at": _iso(clock.met_at),
                "provisional": clock.is_provisional,
                "marks": [
                    {
                        "level": mark.level,
                        "due_at": _iso(mark.due_at),
                        "fired_at": _iso(mark.fired_at),
                        "generation": mark.generation,
                    }
                    for mark in marks[clock.id or 0]
                ],
            }
        )
    return found


def _steps(session: Session, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    wanted = (
        select(OrderStep, User.name)
        .outerjoin(User, col(User.id) == OrderStep.actor_id)
        .where(col(OrderStep.order_id).in_(ids))
        .order_by(col(OrderStep.order_id), col(OrderStep.seq))
    )
    for one, name in session.exec(wanted):
        found[one.order_id].append(
            {
                "seq": one.seq,
                "at": _iso(one.at),
                "actor": name or "system",
                "action": one.action,
                "from": one.from_state,
                "to": one.to_state,
                "reason": one.reason,
                "note": one.note,
                "detail": one.detail,
                "hash": one.hash,
            }
        )
    return found


def _effects(session: Session, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for effect in session.exec(select(Effect).where(col(Effect.order_id).in_(ids)).order_by(col(Effect.id))):
        found[effect.order_id].append(effect_told(effect))
    return found


def _request(request: OrderRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "kind": request.kind,
        "state": request.state,
        "reason": request.reason,
        "asked_at": _iso(request.asked_at),
        "decided_at": _iso(request.decided_at),
        "decision_reason": request.decision_reason,
        "expires_at": _iso(request.expires_at),
        **request.payload,
    }
