"""Rows of voices: what customers said, what was read in it, and how it came in."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlmodel import Field

from experience.ground.store import Row, document, instant, reference, row_id

BOARD_STATES = ("hidden", "received", "working", "solved", "declined", "duplicate")


class Voice(Row, table=True):
    """One utterance of one customer. `text` is what was said; `masked` is what those without the right see.

    `source` + `external_id` is unique: the same row imported twice is one voice. `code` is short and public; the receipt is
    a secret of its author, of which only the SHA-256 is kept. `tokens` is the segmented text for search.
    """

    __tablename__ = "voice"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index("ix_voice_find", "tokens", "labels", postgresql_using="gin"),
        Index("ix_voice_old_form", "id", postgresql_where=text("search_form < 1 and read_at is not null")),
        Index("ix_voice_fingerprint_at", "fingerprint", "at"),
        Index("ix_voice_import_at", "import_id", "at", "id"),
        Index("ix_voice_source_at", "source", "at", "id"),
        Index("ix_voice_unread", "id", postgresql_where=text("read_at is null")),
        Index("ix_voice_untriaged", "id", postgresql_where=text("triaged_at is null and read_at is not null")),
        Index("ix_voice_at_id", "at", "id"),
        Index("ix_voice_province_at", "province", "at", "id"),
        Index("ix_voice_touchpoint_at", "touchpoint", "at", "id"),
        Index("ix_voice_board", "board_state", "votes", postgresql_where=text("board_state <> 'hidden'")),
        CheckConstraint(f"board_state in {BOARD_STATES}", name="board_state"),
        CheckConstraint("mood between 1 and 5", name="mood"),
    )
    id: int | None = row_id()
    code: str = Field(unique=True)
    source: str  # rant, survey, app, hotline, weibo, wechat, import, internal_trial, api …
    external_id: str | None = None
    text: str
    masked: str
    at: datetime = instant()
    heard_at: datetime = instant()
    touchpoint: str = ""
    product: str = ""
    province: str = ""
    customer_id: int | None = reference("customer.id", nullable=True)
    device: str = ""
    mood: int | None = None
    contact: str = ""
    consent: bool = False
    receipt_hash: str | None = Field(default=None, unique=True)
    response_id: int | None = Field(default=None, index=True)  # the survey response it was said in
    import_id: int | None = reference("voice_import.id", nullable=True, index=False)
    fingerprint: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    read_at: datetime | None = instant(nullable=True)
    triaged_at: datetime | None = instant(nullable=True)  # when the clock looked whether it makes an issue
    tokens: str | None = Field(default=None, sa_column=Column(TSVECTOR))
    search_form: int = Field(default=0, sa_type=SmallInteger)  # of `tokens`; see search.FORM
    #: What lists are narrowed to, kept by the database itself from the voice and its reading: see migration 0005.
    labels: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))
    board_state: str = "hidden"
    board_reply: str = ""
    votes: int = 0


class Reading(Row, table=True):
    """What was read in a voice by one model version; staff corrections live beside it and win."""

    __tablename__ = "reading"
    __table_args__ = (
        Index("ix_reading_topic", "topic", "voice_id"),
        Index("ix_reading_label", "label", "voice_id"),
        Index("ix_reading_urgency", "urgency", "voice_id"),
        Index("ix_reading_unsure", "confidence", "voice_id", postgresql_where=text("corrected_at is null")),
        CheckConstraint("label in ('negative','neutral','positive')", name="label"),
        CheckConstraint("urgency between 0 and 3", name="urgency"),
    )
    voice_id: int = Field(primary_key=True, foreign_key="voice.id", sa_type=BigInteger)
    model: str
    read_at: datetime = instant()
    sentiment: float
    label: str
    confidence: float
    topic: str  # the first topic's code, or 'other'
    topics: list[dict[str, Any]] = document(default=list)
    aspects: list[dict[str, Any]] = document(default=list)
    keywords: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    urgency: int = 0
    urgency_reasons: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    intent: str = "other"
    evidence: list[dict[str, Any]] = document(default=list)
    abstains: bool = False  # the model was not sure: it belongs into the correction queue
    corrected_by_id: int | None = reference("user_account.id", nullable=True)
    corrected_at: datetime | None = instant(nullable=True)


class VoiceImport(Row, table=True):
    """One imported file: progress, counts, and where it stands."""

    __tablename__ = "voice_import"
    __table_args__ = (
        CheckConstraint("state in ('waiting','running','done','failed')", name="state"),
        Index("ix_voice_import_open", "id", postgresql_where=text("state in ('waiting','running')")),
    )
    id: int | None = row_id()
    at: datetime = instant()
    user_id: int | None = reference("user_account.id", nullable=True)
    file_name: str
    file_hash: str = Field(index=True)
    path: str = ""
    source: str = ""
    mapping: dict[str, Any] = document()
    state: str = "waiting"  # waiting, running, done, failed
    is_dry_run: bool = False
    position: int = 0  # rows of the file dealt with; a restart goes on after them
    total: int = 0  # rows of the file, as far as known
    added: int = 0
    repeated: int = 0
    rejected: int = 0
    rejects_path: str = ""
    rejects_bytes: int = 0  # of the reject file; what a crash wrote beyond it is cut off
    failure: str = ""
    finished_at: datetime | None = instant(nullable=True)


class Vote(Row, table=True):
    """One device says "me too" to one rant, once."""

    __tablename__ = "vote"
    voice_id: int = Field(primary_key=True, foreign_key="voice.id", sa_type=BigInteger)
    device: str = Field(primary_key=True)
    at: datetime = instant()
