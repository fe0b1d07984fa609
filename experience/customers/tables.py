"""Rows about customers: who they are to us, and every time we reached for them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from experience.ground.store import Row, document, instant, row_id


class Customer(Row, table=True):
    """A customer of the operator. `ref` is the operator's own pseudonymous id."""

    __tablename__ = "customer"
    id: int | None = row_id()
    ref: str = Field(unique=True)
    province: str = Field(default="", index=True)
    tier: str = ""
    attributes: dict[str, Any] = document()
    do_not_ask: bool = False
    created_at: datetime = instant()
    erased_at: datetime | None = instant(nullable=True)


class Approach(Row, table=True):
    """One decision of the contact policy about one person (`subject` = `customer:REF` or `device:ID`).

    `verdict` is `refused` (then `reason` says why) or goes `reserved` -> `shown` -> `answered` or `dismissed`, or `released`
    when it was never displayed; `invited` left a link to be found and disturbs nobody yet. `changed_at` is when it last moved. `device` lets a person who logs in or out be known again.
    """

    __tablename__ = "approach"
    __table_args__ = (
        CheckConstraint(
            "verdict in ('invited','reserved','shown','answered','dismissed','released','refused')", name="verdict"
        ),
        Index("ix_approach_subject_at", "subject", "at", postgresql_where=text("verdict <> 'refused'")),
        Index("ix_approach_device_at", "device", "at", postgresql_where=text("verdict <> 'refused'")),
        Index("ix_approach_what_at", "what", "at"),
    )
    id: int | None = row_id()
    at: datetime = instant()
    changed_at: datetime = instant()
    subject: str
    device: str = ""
    session: str = ""
    what: str  # survey code, or another thing we bother people with
    verdict: str
    reason: str = ""
    invitation_id: int | None = Field(default=None, index=True)
    touchpoint: str = ""
