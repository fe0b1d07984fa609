"""Rows of work orders: the order, its steps, clocks, marks, requests, callbacks, follow-ups, effect, calendars, policies."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from experience.ground.store import Row, document, instant, reference, row_id
from experience.orders.policies import CLOCK_KINDS

ORDER_STATES = (
    "draft", "dispatched", "processing", "suspended", "internal_review", "submitted", "callback",
    "archived", "returned", "merged", "cancelled",
)  # fmt: skip
#: The holding unit must act; said in the index and in the query with the same words, or the index is not used.
WITH_UNIT_SQL = "state in ('dispatched', 'processing', 'suspended', 'internal_review')"
CLOCK_STATES = ("running", "paused", "met", "breached_met", "cancelled")


class WorkOrder(Row, table=True):
    """An order to a unit to mend an issue. `level` 1 is the centre's, 2 and deeper are its children.

    `next_due_at` is the earliest unfired mark or expiry, for the sweep. `last_hash` is the head of the chain of steps.
    """

    __tablename__ = "work_order"
    __table_args__ = (
        CheckConstraint(f"state in {ORDER_STATES}", name="state"),
        Index("ix_work_order_sweep", "next_due_at", postgresql_where=text("next_due_at is not null")),
        Index("ix_work_order_unit_state", "unit_id", "state", "id"),
        Index("ix_work_order_due", "due_at", "id"),
        Index(  # the open ones, a tenth of all after some years: their lists, and their counts without a look at the rows
            "ix_work_order_open",
            "due_at",
            "id",
            postgresql_include=["unit_id", "state", "reject_count", "is_supervised"],
            postgresql_where=text("state not in ('archived', 'merged', 'cancelled')"),
        ),
        Index("ix_work_order_late", "due_at", "id", postgresql_where=text(WITH_UNIT_SQL)),
    )
    id: int | None = row_id()
    code: str = Field(unique=True)  # G20261122-0001
    level: int = 1
    parent_id: int | None = reference("work_order.id", nullable=True)
    root_id: int | None = reference("work_order.id", nullable=True)
    issue_id: int = reference("issue.id")
    type: str  # complaint, experience, suggestion, major
    policy: str = "default"
    priority: int = 0
    title: str
    instructions: str = ""
    state: str = "draft"
    version: int = 1
    unit_id: int = reference("unit.id", index=False)
    handler_id: int | None = reference("user_account.id", nullable=True)
    first_owner_id: int | None = reference("unit.id", nullable=True, index=False)
    origin: str = "centre"
    cycle: int = 1
    return_count: int = 0
    reject_count: int = 0
    urge_count: int = 0
    is_forced: bool = False
    is_supervised: bool = False
    escalation_level: int = 0
    due_at: datetime | None = instant(nullable=True)
    original_due_at: datetime | None = instant(nullable=True)
    breached_at: datetime | None = instant(nullable=True)
    created_at: datetime = instant()
    dispatched_at: datetime | None = instant(nullable=True)
    submitted_at: datetime | None = instant(nullable=True)
    archived_at: datetime | None = instant(nullable=True)
    reply_note: str = ""
    reply_cause: str = ""
    reply_measure: str = ""
    reply_contacted: bool | None = None
    merged_into_id: int | None = reference("work_order.id", nullable=True)
    next_due_at: datetime | None = instant(nullable=True)
    last_hash: str = ""


class OrderStep(Row, table=True):
    """One act on an order, append-only; `hash` seals it together with the step before."""

    __tablename__ = "order_step"
    __table_args__ = (UniqueConstraint("order_id", "seq"),)
    id: int | None = row_id()
    order_id: int = reference("work_order.id", index=False)
    seq: int
    at: datetime = instant()
    actor_id: int | None = reference("user_account.id", nullable=True)  # None is the system
    acting_for_id: int | None = reference("user_account.id", nullable=True, index=False)
    action: str
    from_state: str
    to_state: str
    reason: str = ""
    note: str = ""
    detail: dict[str, Any] = document()
    prev_hash: str
    hash: str


class Clock(Row, table=True):
    """One deadline of one order in one cycle. `unit` is wh, wd_eod, nh or nd_eod; lengths in seconds of that unit's own time."""

    __tablename__ = "clock"
    __table_args__ = (
        CheckConstraint(f"kind in {CLOCK_KINDS}", name="kind"),
        CheckConstraint(f"state in {CLOCK_STATES}", name="state"),
    )
    id: int | None = row_id()
    order_id: int = reference("work_order.id")
    cycle: int = 1
    kind: str
    unit: str
    limit_text: str  # as written in the policy: 8wh, 3wd, 48nh, 15nd
    budget_seconds: float
    calendar: str
    started_at: datetime = instant()
    state: str = "running"
    due_at: datetime | None = instant(nullable=True)
    original_due_at: datetime | None = instant(nullable=True)
    remaining_seconds: float | None = None
    breached_at: datetime | None = instant(nullable=True)
    met_at: datetime | None = instant(nullable=True)
    is_provisional: bool = False
    generation: int = 1


