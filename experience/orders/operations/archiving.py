"""Ends and new beginnings: archive, reopen, and a main order that follows its children."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from experience.issues.operations import mark_dispatched, mark_solved
from experience.issues.tables import Issue
from experience.orders import effect, lifecycle
from experience.orders.operations import clocks as clockwork
from experience.orders.operations.holding import Held, close_requests, note_due, settle, step, with_surroundings
from experience.orders.tables import Effect, FollowUp, WorkOrder
from experience.organisation.permissions import SYSTEM, Scope

#: A reopened order gets half of its clock again.
REOPEN_SHARE = 0.5
_ENDING = ("accept", "contact", "resolve", "hold", "review", "callback", "supervise", "dispatch", "statutory")


def archive(
    session: Session,
    scope: Scope,
    found: Held,
    *,
    now: datetime,
    action: str = "archive",
    note: str = "",
    detail: dict[str, Any] | None = None,
) -> None:
    """The order ends: every clock stops, its effect is planned, and the issue is solved once no order is open."""
    order = found.order
    clockwork.stop(session, found.running(*_ENDING), at=now)
    order.archived_at = now
    _give_up_asking(session, order, now)
    step(session, scope, order, action, to="archived", now=now, note=note, detail=detail)
    close_requests(found, now=now)
    settle(session, order)
    if found.above is None:
        _plan_effect(session, order, now)
    _solve_issue(session, order, now)


def _give_up_asking(session: Session, order: WorkOrder, now: datetime) -> None:
    waiting = select(FollowUp).where(FollowUp.order_id == order.id, FollowUp.state == "waiting")
    for one in session.exec(waiting):
        one.state = "expired"
        session.add(one)


def _plan_effect(session: Session, order: WorkOrder, now: datetime) -> None:
    """What to compare once the window after the mending is over."""
    issue = session.get_one(Issue, order.issue_id)
    if not issue.touchpoint:
        return
    split = order.submitted_at or now
    done = set(session.exec(select(Effect.key).where(Effect.order_id == order.id, Effect.cycle == order.cycle)).all())
    for key in effect.KEYS:
        if key not in done:
            session.add(
                Effect(
                    order_id=order.id or 0,
                    issue_id=issue.id or 0,
                    cycle=order.cycle,
                    key=key,
                    touchpoint=issue.touchpoint,
                    province=issue.province,
                    split_at=split,
                    window_days=effect.WINDOW_DAYS,
                    due_at=split + timedelta(days=effect.WINDOW_DAYS),
                )
            )


def _solve_issue(session: Session, order: WorkOrder, now: datetime) -> None:
    open_ones = select(func.count()).where(
        WorkOrder.issue_id == order.issue_id, col(WorkOrder.state).not_in(lifecycle.FINAL)
    )
    if session.exec(open_ones).one() == 0:
        mark_solved(session, SYSTEM, order.issue_id, now=now)


def reopen(session: Session, scope: Scope, found: Held, action: str, *, reason: str, now: datetime) -> None:
    """A new cycle with half of the time; nothing of the cycle before is erased."""
    order = found.order
    clockwork.stop(session, found.running("callback", "review", "supervise"), at=now)
    last = found.latest("resolve")
    order.cycle += 1
    order.archived_at, order.submitted_at = None, None
    if last is not None:
        resolve = clockwork.start(
            session,
            order,
            "resolve",
            last.limit_text,
            at=now,
            calendar_name=last.calendar,
            budget=last.budget_seconds * REOPEN_SHARE,
        )
        order.due_at = resolve.due_at
    clockwork.run_on(session, found.latest("statutory"))
    if not found.running("hold"):
        clockwork.hold(session, order, at=now, calendar_name=found.unit.calendar)
    step(session, scope, order, action, to="processing", now=now, reason=reason, detail={"cycle": order.cycle})
    settle(session, order)
    note_due(order, None)
    mark_dispatched(session, SYSTEM, order.issue_id, [], now=now)


def follow_children(session: Session, scope: Scope, order: WorkOrder, *, now: datetime) -> None:
    """The centre's main order over several units moves with its children.

    It is worked on once one of them is, and archived once all have ended.
    """
    if order.parent_id is None:
        return
    found = with_surroundings(session, SYSTEM, order.parent_id, now=now)
    main = found.order
    if found.unit.kind != "centre" or main.state in ("cancelled", "merged"):
        return
    states = set(session.exec(select(WorkOrder.state).where(WorkOrder.parent_id == main.id)).all())
    if states <= lifecycle.FINAL:
        if main.state not in lifecycle.FINAL:
            archive(session, SYSTEM, found, now=now)
        return
    working = "processing" if states - {"dispatched", "cancelled", "merged"} else "dispatched"
    if main.state != working:
        step(session, SYSTEM, main, "follow", to=working, now=now, detail={"child": order.code})
        if main.archived_at is not None:
            main.archived_at = None
            clockwork.run_on(session, found.latest("statutory"))
        if not found.running("hold"):
            clockwork.hold(session, main, at=now, calendar_name=found.unit.calendar)
        settle(session, main)
