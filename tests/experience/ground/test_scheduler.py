"""The worker: ticks every job, leaves a heartbeat, ends when told to without breaking off a row."""

import threading
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, select

from experience.ground import scheduler
from experience.ground.store import transaction
from experience.ground.sweep import Job
from experience.ground.tables import Heartbeat, JobRun


def test_a_worker_runs_its_jobs_and_leaves_a_heartbeat_while_it_lives(own_database: Engine, now: datetime) -> None:
    stop, beats = threading.Event(), []

    def look(session: Session, at: datetime) -> bool:
        beats.extend(session.exec(select(Heartbeat)).all())
        assert at == now
        if beats:
            stop.set()
        return False

    scheduler.work(own_database, [Job("look", look, 0.05)], stop, now=lambda: now)
    assert beats[0].worker == scheduler.name_of_this_worker()
    with transaction(own_database) as session:
        assert session.exec(select(Heartbeat)).all() == []
        assert session.get_one(JobRun, "look").handled == 0


def test_a_worker_told_to_stop_finishes_the_row_in_hand_and_leaves_the_rest(
    own_database: Engine, now: datetime
) -> None:
    stop, handled = threading.Event(), []

    def endless(_session: Session, at: datetime) -> bool:
        stop.set()
        handled.append(at)
        return True

    scheduler.work(own_database, [Job("endless", endless, 3600)], stop, now=lambda: now)
    assert len(handled) == 1
    with transaction(own_database) as session:
        assert session.get_one(JobRun, "endless").handled == 1


def test_a_job_that_fails_does_not_stop_the_others(own_database: Engine, now: datetime) -> None:
    stop, ran = threading.Event(), []

    def broken(_session: Session, _now: datetime) -> bool:
        raise ValueError("broken")

    def sound(_session: Session, at: datetime) -> bool:
        ran.append(at)
        if len(ran) > 1:
            stop.set()
        return False

    scheduler.work(own_database, [Job("broken", broken, 0.02), Job("sound", sound, 0.02)], stop, now=lambda: now)
    assert len(ran) > 1
    with transaction(own_database) as session:
        assert "broken" in session.get_one(JobRun, "broken").failure
