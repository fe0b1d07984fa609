"""Search and lists of a million voices

Every voice carries labels for all that lists are narrowed by, its own and those of its reading, so that one index finds
any combination of words and filters. The database keeps the labels itself: whoever writes a reading, they are true.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_LABELS = """
create function voice_labels(v voice) returns text[] language plpgsql stable as $$
declare r reading;
begin
  select * into r from reading where voice_id = v.id;
  return array_remove(array[
    'p:' || v.province, 's:' || v.source, 'k:' || v.touchpoint, 'd:' || v.product,
    'm:' || to_char(v.at at time zone 'UTC', 'YYYY-MM'),
    't:' || r.topic, 'l:' || r.label, 'i:' || r.intent,
    case when r.urgency >= 1 then 'u:1' end, case when r.urgency >= 2 then 'u:2' end,
    case when r.urgency >= 3 then 'u:3' end,
    case when r.abstains and r.corrected_at is null then 'unsure' end
  ], null);
end $$
"""
_OF_VOICE = """
create function label_voice() returns trigger language plpgsql as $$
begin
  new.labels := voice_labels(new);
  return new;
end $$
"""
_OF_READING = """
create function label_voice_again() returns trigger language plpgsql as $$
begin
  update voice set labels = voice_labels(voice) where id = new.voice_id;
  return null;
end $$
"""


def upgrade() -> None:
    op.add_column("voice", sa.Column("labels", ARRAY(sa.Text()), nullable=True))
    op.add_column("voice", sa.Column("search_form", sa.SmallInteger(), nullable=False, server_default="0"))
    op.execute(_LABELS)
    op.execute(_OF_VOICE)
    op.execute(_OF_READING)
    op.execute("set local statement_timeout = 0")
    op.execute("update voice set labels = voice_labels(voice)")
    op.execute(
        "create trigger voice_labelled before insert or update of "
        "read_at, province, source, touchpoint, product, at on voice "
        "for each row execute function label_voice()"
    )
    op.execute(
        "create trigger reading_labelled after update of topic, label, intent, urgency, abstains, corrected_at on reading "
        "for each row when ((old.topic, old.label, old.intent, old.urgency, old.abstains, old.corrected_at) is distinct from "
        "(new.topic, new.label, new.intent, new.urgency, new.abstains, new.corrected_at)) "
        "execute function label_voice_again()"
    )
    for name in ("tokens", "fingerprint", "import_id", "source", "province_at", "touchpoint_at"):
        op.drop_index(f"ix_voice_{name}", table_name="voice")
    op.create_index("ix_voice_find", "voice", ["tokens", "labels"], postgresql_using="gin")
    op.create_index("ix_voice_fingerprint_at", "voice", ["fingerprint", "at"])
    op.create_index("ix_voice_import_at", "voice", ["import_id", "at", "id"])
    op.create_index("ix_voice_province_at", "voice", ["province", "at", "id"])
    op.create_index("ix_voice_touchpoint_at", "voice", ["touchpoint", "at", "id"])
    op.create_index("ix_voice_source_at", "voice", ["source", "at", "id"])
    op.create_index(
        "ix_voice_old_form", "voice", ["id"], postgresql_where=sa.text("search_form < 1 and read_at is not null")
    )
    op.create_index(
        "ix_work_order_open",
        "work_order",
        ["due_at", "id"],
        postgresql_include=["unit_id", "state", "reject_count", "is_supervised"],
        postgresql_where=sa.text("state not in ('archived', 'merged', 'cancelled')"),
    )


def downgrade() -> None:
    op.drop_index("ix_work_order_open", table_name="work_order")
    op.execute("drop trigger reading_labelled on reading")
    op.execute("drop trigger voice_labelled on voice")
    op.execute("drop function label_voice_again()")
    op.execute("drop function label_voice()")
    op.execute("drop function voice_labels(voice)")
    for name in (
        "find", "fingerprint_at", "import_at", "province_at", "touchpoint_at", "source_at", "old_form",
    ):  # fmt: skip
        op.drop_index(f"ix_voice_{name}", table_name="voice")
    op.drop_column("voice", "search_form")
    op.drop_column("voice", "labels")
    op.create_index("ix_voice_tokens", "voice", ["tokens"], postgresql_using="gin")
    op.create_index("ix_voice_fingerprint", "voice", ["fingerprint"])
    op.create_index("ix_voice_import_id", "voice", ["import_id"])
    op.create_index("ix_voice_source", "voice", ["source"])
    op.create_index("ix_voice_province_at", "voice", ["province", "at"])
    op.create_index("ix_voice_touchpoint_at", "voice", ["touchpoint", "at"])
