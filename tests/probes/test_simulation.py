"""A rule tried on the past: the same people as in earnest, and nobody is asked for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlmodel import Session, select

from experience.customers.contact_policy import Settings
from experience.ground.errors import Forbidden, Invalid
from probes.operations import edit, fire, simulate
from probes.simulation import Moment, replay
from probes.tables import Firing, ProbeEvent
from probes.triggers import Rule
from surveys.tables import Invitation
from tests.people import House
from tests.probes.test_triggers import PLACE, happened, sender, survey

__all__ = ["survey"]  # the fixture

EASY = Settings(holdout=0.0, quiet=None)
FAIL = Rule(PLACE, "asks", "event", "fail")


def moments(now: datetime, *told: tuple[float, str]) -> list[Moment]:
    """(minutes from now, whose) failures."""
    return [Moment(now + timedelta(minutes=minutes), "fail", f"s-{who}", f"device:{who}") for minutes, who in told]


def test_each_person_is_asked_once_and_the_rest_is_counted_with_its_reason(now: datetime) -> None:
    found = replay(FAIL, moments(now, (0, "a"), (1, "a"), (2, "b"), (3, "a")), EASY)
    assert (found.moments, found.hits, found.people, found.asked) == (4, 4, 2, 2)
    assert dict(found.refused) == {"max_shows": 2}
    assert sum(found.days.values()) == 2


def test_a_count_needs_the_window_and_the_same_sitting(now: datetime) -> None:
    three = Rule(PLACE, "asks", "sequence", "fail", count=3, within_seconds=600)
    assert replay(three, moments(now, (0, "a"), (5, "a"), (9, "a")), EASY).asked == 1
    assert replay(three, moments(now, (0, "a"), (5, "a"), (11, "a")), EASY).asked == 0
    assert replay(three, moments(now, (0, "a"), (1, "b"), (2, "c")), EASY).asked == 0


def test_an_anomaly_rule_asks_within_the_episode(now: datetime) -> None:
    rule = Rule(PLACE, "asks", "anomaly")
    spans = [(now + timedelta(minutes=5), now + timedelta(minutes=10))]
    assert replay(rule, moments(now, (1, "a"), (6, "b"), (11, "c")), EASY, spans).asked == 1


@given(some.lists(some.tuples(some.integers(0, 300), some.sampled_from("abcdefgh")), max_size=60), some.integers(0, 5))
def test_no_hour_holds_more_than_the_cap(told: list[tuple[int, str]], cap: int) -> None:
    now = datetime.fromisoformat("2026-11-23T02:00:00+00:00")
    past = moments(now, *sorted(told))
    found = replay(Rule(PLACE, "asks", "event", "fail", hourly_cap=cap), past, EASY)
    hours = (past[-1].at - past[0].at) // timedelta(hours=1) + 1 if past else 0
    assert found.asked <= cap * hours
    assert found.hits == found.asked + sum(found.refused.values()) == len(told)


def store(session: Session, events: Sequence[Any]) -> None:
    for one in events:
        row = {name: getattr(one, name) for name in one.__struct_fields__ if name not in ("customer", "id")}
        session.add(ProbeEvent(event_id=one.id, **row))
    session.flush()


def test_the_past_is_judged_as_the_present_was(house: House, session: Session, survey: str, now: datetime) -> None:  # noqa: F811
    told = {"name": "试", "touchpoint": PLACE, "survey": survey, "when": {"type": "event", "event": "fail"}}
    past = [
        happened(now - timedelta(minutes=n), session=f"s{n % 30}", device=f"d{n % 30}") for n in reversed(range(60))
    ]
    store(session, past)
    thought = simulate(session, house.scope("designer"), told, now=now)
    assert session.exec(select(Firing)).all() == []
    assert session.exec(select(Invitation)).all() == []
    edit(session, house.scope("designer"), None, told, now=now)
    asked = [fire(session, sender(one.session, one.device), [one], now=one.at) is not None for one in past]
    assert thought.asked == sum(asked) > 0
    assert (thought.hits, thought.people) == (60, 30)


def test_a_rule_that_cannot_work_is_not_tried(house: House, session: Session, survey: str, now: datetime) -> None:  # noqa: F811
    told = {"name": "试", "touchpoint": PLACE, "survey": survey, "when": {"type": "moon"}}
    with pytest.raises(Invalid):
        simulate(session, house.scope("designer"), told, now=now)
    with pytest.raises(Forbidden):
        simulate(session, house.scope("zhou"), told, now=now)
