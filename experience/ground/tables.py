"""Rows of the ground floor: when each job last ran."""

from datetime import datetime

from sqlmodel import Field

from experience.ground.store import Row, instant


class JobRun(Row, table=True):
    """The last run of one job: when, how long, how much it did, and how it last failed."""

    __tablename__ = "job_run"
    job: str = Field(primary_key=True)
    started_at: datetime = instant()
    finished_at: datetime | None = instant(nullable=True)
    duration_seconds: float = 0.0
    handled: int = 0
    failed_at: datetime | None = instant(nullable=True)
    failure: str = ""


class RowFailure(Row, table=True):
    """A row a job could not handle: how often it failed and when it is tried again."""

    __tablename__ = "row_failure"
    job: str = Field(primary_key=True)
    row: str = Field(primary_key=True)
    attempts: int = 1
    next_at: datetime = instant(index=True)
    failure: str = ""


class Heartbeat(Row, table=True):
    """A worker that ticks the jobs, and when it last did."""

    __tablename__ = "heartbeat"
    worker: str = Field(primary_key=True)  # host:process
    started_at: datetime = instant()
    beat_at: datetime = instant(index=True)
