"""Two months of a small operator's voices, and a week in which something new is spoken of."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine
from sqlmodel import Session, col, select

from experience.ground.sweep import Step
from experience.voices import operations
from experience.voices.intake import VoiceIn
from experience.voices.tables import Voice
from tests.conftest import NOW
from tests.people import House, build_house

_THINGS = ("宽带断网", "流量超套", "话费多扣", "营业厅排队", "客服打不通", "套餐太贵")
_NEW = ("碰一碰交不了费", "碰一碰没反应", "手机碰一碰总失败", "说好的碰一碰优惠没有", "碰一碰刷了两次")
WEEKS = 5


def ordinary(now: datetime) -> Iterable[VoiceIn]:
    """Forty voices a week, each of its own words."""
    for week in range(WEEKS):
        for number in range(40):
            mark = chr(0x4E00 + week * 400 + number * 7)
            at = now - timedelta(days=1, hours=12) - timedelta(weeks=week, hours=number)
            text = f"{_THINGS[number % 6]}，{mark}请处理"
            yield VoiceIn(text, "app", at=at, province="guangdong" if number % 2 else "hunan")


def something_new(now: datetime) -> Iterable[VoiceIn]:
    """Fifteen voices of the last days about what nobody spoke of before."""
    for number in range(15):
        text = f"{_NEW[number % 5]}，{chr(0x5E00 + number)}"
        at = now - timedelta(days=1, hours=13 + number)
        yield VoiceIn(text, "app", at=at, province="guangdong", touchpoint="app.bill")


def until_done(session: Session, step: Step, now: datetime) -> int:
    """Runs a step until it finds nothing; how many times it found something."""
    done = 0
    while step(session, now):
        session.flush()
        done += 1
    return done


@pytest.fixture(scope="module")
def whole(database: Engine) -> Iterator[tuple[Connection, House]]:
    """The house with its voices heard and read, once for all tests of a file, never committed."""
    with database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as made:
            house = build_house(made, NOW)
            operations.hear_many(made, [*ordinary(NOW), *something_new(NOW)], now=NOW)
            until_done(made, operations.read_next, NOW)
            made.commit()
        yield connection, house
        outer.rollback()


@pytest.fixture
def heard(whole: tuple[Connection, House]) -> Iterator[House]:
    """That house in a session of the test's own, rolled back after it."""
    connection, house = whole
    mine = connection.begin_nested()
    with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as made:
        yield replace(house, session=made)
    mine.rollback()


def texts(session: Session, ids: Iterable[int]) -> list[str]:
    """What these voices said."""
    return list(session.exec(select(Voice.masked).where(col(Voice.id).in_(list(ids)))))
