"""The one door to the database: the row base, column kinds, the engine, the session."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

import psycopg
from sqlalchemy import (
    CTE,
    BigInteger,
    ClauseElement,
    Column,
    DateTime,
    Dialect,
    Engine,
    Identity,
    MetaData,
    TypeDecorator,
    bindparam,
    create_engine,
    inspect,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Field, Session, SQLModel

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """Timestamps with time zone; refuses naive ones, always returns UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        return value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


class Row(SQLModel):
    """Base of every table row. Rows hold columns and constraints, no behaviour; they do not validate."""


def row_id() -> Any:
    """The bigint identity primary key every ordinary row has."""
    return Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))


def instant(*, nullable: bool = False, index: bool = False) -> Any:
    """An aware UTC instant; `nullable` ones start as None."""
    kept = {"default": None} if nullable else {}
    return Field(**kept, sa_type=UtcDateTime, nullable=nullable, index=index)  # type: ignore[call-overload]


def document(*, default: Any = dict) -> Any:
    """A JSONB column; `default` makes the empty value (dict or list)."""
    return Field(default_factory=default, sa_column=Column(JSONB, nullable=False))


def reference(target: str, *, nullable: bool = False, index: bool = True) -> Any:
    """A foreign key to another row's id, indexed because PostgreSQL does not do so by itself."""
    kept = {"default": None} if nullable else {}
    return Field(**kept, foreign_key=target, sa_type=BigInteger, nullable=nullable, index=index)  # type: ignore[call-overload]


def run(session: Session, statement: ClauseElement, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement that was built once and gives rows, as the driver reads them (instants in UTC).

    For the few statements of every act: SQLAlchemy's own execution costs as much as the driver's. Those who count the
    engine's statements hear of it. An INSERT names every column: no defaults are filled in. Raises SQLAlchemy's errors.
    """
    connection = session.connection()
    sql, always, processors = _compiled(statement, connection.dialect)
    values = {**always, **parameters}
    for name, process in processors:
        values[name] = process(values[name])
    cursor = connection.connection.cursor()
    try:
        for hears in connection.dispatch.before_cursor_execute:
            hears(connection, cursor, sql, values, None, False)
        cursor.execute(sql, values)
        return cast("list[tuple[Any, ...]]", cursor.fetchall())
    except psycopg.Error as error:
        raise DBAPIError.instance(sql, None, error, psycopg.Error) from error
    finally:
        cursor.close()


@cache
def _compiled(statement: ClauseElement, dialect: Dialect) -> tuple[str, dict[str, Any], list[tuple[str, Any]]]:
    """The SQL, the values of its literals, and what to do with each parameter before it goes to the driver."""
    compiled: Any = statement.compile(dialect=dialect)
    binds = compiled.binds.items()
    always = {name: bind.value for name, bind in binds if not bind.required}
    processors = ((name, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in binds)
    return compiled.string, always, [(name, process) for name, process in processors if process]


def write_changes(
    session: Session, row: Row, *, beside: tuple[CTE, ...] = (), told: Mapping[str, Any] | None = None, **computed: Any
) -> None:
    """Writes what changed in a stored row, and these SQL expressions, in one UPDATE without a whole flush.

    A third of the flush's cost; for rows written at every act. A row not stored yet is flushed first. `beside` are
    writes that go along in the same statement (none sees what the others do), `told` their parameters and those of
    the expressions: names that no column of the row has.
    """
    state = inspect(row)
    if not state.has_identity:
        session.flush()
    changed = {name: row.__dict__[name] for name in set(state.manager) - state.unmodified if name in row.__dict__}
    statement = _update(type(row), tuple(sorted(changed)), beside, tuple(computed.items()))
    parameters = {f"row_{name}": value for name, value in (("id", state.identity[0]), *changed.items())}
    parameters |= told or {}
    ((_, *written),) = run(session, statement, parameters)
    for name, value in zip(computed, written, strict=True):
        set_committed_value(row, name, value)
    state._commit_all(row.__dict__, session.identity_map)  # noqa: SLF001 - else the commit's flush looks for changes


@cache
def _update(
    kind: type[Row], names: tuple[str, ...], beside: tuple[CTE, ...], computed: tuple[tuple[str, Any], ...]
) -> Any:
    table = kind.__table__  # type: ignore[attr-defined]
    # a parameter named as a column would be taken for that column's new value in each UPDATE of the statement
    values = {name: bindparam(f"row_{name}", type_=table.c[name].type) for name in names} | dict(computed)
    named = [table.c[name] for name, _ in computed]
    changing = update(table).where(table.c.id == bindparam("row_id")).values(values).returning(table.c.id, *named)
    return changing.add_cte(*beside)


class _Cursor(psycopg.Cursor[Any]):
    """Describes columns by name and type alone: psycopg's own objects cost more than the rows they describe."""

    @property
    def description(self) -> Any:
        """The DB-API's seven-tuples, of which SQLAlchemy reads the first two."""
        found = self.pgresult
        if found is None or not found.nfields:
            return super().description
        names = ((found.fname(index) or b"").decode() for index in range(found.nfields))
        return [(name, found.ftype(index), None, None, None, None, None) for index, name in enumerate(names)]


_engines: dict[str, Engine] = {}


def engine(url: str, *, pool: int = 8) -> Engine:
    """The process's engine for this address (`postgresql://…` or `postgresql+psycopg://…`), made once."""
    address = url.replace("postgresql://", "postgresql+psycopg://", 1).replace(
        "postgres://", "postgresql+psycopg://", 1
    )
    if address not in _engines:
        _engines[address] = create_engine(
            address,
            pool_size=pool,
            max_overflow=pool,
            pool_pre_ping=False,
            connect_args={
                "options": "-c timezone=UTC -c statement_timeout=60000",
                "connect_timeout": 10,
                "cursor_factory": _Cursor,
            },
        )
    return _engines[address]


@contextmanager
def transaction(bound: Engine) -> Iterator[Session]:
    """A session that commits when the block ends and rolls back when it raises."""
    with Session(bound, expire_on_commit=False) as session, session.begin():
        yield session
