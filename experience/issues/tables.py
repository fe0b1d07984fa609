"""Rows of issues: what is wrong, once, and everything that proves it."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from experience.ground.store import Row, instant, reference, row_id

ISSUE_STATES = ("candidate", "open", "dispatched", "solved", "dismissed", "merged")


class Issue(Row, table=True):
    """Something wrong for customers. `severity` 1 is the gravest, 4 the least.

    `origin`: staff, triage (found by the clock), survey, anomaly, self_check. `candidate` waits for a triager.
    """

    __tablename__ = "issue"
    __table_args__ = (
        CheckConstraint(f"state in {ISSUE_STATES}", name="state"),
        CheckConstraint("severity between 1 and 4", name="severity"),
        Index("ix_issue_state_at", "state", "opened_at"),
        Index("ix_issue_match", "touchpoint", "topic", "province"),
    )
    id: int | None = row_id()
    code: str = Field(unique=True)  # W20261122-0001
    title: str
    summary: str = ""
    state: str = "open"
    severity: int = 3
    severity_reason: str = ""
    touchpoint: str = ""
    topic: str = ""
    product: str = ""
    province: str = ""
    origin: str = "staff"
    stage: str = ""  # lifecycle stage it should change: design, build, launch, run
    opened_at: datetime = instant()
    opened_by_id: int | None = reference("user_account.id", nullable=True)
    closed_at: datetime | None = instant(nullable=True)
    close_reason: str = ""  # why it was dismissed, or what solved it
    merged_into_id: int | None = reference("issue.id", nullable=True)
    version: int = 1


class IssueSource(Row, table=True):
    """A piece of evidence: a voice, an anomaly, a response."""

    __tablename__ = "issue_source"
    __table_args__ = (UniqueConstraint("issue_id", "kind", "row"), Index("ix_issue_source_row", "kind", "row"))
    id: int | None = row_id()
    issue_id: int = reference("issue.id")
    kind: str  # voice, anomaly, response
    row: int = Field(sa_type=BigInteger)
    at: datetime = instant()


class IssueUnit(Row, table=True):
    """A unit that was given a part of the mending: it sees the issue from then on."""

    __tablename__ = "issue_unit"
    issue_id: int = Field(primary_key=True, foreign_key="issue.id", sa_type=BigInteger)
    unit_id: int = Field(primary_key=True, foreign_key="unit.id", sa_type=BigInteger, index=True)
    at: datetime = instant()


class IssueWords(Row, table=True):
    """The telling words of an issue's title and voices, by which similar ones are found.

    Made again when `version` is no longer the issue's or evidence newer than `source_id` came.
    """

    __tablename__ = "issue_words"
    __table_args__ = (Index("ix_issue_words_words", "words", postgresql_using="gin"),)
    issue_id: int = Field(primary_key=True, foreign_key="issue.id", sa_type=BigInteger)
    words: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    version: int
    source_id: int = Field(default=0, sa_type=BigInteger)
    made_at: datetime = instant()
