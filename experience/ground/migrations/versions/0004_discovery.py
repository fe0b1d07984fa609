"""Discovery: emerging words and clusters"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from experience.ground.store import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(timezone=True), nullable=nullable)


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _kept(kind: "sa.types.TypeEngine[object]", *names: str, nullable: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, kind, nullable=nullable) for name in names]


def _many(name: str, kind: "sa.types.TypeEngine[object]") -> sa.Column[object]:
    return sa.Column(name, postgresql.ARRAY(kind), nullable=False)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    """The room `discovery`."""
    _runs()
    _emerging()
    _clusters()


def _runs() -> None:
    op.create_table(
        "discovery_run",
        _id(), *_words("kind", "province", "channel"), *_kept(postgresql.JSONB(), "narrowed"),
        *_kept(sa.String(), "night", nullable=True), _at("asked_at"),
        *_kept(sa.BigInteger(), "asked_by_id", nullable=True), *_words("state"),
        _at("started_at", nullable=True), _at("finished_at", nullable=True), *_kept(sa.Integer(), "looked_at", "found"),
        *_words("failure"),
        _check("discovery_run", "kind", "kind in ('emerging', 'clusters', 'reread')"),
        _check("discovery_run", "state", "state in ('waiting', 'running', 'done', 'failed')"),
        _refers("discovery_run", "asked_by_id", "user_account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discovery_run")),
        sa.UniqueConstraint("night", name=op.f("uq_discovery_run_night")),
    )  # fmt: skip
    op.create_index(op.f("ix_discovery_run_asked_by_id"), "discovery_run", ["asked_by_id"])
    op.create_index("ix_discovery_run_kind_place", "discovery_run", ["kind", "province", "channel", "id"])
    is_open = sa.text("state in ('waiting','running')")
    op.create_index("ix_discovery_run_open", "discovery_run", ["id"], postgresql_where=is_open)


def _emerging() -> None:
    op.create_table(
        "emerging_word",
        _id(), *_words("province", "channel", "word"), _at("first_at"), _at("found_at"), _at("since"), _at("until"),
        *_kept(sa.Integer(), "n"), *_kept(sa.Float(), "expected", "q"), _many("history", sa.Integer()),
        _many("together", sa.Text()), _many("voice_ids", sa.BigInteger()), *_words("state", "code", "detail"),
        *_kept(sa.BigInteger(), "decided_by_id", nullable=True), _at("decided_at", nullable=True),
        _check("emerging_word", "state", "state in ('new', 'dismissed', 'promoted')"),
        _refers("emerging_word", "decided_by_id", "user_account"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emerging_word")),
        sa.UniqueConstraint("province", "channel", "word", name=op.f("uq_emerging_word_province_channel_word")),
    )  # fmt: skip
    op.create_index(op.f("ix_emerging_word_decided_by_id"), "emerging_word", ["decided_by_id"])
    op.create_index("ix_emerging_word_state_found_at", "emerging_word", ["state", "found_at"])


def _clusters() -> None:
    op.create_table(
        "cluster",
        _id(), *_kept(sa.BigInteger(), "run_id"), *_words("name"), *_kept(sa.Boolean(), "is_named"),
        *_kept(sa.Integer(), "size"), *_kept(sa.Float(), "share", "tightness", "negative_share"),
        _many("words", sa.Text()), _many("voice_ids", sa.BigInteger()), *_words("state"),
        *_kept(sa.BigInteger(), "merged_into_id", nullable=True), *_words("code", "detail"),
        *_kept(sa.BigInteger(), "decided_by_id", nullable=True), _at("decided_at", nullable=True),
        _check("cluster", "state", "state in ('new', 'dismissed', 'promoted', 'merged')"),
        _check("cluster", "merged", "(state = 'merged') = (merged_into_id is not null)"),
        _refers("cluster", "run_id", "discovery_run"), _refers("cluster", "merged_into_id", "cluster"),
        _refers("cluster", "decided_by_id", "user_account"), sa.PrimaryKeyConstraint("id", name=op.f("pk_cluster")),
    )  # fmt: skip
    op.create_index(op.f("ix_cluster_decided_by_id"), "cluster", ["decided_by_id"])
    op.create_index(op.f("ix_cluster_merged_into_id"), "cluster", ["merged_into_id"])
    op.create_index("ix_cluster_run_id_size", "cluster", ["run_id", "size"])


def downgrade() -> None:
    """Takes the room away."""
    for table in ("cluster", "emerging_word", "discovery_run"):
        op.drop_table(table)
