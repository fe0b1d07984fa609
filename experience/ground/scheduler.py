"""The worker: ticks each job at its own interval until told to stop. The only door to APScheduler, which only ticks.

Nothing is stored in the scheduler: what is due is a row, claimed with SKIP LOCKED, so any number of workers may run.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine, delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from experience.ground import sweep
from experience.ground.store import transaction
from experience.ground.tables import Heartbeat

log = structlog.get_logger()

BEAT_SECONDS = 5.0
_FORGET_AFTER = timedelta(days=1)

Now = Callable[[], datetime]


def name_of_this_worker() -> str:
    """Host and process number."""
    return f"{socket.gethostname()}:{os.getpid()}"


def work(engine: Engine, jobs: Iterable[sweep.Job], stop: threading.Event, *, now: Now, threads: int = 4) -> None:
    """Runs the jobs' due work until `stop` is set, then lets the rows in hand finish.

    A tick missed while a job was busy is not made up for: the next one finds all that is due.
    """
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(threads), "beat": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # a tick skipped is no news; one that failed we report
    scheduler.add_listener(_report, EVENT_JOB_ERROR)
    worker, started_at = name_of_this_worker(), now()
    scheduler.add_job(
        lambda: _beat(engine, worker, started_at, now()),
        "interval",
        seconds=BEAT_SECONDS,
        next_run_time=datetime.now(UTC),
        executor="beat",  # of its own, so that a long job does not make a busy worker look dead
        id="heartbeat",
    )
    for number, job in enumerate(jobs):
        scheduler.add_job(
            partial(_tick, engine, _stoppable(job, stop), now),
            "interval",
            seconds=job.every_seconds,
            next_run_time=datetime.now(UTC) + timedelta(milliseconds=50 * number),  # at once, but one after the other
            id=job.name,
        )
    scheduler.start()
    stop.wait()
    scheduler.shutdown(wait=True)
    with transaction(engine) as session:
        session.execute(delete(Heartbeat).where(col(Heartbeat.worker) == worker))


def _tick(engine: Engine, job: sweep.Job, now: Now) -> None:
    sweep.run(engine, job, now())


def _stoppable(job: sweep.Job, stop: threading.Event) -> sweep.Job:
    """The job, finding nothing more to do once the worker is to stop: a long backlog is left to the next worker."""
    return replace(job, step=lambda session, now: not stop.is_set() and job.step(session, now))


def _beat(engine: Engine, worker: str, started_at: datetime, now: datetime) -> None:
    with transaction(engine) as session:
        _note(session, worker, started_at, now)
        session.execute(delete(Heartbeat).where(col(Heartbeat.beat_at) < now - _FORGET_AFTER))


def _note(session: Session, worker: str, started_at: datetime, now: datetime) -> None:
    beat = insert(Heartbeat).values(worker=worker, started_at=started_at, beat_at=now)
    session.execute(
        beat.on_conflict_do_update(index_elements=["worker"], set_={"started_at": started_at, "beat_at": now})
    )


def _report(event: JobExecutionEvent) -> None:
    """A tick that failed outside the job wrapper, as when the database is away; the next tick tries again."""
    log.error("tick failed", job=event.job_id, failure=str(event.exception).strip().splitlines()[:1])
