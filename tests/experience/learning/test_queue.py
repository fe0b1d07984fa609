"""The queue is kept filled: each voice once, repeats folded, and a random part that leaves nobody out."""

import random
from datetime import datetime

from sqlmodel import Session, select

from experience.learning import queries
from experience.learning.operations import fill_next, judge, note_score
from experience.learning.operations.queueing import FULL
from experience.learning.tables import Correction, QueueItem
from experience.organisation.permissions import SYSTEM
from tests.experience.learning.conftest import said
from tests.people import someone

PLACES = "东西南北上下左右前后里外新老高低大小远近"
WHAT = ("信号一直很差", "宽带装得真快", "套餐怎么退订", "话费多扣了二十", "营业厅排队太久", "客服态度很好")


def many(session: Session, now: datetime, count: int = 60) -> list[int]:
    return said(session, now, *(f"{PLACES[n % 20]}边{WHAT[n % 6]}，第{n}天了" for n in range(count)))


def test_a_low_queue_is_filled_once(session: Session, now: datetime) -> None:
    ids = many(session, now)
    assert fill_next(session, now, chance=random.Random(1))
    items = session.exec(select(QueueItem)).all()
    assert {item.voice_id for item in items} <= set(ids)
    assert len(items) == len({item.voice_id for item in items}) <= FULL
    assert {item.origin for item in items} >= {"queue_margin", "queue_random"}
    assert all(item.is_random == (item.origin == "queue_random") for item in items)


def test_nobody_sees_a_judged_voice_again(session: Session, now: datetime) -> None:
    ids = many(session, now, 8)
    judge(session, SYSTEM, ids[0], now=now)
    fill_next(session, now, chance=random.Random(1))
    for waiting in queries.queue(session, SYSTEM).items:
        assert waiting.heard.voice.id != ids[0]
        judge(session, SYSTEM, waiting.heard.voice.id or 0, now=now)
    left = queries.queue(session, SYSTEM)
    assert (left.items, left.open) == ([], 0)
    fill_next(session, now, chance=random.Random(2))
    assert queries.queue(session, SYSTEM).open == 0


def test_the_random_part_includes_what_was_judged_for_another_reason(session: Session, now: datetime) -> None:
    ids = many(session, now, 10)
    for id in ids:
        judge(session, SYSTEM, id, now=now)
    fill_next(session, now, chance=random.Random(1))
    verdicts = session.exec(select(Correction)).all()
    assert len(verdicts) == 10
    assert all(verdict.is_random for verdict in verdicts)  # there are fewer than the queue wants
    assert session.exec(select(QueueItem)).all() == []


def test_a_text_said_again_is_not_asked_twice_for_its_margin(session: Session, now: datetime) -> None:
    said(session, now, *["信号还行吧，就那样"] * 30)
    fill_next(session, now, chance=random.Random(1))
    margins = [item for item in session.exec(select(QueueItem)) if item.origin != "queue_random"]
    assert len(margins) <= 1


def test_a_score_that_contradicts_the_model_comes_first_among_the_disagreements(
    session: Session, now: datetime
) -> None:
    many(session, now, 20)
    (voice,) = said(session, now, "客服态度恶劣，气死了，要投诉")
    note_score(session, [voice], "nps", 10)
    for seed in range(3):  # unless the fair sample drew it first
        with session.begin_nested() as tried:
            fill_next(session, now, chance=random.Random(seed))
            item = session.exec(select(QueueItem).where(QueueItem.voice_id == voice)).one()
            assert item.origin in ("queue_disagreement", "queue_random")
            assert item.why == ("nps:positive" if item.origin == "queue_disagreement" else "")
            tried.rollback()


def test_a_province_sees_its_own_part_of_the_queue(session: Session, now: datetime) -> None:
    (mine,) = said(session, now, "宽带老掉线", province="guangdong")
    said(session, now, "信号太差", province="hunan")
    fill_next(session, now, chance=random.Random(1))
    shown = queries.queue(session, someone("triager", territories=frozenset({"guangdong"})))
    assert [waiting.heard.voice.id for waiting in shown.items] == [mine]
    assert (shown.open, queries.open_count(session)) == (1, 2)
