"""Rows of the audit: append-only, guarded by a trigger."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from experience.ground.store import Row, document, instant, reference, row_id


class AuditLine(Row, table=True):
    """One act: who, acting for whom, what, on which row, with what differences."""

    __tablename__ = "audit_line"
    __table_args__ = (Index("ix_audit_line_subject", "subject_kind", "subject_id"),)
    id: int | None = row_id()
    at: datetime = instant(index=True)
    actor_id: int | None = reference("user_account.id", nullable=True)
    acting_for_id: int | None = reference("user_account.id", nullable=True, index=False)
    act: str
    subject_kind: str
    subject_id: str
    detail: dict[str, Any] = document()
    request_id: str = Field(default="")
