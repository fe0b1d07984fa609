"""`setup` and `token`: the organisation from a file, and tokens for programs."""

from pathlib import Path
from typing import Any

import click
import yaml

from experience import setup as organisation
from experience.cli.store import ready_engine
from experience.ground import clock
from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.ground.store import transaction
from experience.organisation import operations
from experience.organisation.permissions import SYSTEM


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def setup(file: Path) -> None:
    """按 YAML 建立单位、用户、触点、站点和日历，可重复执行 · create the organisation from a file; repeatable."""
    document = _document(file)
    with transaction(ready_engine()) as session:
        done = organisation.apply(session, document, now=clock.now())
    click.echo("  ".join(f"{section} {count}" for section, count in done.items()))


def _document(file: Path) -> Any:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8-sig")) or {}
    except UnicodeDecodeError as error:
        raise Invalid(say("%(file)s 不是 UTF-8 编码，请另存为 UTF-8 后重试。", file=file)) from error
    except yaml.YAMLError as error:
        raise Invalid(say("%(file)s 不是正确的 YAML：%(reason)s", file=file, reason=str(error))) from error


@click.command()
@click.argument("login")
@click.option("--name", default="", help="What the token is for.")
@click.option("--scopes", default="", help="Acts (voices.read) or rooms (voices), separated by commas; none means all.")
def token(login: str, name: str, scopes: str) -> None:
    """签发 API 令牌，只显示这一次 · print a new API token once."""
    chosen = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    with transaction(ready_engine()) as session:
        made = operations.issue_token(session, SYSTEM, login, now=clock.now(), name=name, scopes=chosen)
    click.echo(made)
