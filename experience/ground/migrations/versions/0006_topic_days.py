"""Topics by the day, and the words of issues"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from experience.ground.store import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: (trigger, event, the transition table that holds what was touched)
_EVENTS = (("added", "insert", "new"), ("changed", "update", "new"), ("removed", "delete", "old"))
_DIMENSIONS = ("at", "province", "product", "touchpoint", "source", "fingerprint")


def upgrade() -> None:
    op.create_table(
        "topic_day",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("texts", sa.Integer(), nullable=False),
        sa.Column("negative", sa.Integer(), nullable=False),
        sa.Column("positive", sa.Integer(), nullable=False),
        sa.Column("sentiment", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "day", "value", "topic", name=op.f("pk_topic_day")),
    )
    op.create_table(
        "topic_day_stale",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_day_stale")),
    )
    op.create_index(op.f("ix_topic_day_stale_day"), "topic_day_stale", ["day"])
    _watch_readings()
    _watch_voices()
    op.execute(
        "insert into topic_day_stale (day) select distinct (at at time zone 'Asia/Shanghai')::date from voice "
        "where read_at is not null"
    )
    op.create_table(
        "issue_words",
        sa.Column("issue_id", sa.BigInteger(), nullable=False),
        sa.Column("words", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_issue_words_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_issue_words")),
    )
    op.create_index("ix_issue_words_words", "issue_words", ["words"], postgresql_using="gin")


def _watch_readings() -> None:
    """Whoever writes a reading leaves a note that its day must be counted again; notes never wait for each other."""
    op.execute(
        """
        create function topic_day_touched() returns trigger language plpgsql as $$
        begin
          insert into topic_day_stale (day)
          select distinct (voice.at at time zone 'Asia/Shanghai')::date
          from touched join voice on voice.id = touched.voice_id;
          return null;
        end $$
        """
    )
    for name, event, side in _EVENTS:
        op.execute(
            f"create trigger reading_{name} after {event} on reading referencing {side} table as touched "
            "for each statement execute function topic_day_touched()"
        )


def _watch_voices() -> None:
    op.execute(
        """
        create function voice_moved() returns trigger language plpgsql as $$
        begin
          insert into topic_day_stale (day)
          select distinct (moment at time zone 'Asia/Shanghai')::date from unnest(array[old.at, new.at]) as moment;
          return null;
        end $$
        """
    )
    before, after = (", ".join(f"{side}.{name}" for name in _DIMENSIONS) for side in ("old", "new"))
    op.execute(
        f"create trigger voice_moved after update of {', '.join(_DIMENSIONS)} on voice for each row "
        f"when (old.read_at is not null and ({before}) is distinct from ({after})) execute function voice_moved()"
    )


def downgrade() -> None:
    op.drop_table("issue_words")
    op.execute("drop trigger voice_moved on voice")
    op.execute("drop function voice_moved()")
    for name, _, _ in _EVENTS:
        op.execute(f"drop trigger reading_{name} on reading")
    op.execute("drop function topic_day_touched()")
    op.drop_table("topic_day_stale")
    op.drop_table("topic_day")
