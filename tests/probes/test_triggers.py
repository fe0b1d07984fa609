"""Triggers: who is asked after what, once, and every refusal with its reason."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from experience.customers.tables import Customer
from experience.ground.errors import Forbidden, Invalid, NotFound
from probes import triggers
from probes.event import Kept, Sender
from probes.operations import edit, fire
from probes.tables import Anomaly, Firing, ProbeEvent, Trigger
from probes.triggers import Past, Rule
from surveys import operations as surveys
from tests.data_journey import SURVEY
from tests.people import House

PLACE = "web.recharge"
_number = itertools.count()


def happened(at: datetime, kind: str = "fail", **more: Any) -> Kept:
    told: dict[str, Any] = {
        "id": f"e{next(_number)}", "at": at, "arrived_at": at, "site": "site_demo", "touchpoint": PLACE, "type": kind,
        "step": "pay", "ok": None, "ms": 9000.0, "code": "PAY_TIMEOUT", "session": "s1", "device": "d1", "customer": "",
        "province": "guangdong", "props": {},
    }  # fmt: skip
    return Kept(**told | more)


def sender(sitting: str = "s1", device: str = "d1", customer: str = "") -> Sender:
    return Sender("site_demo", sitting, device, customer)


@pytest.fixture
def survey(house: House, session: Session, now: datetime) -> str:
    """A published survey that carries no trigger of its own."""
    told = SURVEY | {"distribution": {"channels": ["popover"]}}
    unit = house.unit("centre")
    surveys.create(session, house.scope("designer"), "asks", told, unit_id=unit, now=now)
    surveys.publish(session, house.scope("designer"), "asks", now=now)
    return "asks"


def rule(house: House, session: Session, asks: str, **more: Any) -> Trigger:
    told = {
        "name": "支付失败就问",
        "touchpoint": PLACE,
        "survey": asks,
        "when": {"type": "sequence", "event": "fail", "count": 3, "within_seconds": 600},
    }
    return edit(session, house.scope("designer"), None, told | more, now=house.now)


def asked(session: Session, events: Sequence[Kept], who: Sender, now: datetime) -> str | None:
    found = fire(session, who, events, now=now)
    return found["survey"] if found else None


def outcomes(session: Session) -> list[str]:
    return list(session.exec(select(Firing.outcome).order_by(Firing.id)))  # type: ignore[arg-type]


def test_three_failures_in_ten_minutes_ask_once_and_not_again(
    house: House, session: Session, survey: str, now: datetime
) -> None:
    rule(house, session, survey)
    told = [asked(session, [happened(now)], sender(), now + timedelta(minutes=n)) for n in range(5)]
    assert told == [None, None, survey, None, None]
    assert outcomes(session)[0] == "offered"
    assert set(outcomes(session)[1:]) <= {"max_shows", "one_at_a_time", "cooldown", "session"}


def test_failures_further_apart_than_the_window_do_not_add_up(
    house: House, session: Session, survey: str, now: datetime
) -> None:
    rule(house, session, survey)
    at = [now + timedelta(minutes=6 * n) for n in range(3)]
    assert [asked(session, [happened(one)], sender(), one) for one in at] == [None] * 3


def test_failures_taken_in_by_another_process_count_too(
    house: House, session: Session, survey: str, now: datetime
) -> None:
    rule(house, session, survey)
    for minutes in (1, 2):
        one = happened(now - timedelta(minutes=minutes))
        row = {name: getattr(one, name) for name in one.__struct_fields__ if name != "customer"}
        session.add(ProbeEvent(**row | {"event_id": row.pop("id")}))
    session.flush()
    assert asked(session, [happened(now)], sender(), now) == survey


def test_another_sitting_starts_from_nothing(house: House, session: Session, survey: str, now: datetime) -> None:
    rule(house, session, survey)
    assert [asked(session, [happened(now)], sender(f"s{n}"), now) for n in range(3)] == [None] * 3


def test_the_invitation_knows_what_the_probe_saw(house: House, session: Session, survey: str, now: datetime) -> None:
    rule(house, session, survey, when={"type": "event", "event": "fail"})
    found = fire(session, sender(), [happened(now)], now=now)
    assert found is not None
    assert found["snapshot"]["probe"] == {"kind": "fail", "seconds": 9.0, "code": "PAY_TIMEOUT", "step": "pay"}
    assert found["definition"]["blocks"]
    (row,) = session.exec(select(Firing)).all()
    assert (row.outcome, row.touchpoint, row.subject) == ("offered", PLACE, "device:d1")


def test_a_proven_customer_is_asked_as_that_customer(
    house: House, session: Session, survey: str, now: datetime
) -> None:
    rule(house, session, survey, when={"type": "event", "event": "fail"})
    session.add(Customer(ref="c-7", created_at=now, do_not_ask=True))
    session.flush()
    assert asked(session, [happened(now)], sender(customer="c-7"), now) is None
    assert outcomes(session) == ["do_not_ask"]


def test_nobody_nameless_is_asked(house: House, session: Session, survey: str, now: datetime) -> None:
    rule(house, session, survey, when={"type": "event", "event": "fail"})
    assert asked(session, [happened(now)], sender("", ""), now) is None


def test_a_stopped_rule_asks_nobody(house: House, session: Session, survey: str, now: datetime) -> None:
    made = rule(house, session, survey, when={"type": "event", "event": "fail"})
    edit(session, house.scope("designer"), made.id, {"is_active": False}, now=now)
    assert asked(session, [happened(now)], sender(), now) is None
    assert outcomes(session) == []


def test_the_hourly_cap_of_a_rule_holds(house: House, session: Session, survey: str, now: datetime) -> None:
    rule(house, session, survey, when={"type": "event", "event": "fail"}, hourly_cap=2)
    told = [asked(session, [happened(now)], sender(f"s{n}", f"device-{n}"), now) for n in range(12)]
    assert told.count(survey) == 2
    later = now + timedelta(minutes=61)
    assert survey in [asked(session, [happened(later)], sender(f"t{n}", f"other-{n}"), later) for n in range(3)]


def test_a_sample_is_drawn_once_for_a_person() -> None:
    one = Rule(PLACE, "asks", "event", "fail", sample=0.3)
    drawn = [triggers.is_drawn(one, f"d{n}") for n in range(1000)]
    assert 250 < sum(drawn) < 350
    assert drawn == [triggers.is_drawn(one, f"d{n}") for n in range(1000)]


def anomaly(session: Session, now: datetime, **more: Any) -> None:
    told: dict[str, Any] = {
        "code": "A1", "touchpoint": PLACE, "indicator": "success_rate", "started_at": now, "last_seen_at": now,
        "severity": 2, "observed": 0.5, "expected": 0.95, "low": 0.9, "high": 1.0, "n": 60,
    }  # fmt: skip
    session.add(Anomaly(**told | more))
    session.flush()


@pytest.mark.parametrize(
    ("kind", "more", "answer"),
    [
        ("fail", {}, "asks"),
        ("success", {}, "asks"),
        ("step", {}, None),  # in the middle of the task nobody is interrupted
        ("fail", {"severity": 1}, None),
        ("fail", {"state": "closed"}, None),
        ("fail", {"last_seen_at": datetime(2026, 11, 23, 1, 0, tzinfo=UTC)}, None),
    ],
)
def test_beside_an_anomaly_those_whose_task_ended_are_asked(  # noqa: PLR0917
    house: House, session: Session, survey: str, kind: str, more: dict[str, Any], answer: str | None
) -> None:
    rule(house, session, survey, when={"type": "anomaly", "min_severity": 2})
    anomaly(session, house.now, **more)
    assert asked(session, [happened(house.now, kind)], sender(), house.now) == answer


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"name": " "}, Invalid),
        ({"survey": "nobody_wrote"}, NotFound),
        ({"sample": 1.5}, Invalid),
        ({"when": {"type": "moon"}}, Invalid),
        ({"when": {"type": "event", "event": "sneeze"}}, Invalid),
        ({"when": {"type": "sequence", "event": "fail", "count": 0}}, Invalid),
        ({"when": {"type": "sequence", "event": "fail", "within_seconds": 10**9}}, Invalid),
        ({"when": {"type": "anomaly", "min_severity": 9}}, Invalid),
    ],
)
def test_a_rule_that_cannot_work_is_refused(
    house: House, session: Session, survey: str, more: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        rule(house, session, survey, **more)


def test_only_designers_edit_rules(house: House, session: Session, survey: str, now: datetime) -> None:
    with pytest.raises(Forbidden):
        edit(session, house.scope("zhou"), None, {"name": "x"}, now=now)


def test_a_repeat_of_the_same_event_counts_once(now: datetime) -> None:
    one = happened(now)
    three = Rule(PLACE, "asks", "sequence", "fail", count=3)
    earlier = [Past(one.id, PLACE, "fail", now), Past("other", PLACE, "fail", now), Past("other", PLACE, "fail", now)]
    assert triggers.hit(three, [one], earlier) is None
    assert triggers.hit(three, [one], [*earlier, Past("third", PLACE, "fail", now)]) is one
