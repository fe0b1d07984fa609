"""Migrations: from nothing, twice, and never on a database from the future."""

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from experience.ground import migrate
from experience.ground.errors import Conflict
from experience.ground.store import transaction


def test_upgrading_twice_changes_nothing(own_database: Engine) -> None:
    before = inspect(own_database).get_table_names()
    migrate.upgrade(own_database)
    assert inspect(own_database).get_table_names() == before


def test_a_database_newer_than_the_code_is_refused_with_what_to_do(own_database: Engine) -> None:
    with transaction(own_database) as session:
        session.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(Conflict, match="DATABASE_URL"):
        migrate.upgrade(own_database)


@pytest.mark.parametrize("statement", ["update audit_line set act = 'x'", "delete from audit_line"])
def test_the_audit_cannot_be_rewritten(own_database: Engine, statement: str) -> None:
    with transaction(own_database) as session:
        session.execute(
            text(
                "insert into audit_line (at, act, subject_kind, subject_id, detail, request_id) "
                "values (now(), 'log_in', 'user', '1', '{}', '')"
            )
        )
    with pytest.raises(IntegrityError, match="never changed"), transaction(own_database) as session:
        session.execute(text(statement))
