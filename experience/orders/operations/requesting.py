"""Returns, suspensions and extensions: asked for, decided, lifted. Clocks run while a request is pending."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.ground.i18n import say
from experience.notices.operations import tell
from experience.orders import deadline
from experience.orders.operations import clocks as clockwork
from experience.orders.operations.holding import Held, close_requests, conflict, held, note_due, settle, step
from experience.orders.queries.calendars import calendar
from experience.orders.queries.standing import decides
from experience.orders.tables import OrderRequest, Policy, WorkOrder
from experience.organisation.permissions import Scope

#: A return nobody decides within four working hours counts as refused.
DECIDE_WORKING_SECONDS = 4 * 3600
LONGEST_PAUSE = timedelta(days=30)
#: An extension beyond this is refused without counting its working time: calendars do not reach for ever.
FARTHEST = timedelta(days=3653)


def ask(
    session: Session, scope: Scope, held_: Held, kind: str, fields: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """Writes the request and tells the centre; returns the step's detail. Raises Invalid for an unsound date."""
    payload = {name: fields[name] for name in ("evidence", "suggest") if fields.get(name)}
    if kind == "suspend":
        payload["until"] = _until(fields["until"], now).isoformat()
    if kind == "extend":
        payload["due_at"] = _later_due(session, held_, fields["due_at"], now).isoformat()
    days = calendar(session, "cn-office")
    request = OrderRequest(
        order_id=held_.order.id or 0,
        kind=kind,
        payload=payload,
        reason=fields["reason"],
        asked_by_id=scope.user_id,
        asked_at=now,
        expires_at=deadline.add(days, now, DECIDE_WORKING_SECONDS) if kind == "return" else None,
    )
    session.add(request)
    session.flush()
    tell(
        session,
        roles=("dispatcher",) if kind == "return" else ("reviewer",),
        unit_ids=(),
        centre=True,
        topic=f"orders.{kind}",
        sentence=say("工单 %(code)s 有申请待审批：%(title)s"),
        params={"code": held_.order.code, "title": held_.order.title},
        link=f"/orders/{held_.order.code}",
        dedupe=f"request:{request.id}",
        now=now,
    )
    return {"request": request.id, **payload}


def _instant(name: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):  # in the year 1 or 9999 there may be no such instant in UTC
        pass
    raise Invalid(
        say("时间要写成带时区的 ISO 8601，例如 2026-11-25T18:00:00+08:00。"),
        [{"field": name, "sentence": say("时间格式不对")}],
    )


def _until(text: str, now: datetime) -> datetime:
    until = _instant("until", text)
    if not now < until <= now + LONGEST_PAUSE:
        raise Invalid(
            say("恢复时间要在现在之后、30 天之内。"), [{"field": "until", "sentence": say("恢复时间超出范围")}]
        )
    return until


def _later_due(session: Session, held_: Held, text: str, now: datetime) -> datetime:
    """At most the whole budget again, never beyond the statutory due."""
    wanted, resolve = _instant("due_at", text), next(iter(held_.running("resolve")), None)
    if resolve is None or resolve.due_at is None or wanted <= resolve.due_at:
        raise Invalid(say("新的时限要晚于现在的时限。"), [{"field": "due_at", "sentence": say("时限太早")}])
    too_late = Invalid(say("延期最多不超过原时限的一倍。"), [{"field": "due_at", "sentence": say("时限太晚")}])
    if wanted - resolve.due_at > FARTHEST:
        raise too_late
    days, limit = calendar(session, resolve.calendar), clockwork.limit_of(resolve)
    more = deadline.counted(days, limit, resolve.due_at, wanted)
    wanted = deadline.forward(days, limit, resolve.due_at, more)  # a working clock cannot end at night
    if wanted <= resolve.due_at:
        raise Invalid(say("新的时限要晚于现在的时限。"), [{"field": "due_at", "sentence": say("时限太早")}])
    if more > resolve.budget_seconds:
        raise too_late
    statutory = next(iter(held_.running("statutory")), None)
    if statutory is not None and statutory.due_at is not None and wanted > statutory.due_at:
        raise Invalid(say("延期不能超过法定答复时限。"), [{"field": "due_at", "sentence": say("超过法定时限")}])
    return wanted


_DECIDERS = {"return": "orders.dispatch", "suspend": "orders.review", "extend": "orders.review"}


