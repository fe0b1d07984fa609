"""The job wrapper: claim one row, do it, mark it, say whether there was one; remember every run."""

import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine, delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from experience.ground.store import transaction
from experience.ground.tables import JobRun, RowFailure

log = structlog.get_logger()

#: A step does at most one unit of work due at `now` inside the given transaction and says whether there was any.
Step = Callable[[Session, datetime], bool]

POSTPONE_SECONDS = (30, 120, 600, 3600, 14400)


class RowFailed(Exception):
    """A step's row could not be handled; the wrapper rolls back, postpones the row, and goes on.

    Steps wrap their work with `handling(row)`, so that the wrapper knows which row failed.
    """

    def __init__(self, row: str) -> None:
        super().__init__(row)
        self.row = row


@dataclass(frozen=True, slots=True)
class Job:
    """A named step and how often the clock looks for its work."""

    name: str
    step: Step
    every_seconds: float
    limit: int = 10_000  # rows in one run, so that one job cannot starve the others


class handling:  # noqa: N801 - reads as a word in `with handling(...)`
    """Names the row being handled: `with handling(f"order:{id}"): …`."""

    def __init__(self, row: str) -> None:
        self.row = row

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is not None and isinstance(error, Exception):
            raise RowFailed(self.row) from error


def postponed(session: Session, job: str, now: datetime) -> list[str]:
    """The rows of this job that failed before and are not to be tried yet; a step leaves them out of its claim."""
    return list(session.exec(select(RowFailure.row).where(RowFailure.job == job, RowFailure.next_at > now)))


def run(engine: Engine, job: Job, now: datetime) -> int:
    """Runs the job's step until nothing is left (or its limit), one transaction a step; returns how many were done.

    A row that fails is rolled back, postponed and logged, and the others go on.
    The run is recorded in `job_run` whatever happens.
    """
    began, handled, failure = time.monotonic(), 0, ""
    _note_start(engine, job, now)
    for _ in range(job.limit):
        try:
            with transaction(engine) as session:
                if not job.step(session, now):
                    break
                handled += 1
        except RowFailed as error:
            failure = "".join(traceback.format_exception_only(error.__cause__ or error)).strip()
            log.warning("row postponed", job=job.name, row=error.row, failure=failure)
            _postpone(engine, job, error.row, failure, now)
        except Exception as error:  # recorded, shown by doctor, and raised no further: the other jobs must go on
            failure = "".join(traceback.format_exception_only(error)).strip()
            log.error("job failed", job=job.name, failure=failure, exc_info=True)
            break
    seconds = time.monotonic() - began
    _note_end(engine, job, now + timedelta(seconds=seconds), seconds=seconds, handled=handled, failure=failure)
    return handled


def run_all(engine: Engine, jobs: Iterable[Job], now: datetime, *, rounds: int = 20) -> dict[str, int]:
    """Runs every job as of `now`, again while any of them finds work, since one job's row is the next one's work."""
    jobs = list(jobs)
    done = dict.fromkeys((job.name for job in jobs), 0)
    for _ in range(rounds):
        found = {job.name: run(engine, job, now) for job in jobs}
        for name, handled in found.items():
            done[name] += handled
        if not any(found.values()):
            break
    return done


def _note_start(engine: Engine, job: Job, now: datetime) -> None:
    with transaction(engine) as session:
        started = insert(JobRun).values(job=job.name, started_at=now, duration_seconds=0, handled=0, failure="")
        session.execute(started.on_conflict_do_update(index_elements=["job"], set_={"started_at": now}))


def _note_end(engine: Engine, job: Job, ended_at: datetime, *, seconds: float, handled: int, failure: str) -> None:
    with transaction(engine) as session:
        row = session.get_one(JobRun, job.name)
        row.finished_at, row.duration_seconds, row.handled = ended_at, seconds, handled
        if failure:
            row.failed_at, row.failure = ended_at, failure[:2000]


def _postpone(engine: Engine, job: Job, row: str, failure: str, now: datetime) -> None:
    with transaction(engine) as session:
        known = session.get(RowFailure, (job.name, row))
        attempts = known.attempts + 1 if known else 1
        wait = POSTPONE_SECONDS[min(attempts, len(POSTPONE_SECONDS)) - 1]
        kept = {"attempts": attempts, "next_at": now + timedelta(seconds=wait), "failure": failure[:2000]}
        upsert = insert(RowFailure).values(job=job.name, row=row, **kept)
        session.execute(upsert.on_conflict_do_update(index_elements=["job", "row"], set_=kept))


def forget_failure(session: Session, job: str, row: str) -> None:
    """A row that went well at last leaves the list of failures."""
    session.execute(delete(RowFailure).where(col(RowFailure.job) == job, col(RowFailure.row) == row))
