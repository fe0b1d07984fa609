"""Customers whose trouble was mended are asked again: the row orders left becomes a link on the receipt page."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from experience.customers.tables import Approach, Customer
from experience.ground.errors import NotFound
from experience.issues.tables import Issue
from experience.orders import operations as orders
from experience.orders.tables import FollowUp, WorkOrder
from experience.organisation.permissions import SYSTEM
from experience.voices.operations import VoiceIn, hear
from surveys import library, operations
from surveys.operations import SubmitIn
from surveys.operations.following import expire_next, invite_next, invited_by_receipt
from surveys.tables import Invitation, Response
from tests.surveys.samples import build_centre

RECEIPT = "the-authors-own-receipt"


def waiting(session: Session, now: datetime, *, customer_id: int | None = None) -> FollowUp:
    """A follow-up as orders leaves it, with the order and issue it hangs on."""
    unit = build_centre(session)
    orders.ensure_defaults(session)
    said = VoiceIn(text="充值没到账", source="rant", receipt=RECEIPT, customer_id=customer_id)
    voice = hear(session, SYSTEM, said, now=now)
    issue = Issue(code="W1", title="充值", state="dispatched", severity=2, opened_at=now, origin="staff")
    session.add(issue)
    session.flush()
    order = WorkOrder(
        code="G1",
        issue_id=issue.id or 0,
        type="complaint",
        title="充值",
        state="callback",
        unit_id=unit.id or 0,
        created_at=now,
    )
    session.add(order)
    session.flush()
    row = FollowUp(order_id=order.id or 0, cycle=1, voice_id=voice.id or 0, customer_id=customer_id, created_at=now)
    session.add(row)
    session.flush()
    return row


def test_a_waiting_follow_up_becomes_an_invitation_once(session: Session, now: datetime) -> None:
    row = waiting(session, now)
    assert invite_next(session, now)
    assert not invite_next(session, now)
    assert row.state == "invited"
    invitation = session.get_one(Invitation, row.invitation_id)
    assert (invitation.sample_class, invitation.follow_up_id) == ("follow_up", row.id)
    assert session.exec(select(Approach.verdict)).one() == "invited"


def test_the_author_finds_it_by_the_receipt_and_nobody_else_does(session: Session, now: datetime) -> None:
    row = waiting(session, now)
    invite_next(session, now)
    assert invited_by_receipt(session, RECEIPT, now=now).id == row.invitation_id
    with pytest.raises(NotFound):
        invited_by_receipt(session, "another", now=now)


def test_the_answer_goes_back_to_the_order(session: Session, now: datetime) -> None:
    row = waiting(session, now)
    invite_next(session, now)
    answers = {"solved": "o_yes", "csat": 5, "note": "处理得很快"}
    said = SubmitIn(answers, invitation_id=row.invitation_id)
    first = operations.submit(session, library.RECHECK, said, now=now + timedelta(hours=1))
    session.refresh(row)
    assert (row.state, row.is_solved, row.score, row.note) == ("answered", True, 5, "处理得很快")
    again = operations.submit(session, library.RECHECK, said, now=now + timedelta(hours=2))
    assert again.response_code == first.response_code
    assert len(session.exec(select(Response)).all()) == 1


def test_who_asked_to_be_left_alone_is_not_asked_again(session: Session, now: datetime) -> None:
    customer = Customer(ref="C1", do_not_ask=True, created_at=now)
    session.add(customer)
    session.flush()
    row = waiting(session, now, customer_id=customer.id)
    assert invite_next(session, now)
    assert row.state == "unreachable"
    assert session.exec(select(Approach.reason)).one() == "do_not_ask"


def test_a_link_that_waits_disturbs_nobody(session: Session, now: datetime) -> None:
    waiting(session, now)
    invite_next(session, now)
    assert not operations.release_next(session, now + timedelta(days=29))


def test_a_follow_up_nobody_answered_expires(session: Session, now: datetime) -> None:
    row = waiting(session, now)
    invite_next(session, now)
    assert not expire_next(session, now + timedelta(days=29))
    assert expire_next(session, now + timedelta(days=31))
    session.refresh(row)
    assert row.state == "expired"
    with pytest.raises(NotFound):
        invited_by_receipt(session, RECEIPT, now=now + timedelta(days=31))
