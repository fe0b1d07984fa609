"""The database as commands want it: reachable, recent enough, migrated; or a sentence that says what to do."""

import logging
import sys

import structlog
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from experience import defaults
from experience.ground import migrate, postgres, store
from experience.ground.config import Settings, settings
from experience.ground.errors import Conflict, HuishengError, Invalid

_OLDEST = 150000  # PostgreSQL 15


def log_to_stderr() -> None:
    """Keeps stdout for answers: `huisheng tick` prints JSON there."""
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )


def ready_engine(chosen: Settings | None = None) -> Engine:
    """The engine of a reachable database that is brought up to the code.

    Raises HuishengError in Chinese and English: unreachable, not PostgreSQL 15 or newer, or newer than the code.
    """
    log_to_stderr()
    engine = reachable_engine(chosen or settings())
    migrate.upgrade(engine)
    with store.transaction(engine) as session:
        defaults.ensure(session)
    return engine


def reachable_engine(chosen: Settings) -> Engine:
    """The engine of a database that answers and is recent enough; nothing is changed in it."""
    address = postgres.url(chosen)
    if not address.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        raise Invalid(
            "DATABASE_URL 须以 postgresql:// 开头，例如 postgresql://用户:密码@主机:5432/库名。\n"
            "DATABASE_URL must begin with postgresql://, such as postgresql://user:password@host:5432/name."
        )
    try:
        engine = store.engine(address, pool=chosen.database_pool)
        with engine.connect() as connection:
            version = connection.exec_driver_sql("show server_version_num").scalar_one()
    except (ArgumentError, NoSuchModuleError, OperationalError, ValueError) as error:
        raise _unreachable(address, error) from error
    if int(version) < _OLDEST:
        raise Conflict(
            f"数据库是 PostgreSQL {int(version) // 10000}，需要 15 或更高版本。\n"
            f"The database is PostgreSQL {int(version) // 10000}; 15 or newer is needed."
        )
    return engine


def _unreachable(address: str, error: Exception) -> HuishengError:
    try:
        shown = make_url(address).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        shown = "DATABASE_URL"
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return HuishengError(
        f"连不上数据库 {shown}：{reason}\n"
        "请检查 DATABASE_URL、网络和数据库是否在运行；不设 DATABASE_URL 则使用内置数据库。\n"
        f"The database {shown} cannot be reached. Check DATABASE_URL, the network and whether it runs; "
        "without DATABASE_URL the embedded one is used."
    )
