"""Rows of probes: events, anomalies, triggers and their firings."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field

from experience.ground.store import Row, UtcDateTime, document, instant, reference, row_id


class ProbeEvent(Row, table=True):
    """One raw event, in day partitions by `day` (UTC date of arrival); deduplicated by `EventKey`."""

    __tablename__ = "probe_event"
    __table_args__ = (
        Index("ix_probe_event_touchpoint_at", "touchpoint", "at"),
        Index("ix_probe_event_session", "session", "at"),
        {"postgresql_partition_by": "RANGE (arrived_at)"},
    )
    event_id: str = Field(primary_key=True)
    arrived_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    at: datetime = instant()
    site: str
    touchpoint: str
    type: str
    step: str = ""
    ok: bool | None = None
    ms: float | None = None
    code: str = ""
    session: str = ""
    device: str = ""
    customer_ref: str = ""
    province: str = ""
    props: dict[str, Any] = document()


class EventKey(Row, table=True):
    """An event id taken in; kept as long as a browser may send the same event again."""

    __tablename__ = "event_key"
    event_id: str = Field(primary_key=True)
    arrived_at: datetime = instant(index=True)


class SessionSeen(Row, table=True):
    """A session seen at a touchpoint in an hour or a day, so that each counts once however its events arrive."""

    __tablename__ = "session_seen"
    touchpoint: str = Field(primary_key=True)
    window_seconds: int = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    session: str = Field(primary_key=True)


class SpoolSegment(Row, table=True):
    """A spool file moved into the database, so that a crash between the move and the unlink counts it once."""

    __tablename__ = "spool_segment"
    name: str = Field(primary_key=True)
    drained_at: datetime = instant(index=True)
    events: int = 0


class Watch(Row, table=True):
    """Up to which window a touchpoint was graded."""

    __tablename__ = "watch"
    touchpoint: str = Field(primary_key=True)
    upto: datetime = instant()


class Anomaly(Row, table=True):
    """An episode in which an indicator left its own past: since when, how far, what explains it."""

    __tablename__ = "anomaly"
    __table_args__ = (
        CheckConstraint("state in ('open','closed','dismissed')", name="state"),
        Index("ix_anomaly_open", "touchpoint", postgresql_where=text("state = 'open'")),
        Index("ix_anomaly_touchpoint_at", "touchpoint", "started_at"),
    )
    id: int | None = row_id()
    code: str = Field(unique=True)
    touchpoint: str
    province: str = ""
    indicator: str  # success_rate, p95_ms, volume
    started_at: datetime = instant()
    last_seen_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    state: str = "open"
    severity: int = 1  # 1 slight … 3 grave
    observed: float
    expected: float
    low: float
    high: float
    n: int
    explanation: list[dict[str, Any]] = document(default=list)
    dismissed_by_id: int | None = reference("user_account.id", nullable=True)


class Trigger(Row, table=True):
    """A rule: WHEN something happens at a touchpoint, offer a survey to the person it happened to."""

    __tablename__ = "trigger"
    id: int | None = row_id()
    name: str
    touchpoint: str = Field(index=True)
    when: dict[str, Any] = (
        document()
    )  # {"type":"event","event":"fail","count":3,"within_seconds":600} or {"type":"anomaly","min_severity":2}
    survey: str
    sample: float = 1.0
    sample_class: str = "anomaly"
    hourly_cap: int = 200
    is_active: bool = True
    version: int = 1


class Firing(Row, table=True):
    """A trigger hit for one person or one anomaly."""

    __tablename__ = "firing"
    id: int | None = row_id()
    trigger_id: int | None = reference("trigger.id", nullable=True)  # None: the rule the survey itself carries
    survey: str = ""
    at: datetime = instant(index=True)
    session: str = ""
    subject: str = ""
    touchpoint: str = ""
    anomaly_id: int | None = reference("anomaly.id", nullable=True)
    snapshot: dict[str, Any] = document()  # what the probe saw (see triggers.snapshot), and the province
    invitation_id: int | None = Field(default=None, sa_type=BigInteger)
    outcome: str = ""  # offered, or the contact policy's reason of refusal
