"""Notices: who hears, only once, and only their own."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from experience.ground.i18n import say
from experience.notices.operations import mark_read, tell
from experience.notices.queries import mine, unread_count
from experience.notices.tables import Notice
from experience.organisation.tables import User
from tests.people import House


def told(house: House, session: Session, now: datetime, **more: object) -> int:
    given: dict[str, object] = {
        "roles": ("coordinator",),
        "unit_ids": (house.unit("guangdong"),),
        "topic": "orders.dispatch",
        "sentence": say("新工单 %(code)s：%(title)s", code="G1", title="充值"),
        "params": {"code": "G1", "title": "充值"},
        "link": "/orders/G1",
        "dedupe": "order:1:1",
        "now": now,
        **more,
    }
    return tell(session, **given)  # type: ignore[arg-type]


def hearers(session: Session) -> set[str]:
    return set(session.exec(select(User.login).join(Notice)).all())


def test_the_holders_of_the_role_in_the_unit_hear(house: House, session: Session, now: datetime) -> None:
    assert told(house, session, now) == 1
    assert hearers(session) == {"zhou"}


def test_the_centre_hears_by_its_own_roles(house: House, session: Session, now: datetime) -> None:
    told(house, session, now, centre=True, centre_roles=("leader",))
    assert hearers(session) == {"zhou", "leader"}


def test_nobody_is_told_when_nobody_holds_the_role(house: House, session: Session, now: datetime) -> None:
    assert told(house, session, now, roles=("designer",)) == 0


def test_the_same_happening_tells_the_same_person_once(house: House, session: Session, now: datetime) -> None:
    told(house, session, now)
    told(house, session, now + timedelta(hours=1))
    assert unread_count(session, house.scope("zhou")) == 1


def test_who_has_left_is_not_told(house: House, session: Session, now: datetime) -> None:
    house.users["zhou"].is_active = False
    session.add(house.users["zhou"])
    session.flush()
    assert told(house, session, now) == 0


def test_a_sentence_is_kept_with_its_places_for_the_readers_language(
    house: House, session: Session, now: datetime
) -> None:
    told(house, session, now)
    [notice] = mine(session, house.scope("zhou"))
    assert (notice.sentence, notice.params["title"]) == ("新工单 %(code)s：%(title)s", "充值")


def test_one_reads_ones_own_and_marks_ones_own(house: House, session: Session, now: datetime) -> None:
    told(house, session, now)
    zhou, wang = house.scope("zhou"), house.scope("wang")
    assert mine(session, wang) == []
    [notice] = mine(session, zhou)
    mark_read(session, wang, [notice.id or 0], now=now)
    assert unread_count(session, zhou) == 1
    mark_read(session, zhou, None, now=now)
    assert (unread_count(session, zhou), mine(session, zhou, unread=True)) == (0, [])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_follow_one_another_without_gap_or_repeat(
    house: House, session: Session, now: datetime, size: int
) -> None:
    for number in range(5):
        told(house, session, now + timedelta(minutes=number // 2), dedupe=f"order:{number}")
    zhou, after, seen = house.scope("zhou"), None, []
    while found := mine(session, zhou, after=after, limit=size):
        seen += [notice.dedupe for notice in found]
        after = (found[-1].at, found[-1].id or 0)
    assert len(seen) == len(set(seen)) == 5