def decide(
    session: Session, scope: Scope, code: str, request_id: int, *, decision: str, reason: str, now: datetime
) -> WorkOrder:
    """The order after a superior said yes or no to a request.

    Raises Forbidden for others and for the applicant, Conflict when it is decided already, Invalid without a reason.
    """
    found = held(session, scope, code, now=now)
    request = next((r for r in found.requests if r.id == request_id), None)
    if request is None:
        raise NotFound(say("没有这个申请。"))
    _demand_decider(scope, found, request)
    if decision not in ("approve", "reject"):
        raise Invalid(
            say("审批结果只能是 approve 或 reject。"), [{"field": "decision", "sentence": say("请选择同意或不同意")}]
        )
    if not reason.strip():
        raise Invalid(say("请填写审批意见。"), [{"field": "reason", "sentence": say("这一项必须填写。")}])
    if request.state != "pending":
        raise conflict(found, say("这个申请已经有结果了。"))
    settle_request(session, scope, found, request, is_approved=decision == "approve", reason=reason.strip(), now=now)
    return found.order


def _demand_decider(scope: Scope, found: Held, request: OrderRequest) -> None:
    if not decides(scope, _DECIDERS[request.kind], found.around):
        raise Forbidden(say("申请由上级审批。"))
    if request.asked_by_id == scope.user_id:
        raise Forbidden(say("不能审批自己的申请。"))


def settle_request(
    session: Session,
    scope: Scope,
    found: Held,
    request: OrderRequest,
    *,
    is_approved: bool,
    reason: str,
    now: datetime,
) -> None:
    """Writes the decision and does what it says."""
    request.state = "approved" if is_approved else "rejected"
    request.decided_by_id, request.decided_at, request.decision_reason = scope.user_id, now, reason
    request.expires_at = None
    session.add(request)
    order, to = found.order, None
    if request.kind == "return":
        order.return_count += 1
    if is_approved:
        to = _GRANTS[request.kind](session, found, request, now)
    detail = {"request": request.id, "kind": request.kind, "approved": is_approved}
    step(session, scope, order, "decide", to=to, now=now, reason=reason, detail=detail)
    close_requests(found, now=now)
    settle(session, order)


def _grant_return(session: Session, found: Held, _request: OrderRequest, now: datetime) -> str:
    """Back to the centre, whose own DISPATCH clock starts; RESOLVE keeps running."""
    clockwork.stop(session, found.running("accept"), at=now, is_met=False)
    clockwork.stop(session, found.running("hold"), at=now)
    policy = session.get_one(Policy, found.order.policy)
    limit = policy.clocks.get("dispatch", "4wh")
    clockwork.start(session, found.order, "dispatch", limit, at=now, calendar_name="cn-office")
    clockwork.hold(session, found.order, at=now, calendar_name="cn-office")
    return "returned"


def _grant_suspend(session: Session, found: Held, request: OrderRequest, _now: datetime) -> str:
    """RESOLVE and CONTACT pause from the instant of asking; the statutory clock runs."""
    for clock in found.running("resolve", "contact"):
        if clock.state == "running":
            clockwork.pause(session, clock, at=max(request.asked_at, clock.started_at), reason=request.reason)
    request.expires_at = datetime.fromisoformat(request.payload["until"])
    session.add(request)
    return "suspended"


def _grant_extend(session: Session, found: Held, request: OrderRequest, now: datetime) -> None:
    for clock in found.running("resolve"):
        clockwork.move(session, clock, due_at=datetime.fromisoformat(request.payload["due_at"]), now=now)
        note_due(found.order, clock)


_GRANTS: dict[str, Any] = {"return": _grant_return, "suspend": _grant_suspend, "extend": _grant_extend}


def lift(session: Session, found: Held, *, now: datetime) -> None:
    """Paused clocks count on with what was left; the suspension's end is no longer waited for."""
    for clock in found.running("resolve", "contact"):
        if clock.state == "paused":
            clockwork.resume(session, clock, at=now)
            if clock.kind == "resolve":
                note_due(found.order, clock)
    awaited = select(OrderRequest).where(
        OrderRequest.order_id == found.order.id,
        OrderRequest.kind == "suspend",
        OrderRequest.state == "approved",
        col(OrderRequest.expires_at).is_not(None),
    )
    for request in session.exec(awaited):
        request.expires_at = None
        session.add(request)
