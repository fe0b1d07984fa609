"""One verdict a voice: right, put right, judged again, taken back."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.learning import queries
from experience.learning.operations import judge, take_back
from experience.learning.tables import Correction, QueueItem
from experience.organisation.permissions import SYSTEM
from experience.voices.operations import read_now
from experience.voices.tables import Reading, Voice
from tests.experience.learning.conftest import said
from tests.people import House, someone

ANGRY = "充值100元不到账，气死了"


def queued(session: Session, voice_id: int, now: datetime, **more: object) -> None:
    session.add(QueueItem(voice_id=voice_id, origin="queue_margin", added_at=now, **more))
    session.flush()


def test_a_reading_found_right_is_a_verdict_too(session: Session, now: datetime) -> None:
    (voice,) = said(session, now, ANGRY)
    kept = judge(session, SYSTEM, voice, now=now)
    assert (kept.label, kept.topic, kept.intent) == (kept.model_label, kept.model_topic, kept.model_intent)
    assert kept.origin == "stream"


def test_in_the_stream_only_what_was_told_is_judged(session: Session, now: datetime) -> None:
    (voice,) = said(session, now, ANGRY)
    kept = judge(session, SYSTEM, voice, now=now, label="neutral")
    assert (kept.label, kept.model_label, kept.topic, kept.intent) == ("neutral", "negative", None, None)


def test_in_the_queue_what_was_not_put_right_was_right_and_the_voice_leaves(session: Session, now: datetime) -> None:
    (voice,) = said(session, now, ANGRY)
    queued(session, voice, now, is_random=True)
    kept = judge(session, SYSTEM, voice, now=now, intent="inquiry")
    assert (kept.label, kept.topic, kept.intent) == ("negative", "billing", "inquiry")
    assert (kept.origin, kept.is_random) == ("queue_margin", True)
    assert queries.queue(session, SYSTEM).items == []


def test_an_intent_put_right_stays_when_the_voice_is_read_again(session: Session, now: datetime) -> None:
    (voice,) = said(session, now, ANGRY)
    judge(session, SYSTEM, voice, now=now, intent="inquiry")
    again = read_now(session, [session.get_one(Voice, voice)], now=now)[0]
    assert (again.label, again.intent) == ("negative", "inquiry")


def test_judged_again_the_newest_word_stays_beside_what_the_model_had_said(session: Session, now: datetime) -> None:
    (voice,) = said(session, now, ANGRY)
    judge(session, SYSTEM, voice, now=now, label="neutral")
    kept = judge(session, SYSTEM, voice, now=now, label="positive", topic="app")
    assert (kept.model_label, kept.label, kept.topic) == ("negative", "positive", "app")
    assert len(session.exec(select(Correction)).all()) == 1


def test_the_last_verdict_is_taken_back_and_the_voice_waits_again(
    house: House, session: Session, now: datetime
) -> None:
    first, last = said(session, now, ANGRY, "信号太差")
    queued(session, last, now)
    analyst, lin = house.scope("analyst"), house.scope("lin")
    judge(session, analyst, last, now=now, label="positive")
    judge(session, lin, first, now=now + timedelta(seconds=5), label="positive")
    assert take_back(session, analyst, now=now) == last
    assert session.get_one(Reading, last).label == "negative"
    assert session.get_one(Reading, last).corrected_at is None
    assert [waiting.heard.voice.id for waiting in queries.queue(session, analyst).items] == [last]
    with pytest.raises(NotFound):
        take_back(session, analyst, now=now)
    assert session.get_one(Reading, first).label == "positive"


def test_who_may_not_judge_and_what_is_unknown(session: Session, now: datetime) -> None:
    (voice,) = said(session, now, ANGRY, province="hunan")
    with pytest.raises(Forbidden):
        judge(session, someone("viewer", is_everything=True), voice, now=now)
    with pytest.raises(NotFound):
        judge(session, someone("triager", territories=frozenset({"guangdong"})), voice, now=now)
    with pytest.raises(Invalid):
        judge(session, SYSTEM, voice, now=now, intent="rage")


def test_the_accuracy_counts_the_fair_sample_only(session: Session, now: datetime) -> None:
    ids = said(session, now, ANGRY, "信号太差", "宽带老掉线", "客服很好")
    for id in ids[:3]:
        queued(session, id, now, is_random=id != ids[2])
    judge(session, SYSTEM, ids[0], now=now)
    for id in ids[1:]:
        judge(session, SYSTEM, id, now=now, label="neutral")
    (figure,) = queries.accuracy(session, SYSTEM)
    assert figure.n == 2
    assert figure.label is not None
    assert figure.label.value == 0.5
    assert figure.label.low < 0.5 < figure.label.high
    assert figure.topic is not None
    assert figure.topic.value == 1
