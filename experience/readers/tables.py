"""Rows of what reads: models with their cards, the operator's words and topic terms, and what is used now."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, Sequence, UniqueConstraint, text
from sqlmodel import Field

import experience.organisation.tables  # noqa: F401 - rows here refer to its users
from experience.ground.store import Row, document, instant, metadata, reference, row_id

MODEL_STATES = ("candidate", "current", "retired", "refused")
ARTEFACT_LIMIT = 2 * 2**20
#: Never goes back, not even when a transaction is undone: what was loaded under a number is never taken for another.
REVISIONS = Sequence("reader_revision", data_type=BigInteger, metadata=metadata)


class ReadingModel(Row, table=True):
    """A trained model: the .npz as it is, and its card. No row is `current` while the shipped model reads.

    `reason` says why the gate refused it. `followed_id` is what it took the place of when it was promoted (null: the
    shipped one), which is where a roll-back goes.
    """

    __tablename__ = "reading_model"
    __table_args__ = (
        CheckConstraint(f"state in {MODEL_STATES}", name="state"),
        CheckConstraint(f"octet_length(artefact) <= {ARTEFACT_LIMIT}", name="artefact"),
        Index("uq_reading_model_current", "state", unique=True, postgresql_where=text("state = 'current'")),
        Index("ix_reading_model_made_at_id", "made_at", "id"),
    )
    id: int | None = row_id()
    version: str = Field(unique=True)
    made_at: datetime = instant()
    made_by_id: int | None = reference("user_account.id", nullable=True)
    state: str = "candidate"
    artefact: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    card: dict[str, Any] = document()
    reason: str = ""
    promoted_at: datetime | None = instant(nullable=True)
    promoted_by_id: int | None = reference("user_account.id", nullable=True)
    followed_id: int | None = reference("reading_model.id", nullable=True, index=False)


class OperatorWord(Row, table=True):
    """A word of the operator's own that texts and searches are cut with."""

    __tablename__ = "operator_word"
    id: int | None = row_id()
    word: str = Field(unique=True)
    note: str = ""
    added_by_id: int | None = reference("user_account.id", nullable=True)
    added_at: datetime = instant()


class TopicTerm(Row, table=True):
    """A term that points to a topic: `code` of the first level, `detail` the name on the second."""

    __tablename__ = "topic_term"
    __table_args__ = (UniqueConstraint("term", "code"), Index("ix_topic_term_code", "code", "detail"))
    id: int | None = row_id()
    term: str
    code: str
    detail: str = ""
    added_by_id: int | None = reference("user_account.id", nullable=True)
    added_at: datetime = instant()


class ReaderState(Row, table=True):
    """What every process reads with: the one row (id 1), absent until something was changed for the first time.

    `revision` moves with every change of the model, the words or the terms, in the change's own transaction.
    """

    __tablename__ = "reader_state"
    __table_args__ = (CheckConstraint("id = 1", name="only"),)
    id: int = Field(default=1, primary_key=True, sa_type=BigInteger)
    model_id: int | None = reference("reading_model.id", nullable=True, index=False)
    revision: int = Field(sa_type=BigInteger)
