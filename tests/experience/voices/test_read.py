"""Unread voices are read in batches; a person's correction wins over every model."""

from datetime import datetime

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from experience.ground import sweep
from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM
from experience.voices.intake import VoiceIn
from experience.voices.jobs import JOBS
from experience.voices.operations import correct, hear, read_next, read_now
from experience.voices.tables import Reading, Voice
from tests.people import someone

LIN = someone("triager", name="林", is_everything=True)


def said(session: Session, text: str, now: datetime, **more: str) -> Voice:
    return hear(session, SYSTEM, VoiceIn(text, "app", **more), now=now)  # type: ignore[arg-type]


def test_a_voice_read_has_its_reading_and_can_be_searched(session: Session, now: datetime) -> None:
    voice = said(session, "充值100元不到账，气死了", now)
    assert read_next(session, now)
    reading = session.exec(select(Reading)).one()
    assert (reading.voice_id, reading.label, reading.topic) == (voice.id, "negative", "billing")
    assert reading.evidence
    session.refresh(voice)
    assert voice.read_at == now
    assert "充值" in str(voice.tokens)
    assert not read_next(session, now)


def test_spans_of_evidence_lie_in_the_masked_text(session: Session, now: datetime) -> None:
    voice = said(session, "打13800138000没人接，信号又差，充值还不到账", now)
    reading = read_now(session, [voice], now=now)[0]
    for span in reading.evidence:
        assert 0 <= span["start"] < span["end"] <= len(voice.masked)


def test_the_clock_reads_all_that_waits(own_database: Engine, now: datetime) -> None:
    with transaction(own_database) as session:
        for number in range(450):
            said(session, f"第{number}次反映信号差", now)
    assert sweep.run(own_database, JOBS[-1], now) == 3
    with transaction(own_database) as session:
        assert len(session.exec(select(Reading.voice_id)).all()) == 450


def test_a_correction_wins_over_the_next_model(session: Session, now: datetime) -> None:
    voice = said(session, "充值不到账", now)
    read_now(session, [voice], now=now)
    correct(session, LIN, voice.id or 0, now=now, label="neutral", topic="app")
    again = read_now(session, [voice], now=now)[0]
    assert (again.label, again.topic, again.topics[0]["code"]) == ("neutral", "app", "app")


def test_a_correction_of_an_unknown_label_or_topic_is_refused(session: Session, now: datetime) -> None:
    voice = said(session, "充值不到账", now)
    read_now(session, [voice], now=now)
    for wrong in ({"label": "angry"}, {"topic": "no_such"}, {}):
        with pytest.raises(Invalid):
            correct(session, LIN, voice.id or 0, now=now, **wrong)


def test_who_may_not_correct_and_who_may_not_see(session: Session, now: datetime) -> None:
    voice = said(session, "充值不到账", now, province="hunan")
    read_now(session, [voice], now=now)
    with pytest.raises(Forbidden):
        correct(session, someone("viewer"), voice.id or 0, now=now, label="neutral")
    elsewhere = someone("triager", territories=frozenset({"guangdong"}))
    with pytest.raises(NotFound):
        correct(session, elsewhere, voice.id or 0, now=now, label="neutral")
