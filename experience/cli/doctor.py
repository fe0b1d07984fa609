"""`doctor`: what is wrong with this installation, and the list of settings."""

import json
import shutil
import sys
from pathlib import Path

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlmodel import Session

from experience.cli.store import log_to_stderr, reachable_engine
from experience.ground import clock, migrate
from experience.ground.config import Settings, settings
from experience.ground.errors import HuishengError
from experience.ground.i18n import say
from experience.reports import health
from experience.reports.health import Check

_LEAST_FREE_BYTES = 500 * 2**20
_MOST_SPOOL_BYTES = 200 * 2**20
_SECRETS = ("secret", "password", "token", "key", "database_url")


@click.command()
@click.option("--settings", "lists_settings", is_flag=True, help="List all settings with their values, secrets hidden.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(lists_settings: bool, as_json: bool) -> None:
    """体检：数据库、迁移、worker、提醒、日历、磁盘；有问题时以非零退出 · exits non-zero on a problem."""
    chosen = settings()
    if lists_settings:
        click.echo(_listed(chosen), nl=False)
        return
    log_to_stderr()
    found = [*_machine(chosen), *_database(chosen)]
    if as_json:
        click.echo(json.dumps(health.as_json(found), ensure_ascii=False, indent=2))
    else:
        for check in found:
            click.echo(f"{'✓' if check.is_well else '✗'} {check.name:<10} {check.said}")
    sys.exit(0 if all(check.is_well for check in found) else 1)


def _listed(chosen: Settings) -> str:
    """One line a setting: environment variable, value, what it is for."""
    lines = []
    for name, about in Settings.model_fields.items():
        variable = str(about.validation_alias or f"HUISHENG_{name}".upper())
        value = getattr(chosen, name)
        is_hidden = value and any(word in name for word in _SECRETS)
        lines.append(f"{variable}={'********' if is_hidden else value}\n    # {about.description}\n")
    return "".join(lines)


def _machine(chosen: Settings) -> list[Check]:
    home = chosen.home.resolve()
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    spool = _size(home / "spool")
    return [
        Check("disk", free >= _LEAST_FREE_BYTES, say("磁盘剩余 %(free)s MB（%(home)s）。", free=free >> 20, home=home)),
        Check("spool", spool <= _MOST_SPOOL_BYTES, say("待入库的探针事件 %(size)s MB。", size=spool >> 20)),
    ]


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else 0


def _database(chosen: Settings) -> list[Check]:
    try:
        engine = reachable_engine(chosen)
    except HuishengError as error:
        return [Check("database", False, error.sentence)]
    migrated = _migrations(engine)
    reached = [Check("database", True, say("数据库可用。")), migrated]
    if not migrated.is_well:
        return reached
    with Session(engine) as session:
        return [*reached, *health.checks(session, clock.now())]


def _migrations(engine: Engine) -> Check:
    with engine.connect() as connection:
        at = set(MigrationContext.configure(connection).get_current_heads())
    wanted = set(ScriptDirectory.from_config(migrate.config()).get_heads())
    if at == wanted:
        return Check("migrations", True, say("数据库结构是最新的（%(at)s）。", at="、".join(sorted(at))))
    return Check(
        "migrations",
        False,
        say(
            "数据库结构是 %(at)s，程序需要 %(wanted)s：运行 huisheng serve 会自动升级。",
            at="、".join(sorted(at)) or "空",
            wanted="、".join(sorted(wanted)),
        ),
    )