class ClockSegment(Row, table=True):
    """A stretch of a clock's life, counted or not, and why."""

    __tablename__ = "clock_segment"
    id: int | None = row_id()
    clock_id: int = reference("clock.id")
    from_at: datetime = instant()
    to_at: datetime | None = instant(nullable=True)
    is_counted: bool = True
    reason: str = ""


class ClockMark(Row, table=True):
    """An instant of the ladder (50, 80, 100, 120 %); fired exactly once a generation."""

    __tablename__ = "clock_mark"
    __table_args__ = (
        UniqueConstraint("clock_id", "level", "generation"),
        Index("ix_clock_mark_unfired", "due_at", postgresql_where=text("fired_at is null")),
    )
    id: int | None = row_id()
    clock_id: int = reference("clock.id", index=False)
    order_id: int = reference("work_order.id")
    level: int  # percent
    generation: int = 1
    due_at: datetime = instant()
    fired_at: datetime | None = instant(nullable=True)


class OrderRequest(Row, table=True):
    """A return, suspension or extension asked for; clocks keep running until it is approved."""

    __tablename__ = "order_request"
    __table_args__ = (
        CheckConstraint("state in ('pending','approved','rejected','expired')", name="state"),
        Index("ix_order_request_pending", "expires_at", postgresql_where=text("state = 'pending'")),
    )
    id: int | None = row_id()
    order_id: int = reference("work_order.id")
    kind: str  # return, suspend, extend
    state: str = "pending"
    payload: dict[str, Any] = document()
    reason: str = ""
    asked_by_id: int | None = reference("user_account.id", nullable=True, index=False)
    asked_at: datetime = instant()
    decided_by_id: int | None = reference("user_account.id", nullable=True, index=False)
    decided_at: datetime | None = instant(nullable=True)
    decision_reason: str = ""
    expires_at: datetime | None = instant(nullable=True)


class FollowUp(Row, table=True):
    """An affected customer to be asked again. Surveys look down for `waiting` rows and turn them into invitations."""

    __tablename__ = "follow_up"
    __table_args__ = (
        UniqueConstraint("order_id", "cycle", "voice_id"),
        Index("ix_follow_up_waiting", "id", postgresql_where=text("state = 'waiting'")),
        CheckConstraint("state in ('waiting','invited','answered','unreachable','expired')", name="state"),
    )
    id: int | None = row_id()
    order_id: int = reference("work_order.id")
    cycle: int
    voice_id: int = reference("voice.id")
    customer_id: int | None = reference("customer.id", nullable=True)
    state: str = "waiting"
    created_at: datetime = instant()
    invitation_id: int | None = Field(default=None, sa_type=BigInteger)
    answered_at: datetime | None = instant(nullable=True)
    is_solved: bool | None = None
    score: int | None = None
    note: str = ""


class Effect(Row, table=True):
    """The touchpoint before and after an order: an indicator or a score, its difference, its interval, the verdict."""

    __tablename__ = "effect"
    __table_args__ = (
        UniqueConstraint("order_id", "cycle", "key"),
        Index("ix_effect_due", "due_at", postgresql_where=text("measured_at is null")),
    )
    id: int | None = row_id()
    order_id: int = reference("work_order.id")
    issue_id: int = reference("issue.id")
    cycle: int = 1
    key: str  # success_rate, csat
    touchpoint: str
    province: str = ""
    split_at: datetime = instant()
    window_days: int = 14
    due_at: datetime = instant()
    measured_at: datetime | None = instant(nullable=True)
    before_n: int = 0
    before_value: float | None = None
    after_n: int = 0
    after_value: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str = "pending"  # pending, better, worse, unclear, undecidable
    series: list[dict[str, Any]] = document(default=list)


class Calendar(Row, table=True):
    """Working spans of a week; `weekly` maps "0" (Monday) … "6" to lists of ["09:00","12:00"]."""

    __tablename__ = "calendar"
    name: str = Field(primary_key=True)
    zone: str = "Asia/Shanghai"
    weekly: dict[str, Any] = document()
    covered_until: date | None = None


class CalendarDay(Row, table=True):
    """A day that replaces the weekly pattern entirely: holiday (no spans), makeup, custom."""

    __tablename__ = "calendar_day"
    calendar: str = Field(primary_key=True, foreign_key="calendar.name")
    day: date = Field(primary_key=True)
    kind: str
    spans: list[Any] = document(default=list)
    source: str = ""


class Policy(Row, table=True):
    """Deadlines for a type of order at a touchpoint; the first match by `position` wins, `default` matches all."""

    __tablename__ = "policy"
    code: str = Field(primary_key=True)
    name: str
    position: int = 100
    match: dict[str, Any] = document()
    clocks: dict[str, Any] = (
        document()
    )  # {"accept": "4wh", "contact": "1wd", "resolve": "5wd", "review": "4wh", "callback": "1wd"}
    version: int = 1
