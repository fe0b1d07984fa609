"""The order as the contract's JSON: state, clocks with marks, allowed acts, requests, steps, effects."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.ground.store import run
from experience.orders import lifecycle
from experience.orders.queries.standing import Around, actors_of, order_around
from experience.orders.tables import OrderRequest, WorkOrder
from experience.organisation.permissions import Scope

#: Clocks with their marks, steps and effects of one order; instants come out as ISO 8601 in UTC.
_HISTORY = text("""
    select
      (select coalesce(json_agg(json_build_object(
          'kind', c.kind, 'unit', c.unit, 'limit', c.limit_text, 'cycle', c.cycle, 'started_at', c.started_at,
          'due_at', c.due_at, 'original_due_at', c.original_due_at, 'state', c.state, 'breached_at', c.breached_at,
          'met_at', c.met_at, 'provisional', c.is_provisional, 'marks', coalesce(m.marks, '[]')) order by c.id), '[]')
       from clock c
       left join (
         select clock_id, json_agg(json_build_object(
             'level', level, 'due_at', due_at, 'fired_at', fired_at, 'generation', generation) order by due_at) marks
         from clock_mark where order_id = :id group by clock_id) m on m.clock_id = c.id
       where c.order_id = :id and c.kind <> 'hold') clocks,
      (select coalesce(json_agg(json_build_object(
          'seq', s.seq, 'at', s.at, 'actor', coalesce(u.name, 'system'), 'action', s.action, 'from', s.from_state,
          'to', s.to_state, 'reason', s.reason, 'note', s.note, 'detail', s.detail, 'hash', s.hash) order by s.seq),
          '[]')
       from order_step s left join user_account u on u.id = s.actor_id where s.order_id = :id) steps,
      (select coalesce(json_agg(json_build_object(
          'key', e.key, 'cycle', e.cycle, 'touchpoint', e.touchpoint, 'province', e.province, 'split_at', e.split_at,
          'window_days', e.window_days, 'due_at', e.due_at, 'measured_at', e.measured_at, 'before_n', e.before_n,
          'before_value', e.before_value, 'after_n', e.after_n, 'after_value', e.after_value,
          'difference', e.difference, 'low', e.low, 'high', e.high, 'verdict', e.verdict, 'series', e.series)
          order by e.id), '[]')
       from effect e where e.order_id = :id) effects
""")


def order_card(session: Session, scope: Scope, code: str, *, now: datetime) -> dict[str, Any]:
    """The order under this code. Raises NotFound outside the scope."""
    found = order_around(session, scope, code=code)
    if found is None:
        raise NotFound(say("没有工单 %(code)s，或不在您的范围内。", code=code))
    order, around, _ = found
    return card_of(session, scope, order, around, now=now)


def card_of(session: Session, scope: Scope, order: WorkOrder, around: Around, *, now: datetime) -> dict[str, Any]:
    """The card of an order whose surroundings are known already; one statement reads its history."""
    ((clocks, steps, effects),) = run(session, _HISTORY, {"id": order.id})
    return {
        **_head(order, around),
        "allowed": lifecycle.allowed(around.standing(order, actors_of(scope, order, around), now)),
        "clocks": clocks,
        "requests": [_request(request) for request in around.requests],
        "steps": steps,
        "effects": effects,
    }


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
        "issue": around.issue,
        "parent": around.parent,
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
        "reply": _reply(order) if order.reply_note else None,
    }


def _reply(order: WorkOrder) -> dict[str, Any]:
    return {
        "note": order.reply_note,
        "cause": order.reply_cause,
        "measure": order.reply_measure,
        "contacted": order.reply_contacted,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


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
