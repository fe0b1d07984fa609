"""Rows of learning: people's verdicts on readings, the queue of readings to look at, trainings and re-readings."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field

import experience.voices.tables  # noqa: F401 - rows here refer to its voices
from experience.ground.store import Row, instant, reference, row_id

ORIGINS = ("queue_margin", "queue_disagreement", "queue_diverse", "queue_random", "stream")
RUN_STATES = ("waiting", "running", "done", "failed")
REREADING_STATES = ("running", "paused", "done", "stopped")


class Correction(Row, table=True):
    """What a person said of a reading, right or wrong; the newest word on a voice is the one kept.

    `model_…` is what the model `version` had said when the first person looked; `label`, `topic` and `intent` are the
    person's (null: not judged). `is_random`: the voice was drawn uniformly from all that were read, whatever else
    brought it before a person; only these tell the accuracy without bias.
    """

    __tablename__ = "correction"
    __table_args__ = (
        CheckConstraint(f"origin in {ORIGINS}", name="origin"),
        CheckConstraint("label in ('negative','neutral','positive')", name="label"),
        Index("ix_correction_at_id", "at", "id"),
        Index("ix_correction_by_id_at", "by_id", "at"),
        Index("ix_correction_random", "version", postgresql_where=text("is_random")),
    )
    id: int | None = row_id()
    voice_id: int = Field(unique=True, foreign_key="voice.id", sa_type=BigInteger)
    at: datetime = instant()
    by_id: int | None = reference("user_account.id", nullable=True, index=False)
    origin: str = "stream"
    is_random: bool = False
    version: str
    model_label: str
    model_topic: str
    model_intent: str
    confidence: float
    label: str | None = None
    topic: str | None = None
    intent: str | None = None


class QueueItem(Row, table=True):
    """A voice whose reading a person should look at; open until `judged_at` is set. Never the same voice twice."""

    __tablename__ = "queue_item"
    __table_args__ = (
        CheckConstraint(f"origin in {ORIGINS}", name="origin"),
        Index("ix_queue_item_open", "id", postgresql_where=text("judged_at is null")),
    )
    id: int | None = row_id()
    voice_id: int = Field(unique=True, foreign_key="voice.id", sa_type=BigInteger)
    origin: str
    is_random: bool = False
    why: str = ""  # of a disagreement: which engine or score said otherwise, such as `snownlp:positive`
    added_at: datetime = instant()
    judged_at: datetime | None = instant(nullable=True)


class VoiceScore(Row, table=True):
    """The score given in the survey in which a voice was said: a weak label. `side` is 1 or -1 at the sure ends, else 0."""

    __tablename__ = "voice_score"
    __table_args__ = (
        CheckConstraint("side in (-1, 0, 1)", name="side"),
        Index("ix_voice_score_sure", "voice_id", postgresql_where=text("side <> 0")),
    )
    voice_id: int = Field(primary_key=True, foreign_key="voice.id", sa_type=BigInteger)
    metric: str
    score: float
    side: int


class TrainingRun(Row, table=True):
    """One training in the background; `lease_until` passes when its worker was killed, and another takes it up."""

    __tablename__ = "training_run"
    __table_args__ = (
        CheckConstraint(f"state in {RUN_STATES}", name="state"),
        CheckConstraint("percent between 0 and 100", name="percent"),
        Index("uq_training_run_open", text("(true)"), unique=True, postgresql_where=text("finished_at is null")),
    )
    id: int | None = row_id()
    state: str = "waiting"
    asked_at: datetime = instant()
    started_by_id: int | None = reference("user_account.id", nullable=True)
    attempts: int = 0
    lease_until: datetime | None = instant(nullable=True)
    percent: int = 0
    progress: str = ""  # a stage's code, see learning.stages
    finished_at: datetime | None = instant(nullable=True)
    failure: str = ""
    version: str = ""  # the candidate it made


class Rereading(Row, table=True):
    """Old voices read again with the model now in use, oldest first; `position` is the last voice looked at."""

    __tablename__ = "rereading"
    __table_args__ = (
        CheckConstraint(f"state in {REREADING_STATES}", name="state"),
        Index("uq_rereading_open", text("(true)"), unique=True, postgresql_where=text("finished_at is null")),
    )
    id: int | None = row_id()
    version: str
    state: str = "running"
    started_at: datetime = instant()
    started_by_id: int | None = reference("user_account.id", nullable=True)
    position: int = Field(default=0, sa_type=BigInteger)
    last_id: int = Field(default=0, sa_type=BigInteger)  # the newest voice there was at the start
    total: int = 0  # voices read with another model at the start
    reread: int = 0
    changed_labels: int = 0
    changed_topics: int = 0
    changed_intents: int = 0
    finished_at: datetime | None = instant(nullable=True)
