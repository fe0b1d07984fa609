"""Many triggers at one instant grant one invitation: the reservation is decided one at a time for each person."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, func, select

from experience.customers.tables import Approach
from experience.ground.store import transaction
from surveys import operations
from surveys.operations import Offered, OfferIn, SubmitIn
from surveys.tables import Invitation, Response
from tests.surveys.samples import published

PEOPLE, TRIES = 12, 10


def test_nobody_is_granted_twice_in_a_race(own_database: Engine, now: datetime) -> None:
    with transaction(own_database) as session:
        published(session, now)
        published(session, now, code="bill")

    def ask(n: int) -> bool:
        person = f"d{n % PEOPLE}"
        with transaction(own_database) as session:
            asked = OfferIn(subject=f"device:{person}", device=person, session=person)
            return isinstance(operations.offer(session, ("recharge", "bill")[n % 2], asked, now=now), Offered)

    with ThreadPoolExecutor(8) as pool:
        granted = list(pool.map(ask, range(PEOPLE * TRIES)))
    assert sum(granted) == PEOPLE
    with Session(own_database) as session:
        assert session.exec(select(func.count()).select_from(Invitation)).one() == PEOPLE
        verdicts = Counter(session.exec(select(Approach.verdict)))
    assert verdicts == {"reserved": PEOPLE, "refused": PEOPLE * (TRIES - 1)}


def test_the_same_answer_sent_at_the_same_instant_is_stored_once(own_database: Engine, now: datetime) -> None:
    with transaction(own_database) as session:
        published(session, now)

    def send(_: int) -> str:
        with transaction(own_database) as session:
            return operations.submit(session, "recharge", SubmitIn({"q1": 5}, key="the-same-key"), now=now).receipt

    with ThreadPoolExecutor(8) as pool:
        receipts = set(pool.map(send, range(24)))
    assert len(receipts) == 1
    with Session(own_database) as session:
        assert session.exec(select(func.count()).select_from(Response)).one() == 1


def test_a_quota_is_never_passed(own_database: Engine, now: datetime) -> None:
    quota = {"id": "few", "limit": 5, "then": "end_quota"}
    with transaction(own_database) as session:
        published(session, now, quotas=[quota])

    def send(_: int) -> str:
        with transaction(own_database) as session:
            return operations.submit(session, "recharge", SubmitIn({"q1": 5}), now=now).ending

    with ThreadPoolExecutor(8) as pool:
        ends = Counter(pool.map(send, range(30)))
    assert ends == {"end_thanks": 5, "end_quota": 25}
