"""What was changed behind the back of the operations shows, whichever table it was."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from experience.issues.operations import IssueIn, raise_issue
from experience.orders import verification
from experience.orders.operations import Act, DispatchIn, act, dispatch
from experience.organisation.permissions import SYSTEM
from tests.people import House

REPLY = {"note": "回调超时", "cause": "system", "measure": "扩容队列", "contacted": True}
TAMPERING = {
    "a state": "update work_order set state = 'archived'",
    "an order's due": "update work_order set due_at = due_at + interval '1 day'",
    "when it wakes": "update work_order set next_due_at = null",
    "a met clock made to run": "update clock set state = 'running' where kind = 'review'",
    "a running clock made met": "update clock set state = 'met' where kind = 'resolve'",
    "the due of a running clock": "update clock set due_at = due_at + interval '1 day' where kind = 'resolve'",
    "the due of a met clock": "update clock set due_at = due_at + interval '1 day' where kind = 'review'",
    "an original due": "update clock set original_due_at = original_due_at - interval '1 day' where kind = 'accept'",
    "a start": "update clock set started_at = started_at + interval '1 day' where kind = 'resolve'",
    "an end": "update clock set met_at = met_at - interval '1 hour' where kind = 'review'",
    "a budget": "update clock set budget_seconds = budget_seconds * 2 where kind = 'review'",
    "a breach that was none": "update clock set breached_at = due_at where kind = 'review'",
    "a stretch": "update clock_segment set from_at = from_at - interval '1 hour' where to_at is null",
    "a mark's instant": "update clock_mark set due_at = due_at + interval '1 day' where fired_at is null",
    "a mark taken away": "delete from clock_mark where fired_at is null and level = 100",
    "a holder taken away": "update clock set state = 'cancelled' where kind = 'hold'",
}


def worked(house: House, session: Session, now: datetime) -> None:
    """An order accepted, handed in and sent back."""
    issue = raise_issue(session, SYSTEM, IssueIn("充值不到账", province="guangdong"), now=now)
    order = dispatch(session, SYSTEM, issue.id or 0, DispatchIn(("guangdong",), "complaint", "请核查"), now=now)
    for who, action, fields in (
        ("zhou", "accept", {}),
        ("zhou", "submit", REPLY),
        ("approver", "approve_internal", {}),
        ("lin", "reject", {"reason": "请补充凭证"}),
    ):
        now += timedelta(minutes=30)
        act(session, house.scope(who), order.code, Act(action, None, fields), now=now)


@pytest.mark.parametrize("statement", TAMPERING.values(), ids=TAMPERING)
def test_tampering_shows(house: House, session: Session, now: datetime, statement: str) -> None:
    worked(house, session, now)
    session.flush()
    session.connection().execute(text(statement))
    session.expire_all()
    assert list(verification.verify(session)) != []


def test_an_untouched_history_agrees(house: House, session: Session, now: datetime) -> None:
    worked(house, session, now)
    assert list(verification.verify(session)) == []


@pytest.mark.parametrize(
    "statement",
    ["update order_step set note = 'x' where seq = 2", "delete from order_step where seq = 5"],
    ids=["a word changed", "the last step removed"],
)
def test_a_broken_chain_shows(house: House, session: Session, now: datetime, statement: str) -> None:
    worked(house, session, now)
    session.flush()
    session.connection().execute(text("alter table order_step disable trigger user"))
    session.connection().execute(text(statement))
    session.connection().execute(text("alter table order_step enable trigger user"))
    session.expire_all()
    assert list(verification.verify(session)) != []
