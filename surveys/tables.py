"""Rows of surveys: the survey, its immutable publications, invitations, responses, answers."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

import experience.customers.tables
import experience.orders.tables
import experience.organisation.tables  # noqa: F401 - rows here refer to theirs
from experience.ground.store import Row, document, instant, reference, row_id


class Survey(Row, table=True):
    """A survey under one code; `draft` is the definition being edited."""

    __tablename__ = "survey"
    __table_args__ = (CheckConstraint("state in ('draft','open','paused','closed')", name="state"),)
    id: int | None = row_id()
    code: str = Field(unique=True)
    title: str
    purpose: str = "transaction"  # transaction, anomaly, relationship, follow_up
    state: str = "draft"
    unit_id: int = reference("unit.id")
    draft: dict[str, Any] = document()
    draft_version: int = 1  # grows with every saved edit, so that two editors cannot overwrite each other
    current_version: int = 0  # 0: never published
    created_at: datetime = instant()
    created_by_id: int | None = reference("user_account.id", nullable=True)


class Publication(Row, table=True):
    """A frozen version of a survey; a trigger refuses any update."""

    __tablename__ = "publication"
    __table_args__ = (UniqueConstraint("survey_id", "version"),)
    id: int | None = row_id()
    survey_id: int = reference("survey.id", index=False)
    version: int
    definition: dict[str, Any] = document()
    sha256: str
    published_at: datetime = instant()
    published_by_id: int | None = reference("user_account.id", nullable=True)


class Invitation(Row, table=True):
    """One survey offered to one person once. The token is signed; only its SHA-256 is kept.

    `expires_at` is when a reservation that was not displayed is released. `snapshot` is what the probe saw (kind, seconds, code, step). `sample_class`: baseline, anomaly, follow_up, open.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        CheckConstraint("state in ('reserved','shown','answered','dismissed','released','expired')", name="state"),
        Index("ix_invitation_reserved", "expires_at", postgresql_where=text("state = 'reserved'")),
    )
    id: int | None = row_id()
    publication_id: int = reference("publication.id")
    token_hash: str = Field(unique=True)
    subject: str = Field(index=True)
    customer_id: int | None = reference("customer.id", nullable=True)
    device: str = ""
    session: str = ""
    channel: str = "popover"
    touchpoint: str = ""
    province: str = ""
    sample_class: str = "open"
    snapshot: dict[str, Any] = document()
    tags: dict[str, Any] = document()  # only those that the survey's own conditions look at
    state: str = "reserved"
    created_at: datetime = instant()
    expires_at: datetime = instant()
    shown_at: datetime | None = instant(nullable=True)
    firing_id: int | None = Field(default=None, sa_type=BigInteger)
    follow_up_id: int | None = reference("follow_up.id", nullable=True)


class Response(Row, table=True):
    """One person's answers to one publication; `is_partial` until the last item.

    `seed` gives the order of chance, `shown` the items as they were shown, `ending` where the path ended;
    `is_screenout` when that was not a complete one. `fingerprint` tells a repeat from another answer under the same key.
    """

    __tablename__ = "response"
    __table_args__ = (
        Index("ix_response_publication_at", "publication_id", "at"),
        Index("ix_response_touchpoint_at", "touchpoint", "at"),
    )
    id: int | None = row_id()
    code: str = Field(unique=True)
    publication_id: int = reference("publication.id", index=False)
    invitation_id: int | None = Field(default=None, sa_type=BigInteger, unique=True, foreign_key="invitation.id")
    client_key: str | None = Field(default=None, unique=True)  # Idempotency-Key
    receipt_hash: str = Field(unique=True)
    at: datetime = instant()
    finished_at: datetime | None = instant(nullable=True)
    is_partial: bool = False
    is_quarantined: bool = False
    quarantine_reason: str = ""
    channel: str = ""
    touchpoint: str = ""
    province: str = ""
    device: str = ""
    customer_id: int | None = reference("customer.id", nullable=True)
    sample_class: str = "open"
    weight: float = 1.0
    snapshot: dict[str, Any] = document()
    seconds: float | None = None
    lang: str = ""
    seed: str = ""
    shown: list[str] = document(default=list)
    ending: str = ""
    is_screenout: bool = False
    fingerprint: str = ""


class Answer(Row, table=True):
    """One item's answer. `number` for scales, `options` for choices with the text as shown, `text` for words."""

    __tablename__ = "answer"
    __table_args__ = (Index("ix_answer_metric", "metric", "response_id"),)
    response_id: int = Field(primary_key=True, foreign_key="response.id", sa_type=BigInteger)
    item: str = Field(primary_key=True)
    kind: str
    metric: str = ""
    number: float | None = None
    options: list[dict[str, Any]] = document(default=list)
    text: str = ""
    is_inactive: bool = False


class QuotaTaken(Row, table=True):
    """How many completed answers a survey's quota has taken; one row a quota, counted up to its limit by one statement."""

    __tablename__ = "quota_taken"
    survey_id: int = Field(primary_key=True, foreign_key="survey.id", sa_type=BigInteger)
    quota: str = Field(primary_key=True)
    taken: int = 0
