"""Every act on an order, by the table of states."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.issues.operations import mark_recalled
from experience.orders import deadline, lifecycle
from experience.orders.operations import clocks as clockwork
from experience.orders.operations import reviewing
from experience.orders.operations.archiving import follow_children
from experience.orders.operations.dispatching import send_on, sub_dispatch, tell_unit
from experience.orders.operations.doing import Doing
from experience.orders.operations.holding import (
    Held,
    close_requests,
    conflict,
    demand,
    held,
    settle,
    step,
    unit_by_code,
    with_surroundings,
)
from experience.orders.operations.merging import lock_others, take_earlier
from experience.orders.operations.requesting import ask, lift
from experience.orders.queries.calendars import calendar
from experience.orders.queries.cards import card_of, order_card
from experience.orders.queries.steps import last_step_at
from experience.orders.tables import WorkOrder
from experience.organisation.permissions import Scope

#: After these the unit, the children or the requests are others than those read before.
_CHANGES_AROUND = frozenset({"transfer", "dispatch", "return", "suspend", "extend", "merge", "cancel"})
#: One urge from one source in so many working hours.
URGE_EVERY_HOURS = 4


@dataclass(frozen=True, slots=True)
class Act:
    """An act as it comes in. `version` is the one its author saw; None skips the check (the system's own acts)."""

    action: str
    version: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def act(session: Session, scope: Scope, code: str, what: Act, *, now: datetime) -> WorkOrder:
    """The order after the act.

    Raises NotFound outside the scope, Forbidden for the wrong person, Conflict for a stale version or an act that
    the state does not allow (with `allowed`), Invalid for missing or unsound fields.
    """
    return _done(session, scope, code, what, now).order


def act_and_tell(session: Session, scope: Scope, code: str, what: Act, *, now: datetime) -> dict[str, Any]:
    """The order's card after the act; raises what `act` raises."""
    found = _done(session, scope, code, what, now)
    if what.action in _CHANGES_AROUND:
        return order_card(session, scope, code, now=now)
    return card_of(session, scope, found.order, found.around, now=now)


def _done(session: Session, scope: Scope, code: str, what: Act, now: datetime) -> Held:
    lock_others(session, code, what.action, what.fields)
    found = held(session, scope, code, now=now)
    demand(found, what.action, what.version)
    fields = lifecycle.checked(what.action, what.fields)
    doing = Doing(session, scope, found, what.action, fields, now)
    _ACTS[what.action](doing)
    close_requests(found, now=now)
    doing.settle()
    follow_children(session, scope, found.order, now=now)
    return found


def _accept(doing: Doing) -> None:
    doing.stop("accept")
    if doing.scope.user_id and doing.order.handler_id is None:
        doing.order.handler_id = doing.scope.user_id
    doing.step()


def _transfer(doing: Doing) -> None:
    """Another unit of the same subtree; RESOLVE does not start again."""
    unit = unit_by_code(doing.session, doing.fields["unit"])
    top = doing.held.unit.path.split("/")[2]
    if unit.path.split("/")[2:3] != [top] or unit.id == doing.order.unit_id:
        raise Invalid(
            say("只能转给本省（基地）内的其他部门。"), [{"field": "unit", "sentence": say("请选择本省内的其他部门")}]
        )
    doing.stop("hold")
    clockwork.hold(doing.session, doing.order, at=doing.now, calendar_name=unit.calendar)
    came_from = doing.held.unit.code
    doing.order.unit_id, doing.order.handler_id = unit.id or 0, None
    doing.step(reason=doing.fields["reason"], detail={"from": came_from, "unit": unit.code})
    tell_unit(doing.session, doing.order, unit, say("转来工单 %(code)s：%(title)s"), "transfer", now=doing.now)


def _dispatch(doing: Doing) -> None:
    if doing.order.state == "returned":
        send_on(doing.session, doing.scope, doing.held, doing.fields, now=doing.now)
        return
    child = sub_dispatch(doing.session, doing.scope, doing.held, doing.fields, now=doing.now)
    doing.step(note=doing.fields["instructions"], detail={"child": child.code, "unit": doing.fields["unit"]})


def _request(doing: Doing) -> None:
    detail = ask(doing.session, doing.scope, doing.held, doing.action, doing.fields, now=doing.now)
    doing.step(reason=doing.fields["reason"], detail=detail)


def _resume(doing: Doing) -> None:
    lift(doing.session, doing.held, now=doing.now)
    doing.step(note=doing.fields.get("note", ""))


def _urge(doing: Doing) -> None:
    if _urged_lately(doing):
        raise conflict(doing.held, say("%(hours)d 个工作小时内已经催办过，请稍后再催。", hours=URGE_EVERY_HOURS))
    doing.order.urge_count += 1
    doing.step(note=doing.fields.get("note", ""))
    doing.tell(say("催办：工单 %(code)s %(title)s"))


def _urged_lately(doing: Doing) -> bool:
    last = last_step_at(doing.session, doing.order.id or 0, "urge", doing.scope.user_id)
    days = calendar(doing.session, doing.held.unit.calendar)
    return last is not None and deadline.between(days, last, doing.now) < URGE_EVERY_HOURS * 3600


def _supervise(doing: Doing) -> None:
    doing.order.is_supervised = True
    if not doing.held.running("supervise"):
        limit = doing.limit("supervise", "1wd")
        clockwork.start(
            doing.session, doing.order, "supervise", limit, at=doing.now, calendar_name=doing.held.unit.calendar
        )
    doing.step(note=doing.fields.get("note", ""))
    doing.tell(say("督办：工单 %(code)s %(title)s"))


def _escalate(doing: Doing) -> None:
    doing.order.escalation_level += 1
    doing.order.priority += 1
    doing.step(reason=doing.fields.get("reason", ""), detail={"level": doing.order.escalation_level})
    doing.tell(say("升级：工单 %(code)s %(title)s"))


def _merge(doing: Doing) -> None:
    """Into another live order of the same unit; it takes the earlier due and the earlier statutory start."""
    code = doing.fields["into"]
    master = doing.session.exec(select(WorkOrder).where(WorkOrder.code == code).with_for_update()).first()
    is_fit = master is not None and master.id != doing.order.id and master.state not in lifecycle.FINAL
    if master is None or not is_fit or not doing.scope.reach("orders.read").sees_unit(master.unit_id):
        raise Invalid(
            say("只能并入另一张未办结的工单。"), [{"field": "into", "sentence": say("请填写未办结工单的编号")}]
        )
    if master.unit_id != doing.order.unit_id:
        raise conflict(doing.held, say("只能并入同一承办单位的工单。"))
    taker = with_surroundings(doing.session, doing.scope, master.id or 0, now=doing.now)
    take_earlier(doing.session, doing.held, taker, now=doing.now)
    _end_all(doing)
    doing.order.merged_into_id = master.id
    doing.step(reason=doing.fields.get("reason", ""), detail={"into": code})
    step(doing.session, doing.scope, master, "merge", now=doing.now, detail={"from": doing.order.code})
    settle(doing.session, master)


def _cancel(doing: Doing) -> None:
    children = _open_children(doing)
    for code, state in children:
        if state not in ("draft", "dispatched"):
            raise conflict(doing.held, say("子单 %(code)s 已在办理，不能作废主单。", code=code))
    _end_all(doing)
    doing.step(reason=doing.fields["reason"])
    doing.settle()  # ended before its children, or the last of them would archive it
    for code, _ in children:
        act(doing.session, doing.scope, code, Act("cancel", None, {"reason": doing.fields["reason"]}), now=doing.now)
    if doing.order.parent_id is None:
        _recall(doing)


def _open_children(doing: Doing) -> list[tuple[str, str]]:
    rows = doing.session.exec(select(WorkOrder.code, WorkOrder.state).where(WorkOrder.parent_id == doing.order.id))
    return [(code, state) for code, state in rows if state not in lifecycle.FINAL]


def _recall(doing: Doing) -> None:
    others = select(WorkOrder.id).where(WorkOrder.issue_id == doing.order.issue_id, WorkOrder.state != "cancelled")
    doing.session.flush()
    if doing.session.exec(others.limit(1)).first() is None:
        mark_recalled(doing.session, doing.scope, doing.order.issue_id, now=doing.now)


def _end_all(doing: Doing) -> None:
    doing.stop(
        "dispatch", "accept", "contact", "resolve", "hold", "review", "callback", "supervise", "statutory", is_met=False
    )


_ACTS: dict[str, Callable[[Doing], None]] = {
    "accept": _accept,
    "transfer": _transfer,
    "dispatch": _dispatch,
    "return": _request,
    "suspend": _request,
    "extend": _request,
    "resume": _resume,
    "urge": _urge,
    "supervise": _supervise,
    "escalate": _escalate,
    "submit": reviewing.reply,
    "reply": reviewing.reply,
    "approve_internal": reviewing.approve_internal,
    "reject_internal": reviewing.reject_internal,
    "confirm": reviewing.confirm,
    "reject": reviewing.reject,
    "callback": reviewing.callback,
    "archive": reviewing.close,
    "reopen": reviewing.open_again,
    "merge": _merge,
    "cancel": _cancel,
}
