"""The clock's own acts: marks fired once, late catch-up, auto-acceptance, expired requests, resumed suspensions."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from experience.ground.i18n import say
from experience.ground.sweep import handling, postponed
from experience.notices.operations import tell
from experience.orders import escalation
from experience.orders.operations import clocks as clockwork
from experience.orders.operations.archiving import archive, follow_children
from experience.orders.operations.holding import Held, close_requests, note_due, settle, step, with_surroundings
from experience.orders.operations.requesting import lift, settle_request
from experience.orders.tables import Clock, ClockMark, OrderRequest, Policy, WorkOrder
from experience.organisation.permissions import SYSTEM


def chase_next(session: Session, now: datetime) -> bool:
    """Does everything that is due for one order; whether there was one. Whatever crashes, each mark fires once."""
    waiting = [int(row.partition(":")[2]) for row in postponed(session, "orders.chase", now)]
    order = session.exec(
        select(WorkOrder)
        .where(col(WorkOrder.next_due_at) <= now, col(WorkOrder.id).not_in(waiting))
        .order_by(col(WorkOrder.next_due_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if order is None:
        return False
    with handling(f"order:{order.id}"):
        found = with_surroundings(session, SYSTEM, order.id or 0, now=now)
        _fire(session, found, now)
        _expire(session, found, now)
        _wake(session, found, now)
        close_requests(found, now=now)
        settle(session, order)
        follow_children(session, SYSTEM, order, now=now)
    return True


def _fire(session: Session, found: Held, now: datetime) -> None:
    """Every mark passed by now; only the highest of each clock is told of."""
    order = found.order
    due = session.exec(
        select(ClockMark)
        .where(ClockMark.order_id == order.id, col(ClockMark.fired_at).is_(None), col(ClockMark.due_at) <= now)
        .order_by(col(ClockMark.due_at), col(ClockMark.level))
    ).all()
    if not due:
        return
    clocks = {clock.id: clock for clock in found.clocks}
    highest: dict[int, ClockMark] = {}
    for mark in due:
        mark.fired_at = now
        session.add(mark)
        highest[mark.clock_id] = max(mark, highest.get(mark.clock_id, mark), key=lambda m: m.level)
        clock = clocks[mark.clock_id]
        if mark.level == 100 and clock.breached_at is None:  # noqa: PLR2004 - percent
            clock.breached_at = mark.due_at
            session.add(clock)
            note_due(order, clock if clock.kind == "resolve" else None)
    _climb(session, found, clocks, due, now)
    rung = [[clocks[mark.clock_id].kind, mark.level] for mark in due]
    step(session, SYSTEM, order, "mark", now=now, detail={"marks": rung})
    for mark in highest.values():
        _tell(session, found, clocks[mark.clock_id], mark, now)
    _follow_through(session, found, highest.values(), clocks, now)


def _climb(
    session: Session, found: Held, clocks: dict[int | None, Clock], due: Sequence[ClockMark], now: datetime
) -> None:
    """The system urges at 80 % of RESOLVE; at 120 % the order is supervised and a written answer is due."""
    order = found.order
    levels = {mark.level for mark in due if clocks[mark.clock_id].kind == "resolve"}
    if 80 in levels:  # noqa: PLR2004 - percent
        order.urge_count += 1
    if levels:
        order.escalation_level = max(order.escalation_level, *(escalation.LADDER[level][0] for level in levels))
    if 120 in levels and not order.is_supervised:  # noqa: PLR2004 - percent
        order.is_supervised = True
        limit = session.get_one(Policy, order.policy).clocks.get("supervise", "1wd")
        clockwork.start(session, order, "supervise", limit, at=now, calendar_name=found.unit.calendar)


def _tell(session: Session, found: Held, clock: Clock, mark: ClockMark, now: datetime) -> None:
    who = escalation.hearers(clock.kind, mark.level)
    above = [int(part) for part in found.unit.path.strip("/").split("/")[1:]]
    tell(
        session,
        roles=who.unit_roles,
        unit_ids=above,
        centre_roles=who.centre_roles,
        centre=bool(who.centre_roles),
        topic=f"orders.mark.{mark.level}",
        level=escalation.LADDER[mark.level][0],
        sentence=escalation.sentence(clock.kind, mark.level),
        params={"code": found.order.code, "title": found.order.title, "level": mark.level},
        link=f"/orders/{found.order.code}",
        dedupe=f"mark:{mark.clock_id}:{mark.level}:{mark.generation}",
        now=now,
    )


def _follow_through(
    session: Session, found: Held, fired: object, clocks: dict[int | None, Clock], now: datetime
) -> None:
    """At ACCEPT's due the order counts as accepted; at CALLBACK's due it is archived with what was heard by then."""
    ended = {clocks[mark.clock_id].kind for mark in fired if mark.level >= 100}  # type: ignore[attr-defined]  # noqa: PLR2004
    order = found.order
    if "accept" in ended and order.state == "dispatched" and not found.standing.is_parent_of_all:
        accepting = [clock for clock in found.running("accept") if clock.due_at is not None]
        clockwork.stop(session, accepting, at=now)
        step(session, SYSTEM, order, "accept", to="processing", now=now, note=say("到时未签收，视同签收").template)
    if "callback" in ended and order.state == "callback":
        archive(session, SYSTEM, found, now=now, note=say("回访期满，按已收到的回答归档").template)


def _expire(session: Session, found: Held, now: datetime) -> None:
    """A return nobody decided in time is refused by the system."""
    for request in found.requests:
        if request.state == "pending" and request.expires_at is not None and request.expires_at <= now:
            reason = say("超时未审批，视同不同意").template
            settle_request(session, SYSTEM, found, request, is_approved=False, reason=reason, now=now)
            request.state = "expired"
            session.add(request)


def _wake(session: Session, found: Held, now: datetime) -> None:
    """A suspension ends at the date it was given."""
    if found.order.state != "suspended":
        return
    ends = [r.expires_at for r in _suspensions(found.requests) if r.expires_at is not None]
    if ends and min(ends) <= now:
        lift(session, found, now=min(ends))  # a late sweep must not give the unit more time than it was granted
        step(session, SYSTEM, found.order, "resume", to="processing", now=now, note=say("挂起到期，自动恢复").template)


def _suspensions(requests: Sequence[OrderRequest]) -> list[OrderRequest]:
    return [r for r in requests if r.kind == "suspend" and r.state == "approved"]
