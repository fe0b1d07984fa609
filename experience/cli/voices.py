"""`voices`: customers' voices from files."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from experience.cli.store import ready_engine
from experience.ground import clock
from experience.voices import importers


@click.group()
def voices() -> None:
    """客户原声 · customers' voices."""


def _mapping(_context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """`列名=字段` pairs as a dict; several may stand in one option, split by commas."""
    found: dict[str, str] = {}
    for pair in (part for given in pairs for part in given.split(",") if part):
        header, equals, field = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r}：请写成 列名=字段 · write header=field")
        found[header.strip()] = field.strip()
    return found


@voices.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", default="", help="Source of rows that name none.")
@click.option("--map", "mapping", multiple=True, callback=_mapping, help="header=field; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Check everything, keep nothing.")
def import_(file: Path, source: str, mapping: dict[str, str], dry_run: bool) -> None:
    """导入 CSV、XLSX 或 JSON Lines；重复导入不会重复入库 · import a file; repeating it adds nothing."""
    engine = ready_engine()
    report = importers.run(
        engine, file, now=clock.now(), source=source, mapping=mapping, dry_run=dry_run, on_progress=_show
    )
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(json.dumps(_plain(asdict(report)), ensure_ascii=False))


def _plain(report: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in report.items()}


def _show(rows: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r已处理 {rows} 行", nl=False, err=True)
