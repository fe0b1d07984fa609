"""Every act on an order, by the table of states."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from experience.ground.errors import Conflict, Invalid
from experience.ground.i18n import say
from experience.issues.operations import mark_recalled
from experience.orders import deadline, lifecycle
from experience.orders.operations import clocks as clockwork
from experience.orders.operations.archiving import archive, follow_children, reopen
from experience.orders.operations.dispatching import send_on, sub_dispatch, tell_unit
from experience.orders.operations.following import ask_again
from experience.orders.operations.holding import (
    Held,
    close_requests,
    conflict,
    demand,
    held,
    note_due,
    settle,
    step,
    unit_by_code,
    with_surroundings,
)
from experience.orders.operations.merging import lock_others, take_earlier
from experience.orders.operations.requesting import ask, lift
from experience.orders.queries.calendars import calendar
from experience.orders.queries.cards import card_of, order_card
from experience.orders.queries.steps import count_steps, last_step_at
from experience.orders.tables import Policy, WorkOrder
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


@dataclass(frozen=True, slots=True)
class _Doing:
    session: Session
    scope: Scope
    held: Held
    action: str
    fields: dict[str, Any]
    now: datetime

    @property
    def order(self) -> WorkOrder:
        return self.held.order

    def step(self, **more: Any) -> None:
        """The act's step, with the state the table gives unless told otherwise."""
        told = {"to": lifecycle.target(self.action, self.held.standing), **more}
        step(self.session, self.scope, self.order, self.action, now=self.now, **told)

    def stop(self, *kinds: str, is_met: bool = True) -> None:
        clockwork.stop(self.session, self.held.running(*kinds), at=self.now, is_met=is_met)


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
    doing = _Doing(session, scope, found, what.action, fields, now)
    _ACTS[what.action](doing)
    close_requests(found, now=now)
    settle(session, found.order)
    follow_children(session, scope, found.order, now=now)
    return found


def _accept(doing: _Doing) -> None:
    doing.stop("accept")
    if doing.scope.user_id and doing.order.handler_id is None:
        doing.order.handler_id = doing.scope.user_id
    doing.step()


def _transfer(doing: _Doing) -> None:
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


def _dispatch(doing: _Doing) -> None:
    if doing.order.state == "returned":
        send_on(doing.session, doing.scope, doing.held, doing.fields, now=doing.now)
        return
    child = sub_dispatch(doing.session, doing.scope, doing.held, doing.fields, now=doing.now)
    doing.step(note=doing.fields["instructions"], detail={"child": child.code, "unit": doing.fields["unit"]})


def _request(doing: _Doing) -> None:
    detail = ask(doing.session, doing.scope, doing.held, doing.action, doing.fields, now=doing.now)
    doing.step(reason=doing.fields["reason"], detail=detail)


def _resume(doing: _Doing) -> None:
    lift(doing.session, doing.held, now=doing.now)
    doing.step(note=doing.fields.get("note", ""))


def _urge(doing: _Doing) -> None:
    if _urged_lately(doing):
        raise conflict(doing.held, say("%(hours)d 个工作小时内已经催办过，请稍后再催。", hours=URGE_EVERY_HOURS))
    doing.order.urge_count += 1
    doing.step(note=doing.fields.get("note", ""))
    tell_unit(doing.session, doing.order, doing.held.unit, say("催办：工单 %(code)s %(title)s"), "urge", now=doing.now)


def _urged_lately(doing: _Doing) -> bool:
    last = last_step_at(doing.session, doing.order.id or 0, "urge", doing.scope.user_id)
    days = calendar(doing.session, doing.held.unit.calendar)
    return last is not None and deadline.between(days, last, doing.now) < URGE_EVERY_HOURS * 3600


def _supervise(doing: _Doing) -> None:
    doing.order.is_supervised = True
    if not doing.held.running("supervise"):
        limit = doing.session.get_one(Policy, doing.order.policy).clocks.get("supervise", "1wd")
        clockwork.start(
            doing.session, doing.order, "supervise", limit, at=doing.now, calendar_name=doing.held.unit.calendar
        )
    doing.step(note=doing.fields.get("note", ""))
    tell_unit(
        doing.session, doing.order, doing.held.unit, say("督办：工单 %(code)s %(title)s"), "supervise", now=doing.now
    )


