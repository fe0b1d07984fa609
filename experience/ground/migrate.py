"""Bring a database up to the code, and say clearly when it is ahead of it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from experience.ground.errors import Conflict
from experience.ground.i18n import say

_LOCK = 7_263_401  # any fixed number: two processes that start together upgrade one after the other


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for this code; no ini file is needed."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.attributes["connection"] = connection
    return made


def upgrade(engine: Engine) -> None:
    """Upgrades the database to this code's newest migration.

    Raises Conflict when the database is newer than the code: then nothing is changed.
    """
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        try:
            chosen = config(connection)
            _refuse_newer(connection, ScriptDirectory.from_config(chosen))
            connection.rollback()
            command.upgrade(chosen, "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.commit()


def _refuse_newer(connection: Connection, scripts: ScriptDirectory) -> None:
    known = {revision.revision for revision in scripts.walk_revisions()}
    for head in MigrationContext.configure(connection).get_current_heads():
        if head not in known:
            raise Conflict(
                say("数据库版本 %(head)s 比程序新：请升级程序，或把 DATABASE_URL 指向与本程序相配的数据库。", head=head)
            )
