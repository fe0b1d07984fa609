"""Real PostgreSQL for every test: one migrated template a run, one copy or one rolled-back transaction a test."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g
from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlmodel import Session

from app import create_app
from experience import defaults
from experience.ground import migrate, postgres, store
from experience.ground.config import Settings
from experience.web import security
from tests.people import House, build_house
from tests.running import Running

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday 10:00 in Beijing, a working hour
DEMO_SCALE = "0.08"


def pytest_sessionstart() -> None:
    """Compiles catalogs that are newer than what was compiled, so that tests speak English without make."""
    for source in Path(__file__).parent.parent.glob("*/web/translations/*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            with source.open("rb") as read, compiled.open("wb") as written:
                write_mo(written, read_po(read, locale=source.parent.parent.name))


def _server() -> str:
    """The PostgreSQL server under test: TEST_DATABASE_URL, else an embedded one of the tests' own, in a hurry."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return given
    return postgres.start(Settings(home=Path(__file__).parent.parent / "var" / "test"), durable=False)


def address(server: str, name: str) -> str:
    """The address of another database on the same server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def server() -> str:
    """Address of some database on the server; `address(server, name)` is that of another."""
    return _server()


def _admin(server: str, statement: str) -> None:
    maintenance = create_engine(
        address(server, "postgres").replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool
    )
    with maintenance.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    maintenance.dispose()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """On CI a skipped test is a failure: make sets up everything a test needs."""
    if os.environ.get("CI") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("skipped tests are failures on CI", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def template(server: str) -> Iterator[str]:
    """Name of a migrated, otherwise empty database to copy from."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    _admin(server, f"create database {name}")
    engine = store.engine(address(server, name))
    migrate.upgrade(engine)
    with store.transaction(engine) as session:
        defaults.ensure(session)
    engine.dispose()
    yield name
    _admin(server, f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def database(server: str, template: str) -> Iterator[Engine]:
    """The database shared by all tests that roll back."""
    name = f"{template}_shared"
    _admin(server, f"create database {name} template {template}")
    engine = store.engine(address(server, name))
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
    engine = store.engine(address(server, name))
    yield engine
    engine.dispose()
    _admin(server, f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def demo_template(server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a database with a small demo that ends at NOW, made once a run, to copy from and to leave alone."""
    name = f"{template}_demo"
    _admin(server, f"create database {name} template {template}")
    Running(address(server, name), tmp_path_factory.mktemp("home"), NOW).command("demo", "--scale", DEMO_SCALE)
    yield name
    _admin(server, f"drop database {name} with (force)")


@contextmanager
def copied(server: str, source: str) -> Iterator[str]:
    """The address of a database like `source`, gone afterwards."""
    name = f"{source}_{uuid.uuid4().hex[:6]}"
    _admin(server, f"create database {name} template {source}")
    yield address(server, name)
    _admin(server, f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def demo_app(server: str, demo_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The whole app over a small demo of the module's own, at NOW."""
    security.limiter.enabled = False
    with copied(server, demo_template) as url:
        made = create_app(Settings(home=tmp_path_factory.mktemp("home"), DATABASE_URL=url, database_pool=4))
        made.before_request(lambda: setattr(g, "now", NOW))
        yield made
        made.extensions["huisheng.engine"].dispose()
    security.limiter.enabled = True


@pytest.fixture
def now() -> datetime:
    """The instant tests call now."""
    return NOW


@pytest.fixture
def house(session: Session, now: datetime) -> House:
    """The small operator with its people, in the rolled-back session."""
    return build_house(session, now)