def _escalate(doing: _Doing) -> None:
    doing.order.escalation_level += 1
    doing.order.priority += 1
    doing.step(reason=doing.fields.get("reason", ""), detail={"level": doing.order.escalation_level})
    tell_unit(
        doing.session, doing.order, doing.held.unit, say("升级：工单 %(code)s %(title)s"), "escalate", now=doing.now
    )


def _reply(doing: _Doing) -> None:
    order, said = doing.order, doing.fields
    order.reply_note, order.reply_cause = said["note"], said["cause"]
    order.reply_measure, order.reply_contacted = said["measure"], said["contacted"]
    to = lifecycle.target(doing.action, doing.held.standing)
    if said["contacted"]:
        doing.stop("contact")
    doing.stop("supervise")
    if to == "submitted":
        _hand_in(doing)
    doing.step(note=said["note"], detail={name: said[name] for name in ("cause", "measure", "contacted")})


def _hand_in(doing: _Doing) -> None:
    """The reply leaves the unit: RESOLVE stops tentatively, the reviewer's clock starts.

    The law wants the customer answered: where that was done, the statutory clock stops too.
    """
    doing.stop("resolve", *(["statutory"] if doing.order.reply_contacted else []))
    doing.order.submitted_at = doing.now
    policy = doing.session.get_one(Policy, doing.order.policy)
    name = doing.held.above.calendar if doing.held.above else "cn-office"
    limit = policy.clocks.get("review", "4wh")
    clockwork.start(doing.session, doing.order, "review", limit, at=doing.now, calendar_name=name)
    note_due(doing.order, doing.held.latest("resolve"))


def _approve_internal(doing: _Doing) -> None:
    _hand_in(doing)
    doing.step(note=doing.fields.get("note", ""))


def _reject_internal(doing: _Doing) -> None:
    doing.step(reason=doing.fields["reason"])
    tell_unit(
        doing.session,
        doing.order,
        doing.held.unit,
        say("省内审核退回：工单 %(code)s %(title)s"),
        "reject_internal",
        now=doing.now,
    )


def _confirm(doing: _Doing) -> None:
    """The reply is good: RESOLVE is final as of the reply. Affected customers are asked again, or the order ends."""
    doing.stop("review", "contact", "accept")
    detail = {"score": doing.fields["score"]} if doing.fields.get("score") is not None else {}
    asked = ask_again(doing.session, doing.held, now=doing.now) if doing.held.above is None else 0
    if asked:
        limit = doing.session.get_one(Policy, doing.order.policy).clocks.get("callback", "1wd")
        clockwork.start(doing.session, doing.order, "callback", limit, at=doing.now, calendar_name="cn-office")
        doing.step(to="callback", note=doing.fields.get("note", ""), detail={**detail, "asked": asked})
        return
    doing.step(to="submitted", note=doing.fields.get("note", ""), detail=detail)
    archive(
        doing.session, doing.scope, doing.held, now=doing.now, note=say("没有可回访的客户，核验通过即归档").template
    )


def _reject(doing: _Doing) -> None:
    doing.stop("review")
    doing.order.reject_count += 1
    resolve = doing.held.latest("resolve")
    if resolve is not None and doing.order.submitted_at is not None:
        clockwork.take_back(doing.session, resolve, submitted_at=doing.order.submitted_at, now=doing.now)
        note_due(doing.order, resolve)
    clockwork.run_on(doing.session, doing.held.latest("statutory"))
    doing.order.submitted_at = None
    doing.step(reason=doing.fields["reason"])
    tell_unit(
        doing.session, doing.order, doing.held.unit, say("核验退回：工单 %(code)s %(title)s"), "reject", now=doing.now
    )


