"""What reads: models, the operator's words, topic terms; staff's corrections"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from experience.ground.store import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(timezone=True), nullable=nullable)


def _words(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=nullable) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=nullable) for name in names]


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def _keyed(table: str, column: str = "id") -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(column, name=op.f(f"pk_{table}"))


def _once(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


_ORIGINS = "origin in ('queue_margin', 'queue_disagreement', 'queue_diverse', 'queue_random', 'stream')"


def upgrade() -> None:
    """The rooms `readers` and `learning`."""
    _readers()
    _verdicts()
    _work()
    op.create_index(
        "ix_reading_unsure", "reading", ["confidence", "voice_id"], postgresql_where=sa.text("corrected_at is null")
    )


def _readers() -> None:
    op.execute("create sequence reader_revision as bigint")
    op.create_table(
        "reading_model",
        _id(), *_words("version"), _at("made_at"), *_numbers("made_by_id", nullable=True), *_words("state"),
        sa.Column("artefact", sa.LargeBinary(), nullable=False), sa.Column("card", postgresql.JSONB(), nullable=False),
        *_words("reason"), _at("promoted_at", nullable=True), *_numbers("promoted_by_id", "followed_id", nullable=True),
        _check("reading_model", "state", "state in ('candidate', 'current', 'retired', 'refused')"),
        _check("reading_model", "artefact", "octet_length(artefact) <= 2097152"),
        _refers("reading_model", "made_by_id", "user_account"),
        _refers("reading_model", "promoted_by_id", "user_account"),
        _refers("reading_model", "followed_id", "reading_model"),
        _keyed("reading_model"), _once("reading_model", "version"),
    )  # fmt: skip
    op.create_index(op.f("ix_reading_model_made_by_id"), "reading_model", ["made_by_id"])
    op.create_index(op.f("ix_reading_model_promoted_by_id"), "reading_model", ["promoted_by_id"])
    op.create_index("ix_reading_model_made_at_id", "reading_model", ["made_at", "id"])
    op.create_index(
        "uq_reading_model_current", "reading_model", ["state"], unique=True,
        postgresql_where=sa.text("state = 'current'"),
    )  # fmt: skip
    op.create_table(
        "operator_word",
        _id(), *_words("word", "note"), *_numbers("added_by_id", nullable=True), _at("added_at"),
        _refers("operator_word", "added_by_id", "user_account"),
        _keyed("operator_word"), _once("operator_word", "word"),
    )  # fmt: skip
    op.create_index(op.f("ix_operator_word_added_by_id"), "operator_word", ["added_by_id"])
    op.create_table(
        "topic_term",
        _id(), *_words("term", "code", "detail"), *_numbers("added_by_id", nullable=True), _at("added_at"),
        _refers("topic_term", "added_by_id", "user_account"), _keyed("topic_term"), _once("topic_term", "term", "code"),
    )  # fmt: skip
    op.create_index(op.f("ix_topic_term_added_by_id"), "topic_term", ["added_by_id"])
    op.create_index("ix_topic_term_code", "topic_term", ["code", "detail"])
    op.create_table(
        "reader_state",
        sa.Column("id", sa.BigInteger(), nullable=False, autoincrement=False),
        *_numbers("model_id", nullable=True), *_numbers("revision"),
        _check("reader_state", "only", "id = 1"),
        _refers("reader_state", "model_id", "reading_model"), _keyed("reader_state"),
    )  # fmt: skip


def _verdicts() -> None:
    op.create_table(
        "correction",
        _id(), *_numbers("voice_id"), _at("at"), *_numbers("by_id", nullable=True), *_words("origin"),
        sa.Column("is_random", sa.Boolean(), nullable=False),
        *_words("version", "model_label", "model_topic", "model_intent"),
        sa.Column("confidence", sa.Float(), nullable=False), *_words("label", "topic", "intent", nullable=True),
        _check("correction", "origin", _ORIGINS),
        _check("correction", "label", "label in ('negative','neutral','positive')"),
        _refers("correction", "voice_id", "voice"), _refers("correction", "by_id", "user_account"),
        _keyed("correction"), _once("correction", "voice_id"),
    )  # fmt: skip
    op.create_index("ix_correction_at_id", "correction", ["at", "id"])
    op.create_index("ix_correction_by_id_at", "correction", ["by_id", "at"])
    op.create_index("ix_correction_random", "correction", ["version"], postgresql_where=sa.text("is_random"))
    op.create_table(
        "queue_item",
        _id(), *_numbers("voice_id"), *_words("origin"), sa.Column("is_random", sa.Boolean(), nullable=False),
        *_words("why"), _at("added_at"), _at("judged_at", nullable=True),
        _check("queue_item", "origin", _ORIGINS),
        _refers("queue_item", "voice_id", "voice"), _keyed("queue_item"), _once("queue_item", "voice_id"),
    )  # fmt: skip
    op.create_index("ix_queue_item_open", "queue_item", ["id"], postgresql_where=sa.text("judged_at is null"))
    op.create_table(
        "voice_score",
        *_numbers("voice_id"), *_words("metric"), sa.Column("score", sa.Float(), nullable=False), *_counts("side"),
        _check("voice_score", "side", "side in (-1, 0, 1)"),
        _refers("voice_score", "voice_id", "voice"), _keyed("voice_score", "voice_id"),
    )  # fmt: skip
    op.create_index("ix_voice_score_sure", "voice_score", ["voice_id"], postgresql_where=sa.text("side <> 0"))


def _work() -> None:
    open_rows = sa.text("finished_at is null")
    op.create_table(
        "training_run",
        _id(), *_words("state"), _at("asked_at"), *_numbers("started_by_id", nullable=True), *_counts("attempts"),
        _at("lease_until", nullable=True), *_counts("percent"), *_words("progress"), _at("finished_at", nullable=True),
        *_words("failure", "version"),
        _check("training_run", "state", "state in ('waiting', 'running', 'done', 'failed')"),
        _check("training_run", "percent", "percent between 0 and 100"),
        _refers("training_run", "started_by_id", "user_account"), _keyed("training_run"),
    )  # fmt: skip
    op.create_index(op.f("ix_training_run_started_by_id"), "training_run", ["started_by_id"])
    op.create_index(
        "uq_training_run_open", "training_run", [sa.text("(true)")], unique=True, postgresql_where=open_rows
    )
    op.create_table(
        "rereading",
        _id(), *_words("version", "state"), _at("started_at"), *_numbers("started_by_id", nullable=True),
        *_numbers("position", "last_id"),
        *_counts("total", "reread", "changed_labels", "changed_topics", "changed_intents"),
        _at("finished_at", nullable=True),
        _check("rereading", "state", "state in ('running', 'paused', 'done', 'stopped')"),
        _refers("rereading", "started_by_id", "user_account"), _keyed("rereading"),
    )  # fmt: skip
    op.create_index(op.f("ix_rereading_started_by_id"), "rereading", ["started_by_id"])
    op.create_index("uq_rereading_open", "rereading", [sa.text("(true)")], unique=True, postgresql_where=open_rows)


def downgrade() -> None:
    """Takes both rooms away."""
    op.drop_index("ix_reading_unsure", "reading")
    for table in ("rereading", "training_run", "voice_score", "queue_item", "correction"):
        op.drop_table(table)
    for table in ("reader_state", "topic_term", "operator_word", "reading_model"):
        op.drop_table(table)
    op.execute("drop sequence reader_revision")
