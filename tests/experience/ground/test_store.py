"""Column kinds and the session."""

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import StatementError
from sqlmodel import Session, select

from experience.ground.i18n import say
from experience.ground.store import transaction
from experience.ground.tables import JobRun


def test_a_naive_instant_is_refused(session: Session) -> None:
    session.add(JobRun(job="x", started_at=datetime(2026, 1, 1)))
    with pytest.raises(StatementError, match="time zone"):
        session.flush()


def test_an_instant_comes_back_in_utc(session: Session, now: datetime) -> None:
    beijing = now.astimezone(timezone(timedelta(hours=8)))
    session.add(JobRun(job="x", started_at=beijing))
    session.flush()
    session.expire_all()
    kept = session.exec(select(JobRun.started_at)).one()
    assert kept == now
    assert kept.utcoffset() == timedelta()


def test_a_block_that_raises_leaves_nothing(own_database: Engine, now: datetime) -> None:
    def half_done() -> None:
        with transaction(own_database) as session:
            session.add(JobRun(job="x", started_at=now))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    with transaction(own_database) as session:
        assert session.execute(text("select count(*) from job_run")).scalar_one() == 0


def test_a_sentence_remembers_its_template() -> None:
    sentence = say("第 %(row)s 行没有文字", row=3)
    assert sentence == "第 3 行没有文字"
    assert (sentence.template, sentence.params) == ("第 %(row)s 行没有文字", {"row": 3})
