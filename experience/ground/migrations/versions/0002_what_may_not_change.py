"""What may not change: append-only history, frozen publications, a home for every event"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("audit_line", "order_step")


def upgrade() -> None:
    op.execute(
        """
        create function refuse_change() returns trigger language plpgsql as $$
        begin
          raise exception '% rows are never changed or removed', tg_table_name using errcode = 'restrict_violation';
        end $$
        """
    )
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_append_only before update or delete on {table} "
            "for each row execute function refuse_change()"
        )
    op.execute(
        "create trigger publication_frozen before update on publication for each row execute function refuse_change()"
    )
    op.execute("create table probe_event_default partition of probe_event default")


def downgrade() -> None:
    op.execute("drop table probe_event_default")
    op.execute("drop trigger publication_frozen on publication")
    for table in APPEND_ONLY:
        op.execute(f"drop trigger {table}_append_only on {table}")
    op.execute("drop function refuse_change()")
