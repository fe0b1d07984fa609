"""Column kinds and the session."""

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, bindparam, insert, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import Session, select

from experience.ground.i18n import say
from experience.ground.store import run, transaction, write_changes
from experience.ground.tables import JobRun
from experience.organisation.tables import User


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


def test_a_row_written_by_itself_is_not_written_again(session: Session, now: datetime) -> None:
    row = User(login="x", name="甲", created_at=now)
    session.add(row)
    session.flush()
    row.name = "乙"
    jobs = JobRun.__table__  # type: ignore[attr-defined]
    given = {"job": "beside", "duration_seconds": 1.5, "handled": 2, "failure": ""}
    beside = insert(jobs).values(given | {"started_at": bindparam("beside_at", type_=jobs.c.started_at.type)})
    write_changes(session, row, beside=(beside.cte("beside"),), told={"beside_at": now}, failures=User.failures + 1)
    assert row not in session.dirty
    assert row.failures == 1
    assert session.exec(select(User.name, User.failures).where(User.login == "x")).one() == ("乙", 1)
    assert session.exec(select(JobRun.started_at).where(JobRun.job == "beside")).one() == now


def test_a_statement_run_bare_reads_and_refuses_as_others_do(session: Session, now: datetime) -> None:
    asked = text("select cast(:at as timestamptz), cast(:said as jsonb), cast(:same as text), cast(:same as text)")
    said = {"at": now.astimezone(timezone(timedelta(hours=8))), "said": '{"a": [1, "好"]}', "same": "%s"}
    assert run(session, asked, said) == [(now, {"a": [1, "好"]}, "%s", "%s")]
    twice = text("insert into job_run (job, started_at) values (:job, :at), (:job, :at) returning job")
    with pytest.raises(IntegrityError):
        run(session, twice, {"job": "a", "at": now})


def test_a_sentence_remembers_its_template() -> None:
    sentence = say("第 %(row)s 行没有文字", row=3)
    assert sentence == "第 3 行没有文字"
    assert (sentence.template, sentence.params) == ("第 %(row)s 行没有文字", {"row": 3})
