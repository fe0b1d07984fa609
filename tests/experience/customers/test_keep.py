"""Keeping customers under the operator's own reference."""

from datetime import datetime

import pytest
from sqlmodel import Session, select

from experience.audit.tables import AuditLine
from experience.customers import operations, queries
from experience.customers.operations import CustomerIn
from experience.ground.errors import Conflict, Forbidden, Invalid, NotFound
from experience.organisation.permissions import SYSTEM
from tests.people import someone

HUNAN = someone("analyst", territories=frozenset({"hunan"}))


def test_a_customer_is_made_once_and_changed_after(session: Session, now: datetime) -> None:
    first = operations.keep(session, SYSTEM, "C1", CustomerIn(province="guangdong", attributes={"age": 40}), now=now)
    again = operations.keep(session, SYSTEM, "C1", CustomerIn(tier="gold", attributes={"plan": "5G"}), now=now)
    assert again.id == first.id
    assert (again.province, again.tier, again.attributes) == ("guangdong", "gold", {"age": 40, "plan": "5G"})
    assert len(session.exec(select(AuditLine).where(AuditLine.act == "customers.edit")).all()) == 2


def test_a_null_attribute_is_taken_away(session: Session, now: datetime) -> None:
    operations.keep(session, SYSTEM, "C1", CustomerIn(attributes={"age": 40}), now=now)
    assert operations.keep(session, SYSTEM, "C1", CustomerIn(attributes={"age": None}), now=now).attributes == {}


def test_another_provinces_customer_is_not_found_and_not_changed(session: Session, now: datetime) -> None:
    operations.keep(session, SYSTEM, "C1", CustomerIn(province="guangdong"), now=now)
    with pytest.raises(NotFound):
        queries.customer(session, HUNAN, "C1")
    with pytest.raises(Forbidden):
        operations.keep(session, HUNAN, "C1", CustomerIn(tier="gold"), now=now)
    with pytest.raises(Forbidden):
        operations.keep(session, HUNAN, "C2", CustomerIn(province="guangdong"), now=now)


def test_an_erased_customer_stays_erased(session: Session, now: datetime) -> None:
    known = operations.keep(session, SYSTEM, "C1", CustomerIn(), now=now)
    known.erased_at = now
    session.add(known)
    session.flush()
    with pytest.raises(Conflict):
        operations.keep(session, SYSTEM, "C1", CustomerIn(), now=now)
    assert operations.known_by_ref(session, "C1", now) is None


def test_a_reference_is_needed(session: Session, now: datetime) -> None:
    with pytest.raises(Invalid):
        operations.keep(session, SYSTEM, " ", CustomerIn(), now=now)
