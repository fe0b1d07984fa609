"""Offering a survey: the contact policy decides, and every decision is written down."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from experience.customers.tables import Approach, Customer
from experience.ground.errors import Conflict, NotFound
from experience.organisation.permissions import SYSTEM
from surveys import operations
from surveys.operations import Offered, OfferIn, Refused
from surveys.tables import Invitation
from tests.surveys.samples import published

DEVICE = OfferIn(
    subject="device:d1",
    device="d1",
    session="s1",
    touchpoint="web.recharge",
    province="guangdong",
    sample_class="anomaly",
    snapshot={"kind": "fail", "seconds": 12, "code": "PAY_TIMEOUT"},
)


def offered(session: Session, asked: OfferIn, now: datetime) -> Offered:
    found = operations.offer(session, "recharge", asked, now=now)
    assert isinstance(found, Offered), found
    return found


def reasons(session: Session) -> list[tuple[str, str]]:
    return [(row.verdict, row.reason) for row in session.exec(select(Approach).order_by(Approach.id))]


def test_an_offer_reserves_an_invitation_with_what_the_probe_saw(session: Session, now: datetime) -> None:
    published(session, now)
    made = offered(session, DEVICE, now)
    row = session.get_one(Invitation, made.invitation_id)
    assert (row.state, row.snapshot["code"], row.sample_class) == ("reserved", "PAY_TIMEOUT", "anomaly")
    assert made.snapshot["probe"]["seconds"] == 12
    assert "distribution" not in made.definition
    assert reasons(session) == [("reserved", "")]


def test_the_token_is_not_kept_only_its_digest(session: Session, now: datetime) -> None:
    published(session, now)
    made = offered(session, DEVICE, now)
    assert made.token not in str(session.get_one(Invitation, made.invitation_id))


def test_a_person_is_not_asked_again_within_the_cap_and_the_reason_is_logged(session: Session, now: datetime) -> None:
    published(session, now)
    offered(session, DEVICE, now)
    again = operations.offer(session, "recharge", DEVICE, now=now + timedelta(minutes=9))
    assert again == Refused("max_shows")
    assert reasons(session)[-1] == ("refused", "max_shows")


def test_a_customer_surveyed_yesterday_is_not_offered_today(session: Session, now: datetime) -> None:
    published(session, now)
    published(session, now, code="bill")
    offered(session, DEVICE, now)
    assert operations.offer(session, "bill", DEVICE, now=now + timedelta(days=1)) == Refused("cooldown")


def test_logging_in_does_not_make_another_person_of_the_same_device(session: Session, now: datetime) -> None:
    published(session, now)
    published(session, now, code="bill")
    offered(session, DEVICE, now)
    known = OfferIn(subject="customer:C1", device="d1", session="s2")
    assert operations.offer(session, "bill", known, now=now + timedelta(days=1)) == Refused("cooldown")


def test_who_asked_to_be_left_alone_is(session: Session, now: datetime) -> None:
    published(session, now)
    customer = Customer(ref="C1", do_not_ask=True, created_at=now)
    session.add(customer)
    session.flush()
    asked = OfferIn(subject="customer:C1", customer_id=customer.id)
    assert operations.offer(session, "recharge", asked, now=now) == Refused("do_not_ask")


def test_staff_are_not_the_audience(session: Session, now: datetime) -> None:
    published(session, now)
    customer = Customer(ref="C1", attributes={"staff": True}, created_at=now)
    session.add(customer)
    session.flush()
    asked = OfferIn(subject="customer:C1", customer_id=customer.id)
    assert operations.offer(session, "recharge", asked, now=now) == Refused("audience")


def test_a_reservation_that_was_not_displayed_is_given_back(session: Session, now: datetime) -> None:
    published(session, now)
    made = offered(session, DEVICE, now)
    assert not operations.release_next(session, now + timedelta(seconds=59))
    assert operations.release_next(session, now + timedelta(seconds=61))
    assert not operations.release_next(session, now + timedelta(seconds=62))
    assert reasons(session) == [("released", "")]
    with pytest.raises(Conflict):
        operations.shown(session, "recharge", made.token, now=now + timedelta(seconds=63))
    offered(session, DEVICE, now + timedelta(seconds=64))


def test_what_was_displayed_is_not_given_back(session: Session, now: datetime) -> None:
    published(session, now)
    made = offered(session, DEVICE, now)
    operations.shown(session, "recharge", made.token, now=now)
    operations.shown(session, "recharge", made.token, now=now)
    assert not operations.release_next(session, now + timedelta(hours=1))
    operations.dismiss(session, "recharge", made.token, now=now)
    assert reasons(session) == [("dismissed", "")]


def test_a_paused_survey_is_not_offered(session: Session, now: datetime) -> None:
    published(session, now)
    operations.move(session, SYSTEM, "recharge", "paused", now=now)
    assert operations.offer(session, "recharge", DEVICE, now=now) == Refused("not_open")


def test_an_unknown_survey_is_not_found(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound):
        operations.offer(session, "nowhere", DEVICE, now=now)
