"""The job wrapper: one row a transaction, failures postponed and remembered, runs recorded."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from experience.ground import sweep
from experience.ground.store import transaction
from experience.ground.tables import JobRun, RowFailure


@pytest.fixture
def chores(own_database: Engine) -> Engine:
    with transaction(own_database) as session:
        session.execute(text("create table chore (id int primary key, done_at timestamptz)"))
        session.execute(text("insert into chore select n from generate_series(1, 5) n"))
    return own_database


def claim(session: Session, now: datetime) -> int | None:
    waiting = sweep.postponed(session, "chores", now)
    return session.execute(
        text(
            "select id from chore where done_at is null and not ('chore:' || id = any(:waiting)) "
            "order by id limit 1 for update skip locked"
        ),
        {"waiting": waiting},
    ).scalar()


def do_chore(session: Session, now: datetime) -> bool:
    found = claim(session, now)
    if found is None:
        return False
    session.execute(text("update chore set done_at = :now where id = :id"), {"id": found, "now": now})
    return True


def stumble_on_three(session: Session, now: datetime) -> bool:
    found = claim(session, now)
    if found is None:
        return False
    with sweep.handling(f"chore:{found}"):
        session.execute(text("update chore set done_at = :now where id = :id"), {"id": found, "now": now})
        if found == 3:
            raise ValueError("the third chore is broken")
    return True


def left_over(engine: Engine) -> list[int]:
    with transaction(engine) as session:
        return list(session.execute(text("select id from chore where done_at is null")).scalars())


def test_a_run_does_all_there_is_and_records_itself(chores: Engine, now: datetime) -> None:
    assert sweep.run(chores, sweep.Job("chores", do_chore, 1), now) == 5
    with transaction(chores) as session:
        recorded = session.get_one(JobRun, "chores")
    assert (recorded.handled, recorded.started_at, recorded.failed_at) == (5, now, None)
    assert recorded.finished_at is not None
    assert recorded.finished_at >= now


def test_a_row_that_fails_is_rolled_back_and_the_others_go_on(chores: Engine, now: datetime) -> None:
    assert sweep.run(chores, sweep.Job("chores", stumble_on_three, 1), now) == 4
    assert left_over(chores) == [3]
    with transaction(chores) as session:
        assert "third chore" in session.get_one(RowFailure, ("chores", "chore:3")).failure
        assert session.get_one(JobRun, "chores").failed_at is not None


def test_a_postponed_row_is_tried_again_later_and_less_and_less_often(chores: Engine, now: datetime) -> None:
    job = sweep.Job("chores", stumble_on_three, 1)
    waits = []
    for _ in range(3):
        sweep.run(chores, job, now)
        with transaction(chores) as session:
            waits.append(session.get_one(RowFailure, ("chores", "chore:3")).next_at - now)
        now += waits[-1]
    assert waits == [timedelta(seconds=30), timedelta(seconds=120), timedelta(seconds=600)]


def test_a_job_that_breaks_outside_a_row_stops_and_is_recorded(chores: Engine, now: datetime) -> None:
    def broken(_session: Session, _now: datetime) -> bool:
        raise RuntimeError("no such table")

    assert sweep.run(chores, sweep.Job("broken", broken, 1), now) == 0
    with transaction(chores) as session:
        assert "no such table" in session.get_one(JobRun, "broken").failure


def test_one_round_feeds_the_next(chores: Engine, now: datetime) -> None:
    def make_one_more(session: Session, _now: datetime) -> bool:
        made = session.execute(
            text("insert into chore select 6 from chore where id = 5 and done_at is not null on conflict do nothing")
        )
        return bool(made.rowcount)  # type: ignore[attr-defined]

    jobs = [sweep.Job("later", make_one_more, 1), sweep.Job("chores", do_chore, 1)]
    assert sweep.run_all(chores, jobs, now) == {"later": 1, "chores": 6}
