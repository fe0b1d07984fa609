"""`bench`: the benchmarks of `bench/`, which lies in a checkout and is not installed."""

import importlib
import sys
from pathlib import Path

import click

_FOLDER = Path(__file__).parents[2] / "bench"


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("rest", nargs=-1, type=click.UNPROCESSED)
def bench(name: str, rest: tuple[str, ...]) -> None:
    """性能测试 · the benchmarks of bench/: http, lists, million, pages, reading, search."""
    known = sorted(file.stem for file in _FOLDER.glob("*.py") if not file.stem.startswith("_"))
    if name not in known:
        raise click.BadParameter(f"{name!r}：可选 · choose from {', '.join(known) or 'none: run in a checkout'}")
    sys.path.insert(0, str(_FOLDER.parent))
    importlib.import_module(f"bench.{name}").main(list(rest))
