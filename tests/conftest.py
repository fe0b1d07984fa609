"""Real PostgreSQL for every test: one migrated template a run, one copy or one rolled-back transaction a test."""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlmodel import Session

from experience.ground import migrate, store

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday 10:00 in Beijing, a working hour


def _server() -> str:
    """The PostgreSQL server under test: TEST_DATABASE_URL, else the embedded one under the data folder."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return given.rsplit("/", 1)[0]
    from experience.ground import postgres  # noqa: PLC0415 - only when the embedded server is wanted

    return postgres.start().rsplit("/", 1)[0]


@pytest.fixture(scope="session")
def server() -> str:
    """Address of the server without a database name."""
    return _server()


def _admin(server: str, statement: str) -> None:
    maintenance = create_engine(f"{server}/postgres".replace("postgresql://", "postgresql+psycopg://"))
    with maintenance.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    maintenance.dispose()


@pytest.fixture(scope="session")
def template(server: str) -> Iterator[str]:
    """Name of a migrated, otherwise empty database to copy from."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    _admin(server, f"create database {name}")
    engine = store.engine(f"{server}/{name}")
    migrate.upgrade(engine)
    engine.dispose()
    yield name
    _admin(server, f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def database(server: str, template: str) -> Iterator[Engine]:
    """The database shared by all tests that roll back."""
    name = f"{template}_shared"
    _admin(server, f"create database {name} template {template}")
    engine = store.engine(f"{server}/{name}")
    yield engine
    engine.dispose()
    _admin(server, f"drop database {name} with (force)")


@pytest.fixture
def session(database: Engine) -> Iterator[Session]:
    """A session whose commits are savepoints of a transaction that is rolled back after the test."""
    with database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as made:
            yield made
        outer.rollback()


@pytest.fixture
def own_database(server: str, template: str) -> Iterator[Engine]:
    """A database of the test's own, for tests with several connections, processes or a real server."""
    name = f"{template}_{uuid.uuid4().hex[:6]}"
    _admin(server, f"create database {name} template {template}")
    engine = store.engine(f"{server}/{name}")
    yield engine
    engine.dispose()
    _admin(server, f"drop database {name} with (force)")


@pytest.fixture
def now() -> datetime:
    """The instant tests call now."""
    return NOW