def _callback(doing: _Doing) -> None:
    result = doing.fields["result"]
    detail = {"result": result, "responsible": bool(doing.fields.get("responsible"))}
    note = doing.fields.get("note", "")
    if result == "unreachable" and _tries(doing) < 2:  # noqa: PLR2004 - three tries: this one is the third
        doing.step(to="callback", note=note, detail=detail)
        return
    if result == "dissatisfied" and doing.fields.get("responsible"):
        reopen(
            doing.session,
            doing.scope,
            doing.held,
            "callback",
            reason=note or say("回访不满意，责任成立").template,
            now=doing.now,
        )
        return
    archive(doing.session, doing.scope, doing.held, now=doing.now, action="callback", note=note, detail=detail)


def _tries(doing: _Doing) -> int:
    return count_steps(doing.session, doing.order.id or 0, "callback", since="confirm")


def _archive(doing: _Doing) -> None:
    archive(doing.session, doing.scope, doing.held, now=doing.now, note=doing.fields.get("note", ""))


def _reopen(doing: _Doing) -> None:
    reopen(doing.session, doing.scope, doing.held, "reopen", reason=doing.fields["reason"], now=doing.now)


def _merge(doing: _Doing) -> None:
    """Into another live order of the same unit; it takes the earlier due and the earlier statutory start."""
    code = doing.fields["into"]
    master = doing.session.exec(select(WorkOrder).where(WorkOrder.code == code).with_for_update()).first()
    is_fit = master is not None and master.id != doing.order.id and master.state not in lifecycle.FINAL
    if master is None or not is_fit or not doing.scope.sees_unit(master.unit_id):
        raise Invalid(
            say("只能并入另一张未办结的工单。"), [{"field": "into", "sentence": say("请填写未办结工单的编号")}]
        )
    if master.unit_id != doing.order.unit_id:
        raise Conflict(say("只能并入同一承办单位的工单。"), {"state": doing.order.state})
    taker = with_surroundings(doing.session, doing.scope, master.id or 0, now=doing.now)
    take_earlier(doing.session, doing.held, taker, now=doing.now)
    _end_all(doing)
    doing.order.merged_into_id = master.id
    doing.step(reason=doing.fields.get("reason", ""), detail={"into": code})
    step(doing.session, doing.scope, master, "merge", now=doing.now, detail={"from": doing.order.code})
    settle(doing.session, master)


def _cancel(doing: _Doing) -> None:
    children = _open_children(doing)
    for code, state in children:
        if state not in ("draft", "dispatched"):
            raise conflict(doing.held, say("子单 %(code)s 已在办理，不能作废主单。", code=code))
    _end_all(doing)
    doing.step(reason=doing.fields["reason"])
    settle(doing.session, doing.order)  # ended before its children, or the last of them would archive it
    for code, _ in children:
        act(doing.session, doing.scope, code, Act("cancel", None, {"reason": doing.fields["reason"]}), now=doing.now)
    if doing.order.parent_id is None:
        _recall(doing)


def _open_children(doing: _Doing) -> list[tuple[str, str]]:
    rows = doing.session.exec(select(WorkOrder.code, WorkOrder.state).where(WorkOrder.parent_id == doing.order.id))
    return [(code, state) for code, state in rows if state not in lifecycle.FINAL]


def _recall(doing: _Doing) -> None:
    others = select(WorkOrder.id).where(WorkOrder.issue_id == doing.order.issue_id, WorkOrder.state != "cancelled")
    doing.session.flush()
    if doing.session.exec(others.limit(1)).first() is None:
        mark_recalled(doing.session, doing.scope, doing.order.issue_id, now=doing.now)


def _end_all(doing: _Doing) -> None:
    doing.stop(
        "dispatch", "accept", "contact", "resolve", "hold", "review", "callback", "supervise", "statutory", is_met=False
    )


_ACTS: dict[str, Callable[[_Doing], None]] = {
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
    "submit": _reply,
    "reply": _reply,
    "approve_internal": _approve_internal,
    "reject_internal": _reject_internal,
    "confirm": _confirm,
    "reject": _reject,
    "callback": _callback,
    "archive": _archive,
    "reopen": _reopen,
    "merge": _merge,
    "cancel": _cancel,
}
