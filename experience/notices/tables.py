"""Rows of the outbox: a notice is written in the transaction of the act it tells of."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from experience.ground.store import Row, document, instant, reference, row_id


class Notice(Row, table=True):
    """A message to one user, in the app. `dedupe` makes the same happening tell the same person once."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_unread", "user_id", "at", postgresql_where=text("read_at is null")),)
    id: int | None = row_id()
    dedupe: str = Field(unique=True)
    user_id: int = reference("user_account.id")
    at: datetime = instant()
    topic: str
    level: int = 0
    sentence: str
    params: dict[str, Any] = document()
    link: str = ""
    read_at: datetime | None = instant(nullable=True)
