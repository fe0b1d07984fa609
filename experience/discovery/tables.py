"""Rows of discovery: runs, emerging words, clusters of voices."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

import experience.organisation.tables  # noqa: F401 - rows here refer to its users
from experience.ground.store import Row, document, instant, reference, row_id

KINDS = ("emerging", "clusters", "reread")
RUN_STATES = ("waiting", "running", "done", "failed")
WORD_STATES = ("new", "dismissed", "promoted")
CLUSTER_STATES = (*WORD_STATES, "merged")


class DiscoveryRun(Row, table=True):
    """One look at the voices of a place: a province and a channel, empty for all.

    `night` names a run of the clock, so that several workers ask for it once. `narrowed` keeps what a person asked
    for: days, touchpoint, topic, label; or the terms whose voices are read again, and the last voice read. `looked_at`
    voices, `found` words or clusters.
    """

    __tablename__ = "discovery_run"
    __table_args__ = (
        CheckConstraint(f"kind in {KINDS}", name="kind"),
        CheckConstraint(f"state in {RUN_STATES}", name="state"),
        Index("ix_discovery_run_open", "id", postgresql_where=text("state in ('waiting','running')")),
        Index("ix_discovery_run_kind_place", "kind", "province", "channel", "id"),
    )
    id: int | None = row_id()
    kind: str
    province: str = ""
    channel: str = ""
    narrowed: dict[str, Any] = document()
    night: str | None = Field(default=None, unique=True)
    asked_at: datetime = instant()
    asked_by_id: int | None = reference("user_account.id", nullable=True)
    state: str = "waiting"
    started_at: datetime | None = instant(nullable=True)
    finished_at: datetime | None = instant(nullable=True)
    looked_at: int = 0
    found: int = 0
    failure: str = ""


class EmergingWord(Row, table=True):
    """A phrase said more than its past lets expect, in a place; found again it is the same row with newer figures.

    The period is `since` to `until`, as `history` are the counts of the like periods before it, oldest first. `q` is
    the share of false alarms among those told down to this one. `code` and `detail` are what it was promoted to.
    """

    __tablename__ = "emerging_word"
    __table_args__ = (
        UniqueConstraint("province", "channel", "word"),
        CheckConstraint(f"state in {WORD_STATES}", name="state"),
        Index("ix_emerging_word_state_found_at", "state", "found_at"),
    )
    id: int | None = row_id()
    province: str = ""
    channel: str = ""
    word: str
    first_at: datetime = instant()
    found_at: datetime = instant()
    since: datetime = instant()
    until: datetime = instant()
    n: int
    expected: float
    q: float
    history: list[int] = Field(default_factory=list, sa_column=Column(ARRAY(Integer), nullable=False))
    together: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    voice_ids: list[int] = Field(default_factory=list, sa_column=Column(ARRAY(BigInteger), nullable=False))
    state: str = "new"
    code: str = ""
    detail: str = ""
    decided_by_id: int | None = reference("user_account.id", nullable=True)
    decided_at: datetime | None = instant(nullable=True)


class Cluster(Row, table=True):
    """A heap of kindred voices of a run. `share` of the voices looked at, `tightness` 0 to 1.

    `voice_ids` are examples, nearest the centre first. `is_named` once a person named it.
    """

    __tablename__ = "cluster"
    __table_args__ = (
        CheckConstraint(f"state in {CLUSTER_STATES}", name="state"),
        CheckConstraint("(state = 'merged') = (merged_into_id is not null)", name="merged"),
        Index("ix_cluster_run_id_size", "run_id", "size"),
    )
    id: int | None = row_id()
    run_id: int = reference("discovery_run.id", index=False)
    name: str
    is_named: bool = False
    size: int
    share: float = Field(sa_column=Column(Float, nullable=False))
    tightness: float = Field(sa_column=Column(Float, nullable=False))
    negative_share: float = Field(sa_column=Column(Float, nullable=False))
    words: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    voice_ids: list[int] = Field(default_factory=list, sa_column=Column(ARRAY(BigInteger), nullable=False))
    state: str = "new"
    merged_into_id: int | None = reference("cluster.id", nullable=True)
    code: str = ""
    detail: str = ""
    decided_by_id: int | None = reference("user_account.id", nullable=True)
    decided_at: datetime | None = instant(nullable=True)
