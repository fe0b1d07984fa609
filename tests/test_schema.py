"""Migrations and tables say the same."""

import importlib
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from experience.ground.store import metadata

HOUSE = Path(__file__).parent.parent


def import_all_tables() -> None:
    for package in ("experience", "surveys", "probes"):
        for file in sorted((HOUSE / package).rglob("tables.py")):
            importlib.import_module(".".join(file.relative_to(HOUSE).with_suffix("").parts))


def test_migrations_and_tables_say_the_same(database: Engine) -> None:
    import_all_tables()
    with database.connect() as connection:
        differences = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True, "include_object": _ours}), metadata
        )
    assert differences == []


def _ours(_thing: object, name: str | None, kind: str, reflected: bool, _other: object) -> bool:
    partition = kind == "table" and reflected and (name or "").startswith("probe_event_")
    return not partition and name != "alembic_version"
