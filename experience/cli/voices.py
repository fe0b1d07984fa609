"""`voices`: customers' voices from files."""

import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click

from experience.cli.store import reachable_engine, ready_engine
from experience.ground import clock, sweep
from experience.ground.config import settings
from experience.voices import importers
from experience.voices.operations import read_next


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
@click.option("--read", "reads", is_flag=True, help="Read what waits over all cores at once, instead of by the worker.")
def import_(file: Path, source: str, mapping: dict[str, str], dry_run: bool, reads: bool) -> None:
    """导入 CSV、XLSX 或 JSON Lines；重复导入不会重复入库 · import a file; repeating it adds nothing."""
    engine = ready_engine()
    report = importers.run(
        engine, file, now=clock.now(), source=source, mapping=mapping, dry_run=dry_run, on_progress=_show
    )
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(json.dumps(_plain(asdict(report)), ensure_ascii=False))
    if reads and not dry_run:
        _read(os.cpu_count() or 1)


@voices.command()
@click.option("--processes", default=os.cpu_count() or 1, show_default=True, type=click.IntRange(1, 64))
def read(processes: int) -> None:
    """研读所有等待研读的原声，多进程并行 · read all voices that wait, over several processes."""
    ready_engine()
    _read(processes)


def _read(processes: int) -> None:
    """Claims make the processes safe together, and together with a worker that runs beside them."""
    began = time.monotonic()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        batches = sum(pool.map(_read_all, range(processes)))
    said = {"batches": batches, "seconds": round(time.monotonic() - began, 1), "processes": processes}
    click.echo(json.dumps(said))


def _read_all(_process: int) -> int:
    """Reads until nothing waits, in a process of its own; returns how many batches."""
    return sweep.run(reachable_engine(settings()), sweep.Job("voices.read", read_next, 1, limit=1_000_000), clock.now())


def _plain(report: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in report.items()}


def _show(rows: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r已处理 {rows} 行", nl=False, err=True)
