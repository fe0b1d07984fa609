"""Alembic's environment: takes the connection that `migrate.upgrade` hands over."""

from alembic import context

from experience.ground.store import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
