"""`analyse`: JSON Lines of texts in, JSON Lines of readings out, without a database."""

import sys
from pathlib import Path
from typing import BinaryIO

import click

from analysis import stream
from experience.cli.model import adopt


@click.command()
@click.argument("file", default="-", type=click.File("rb"))
@click.option("--with", "engine", default="model", show_default=True, help="snownlp: plain SnowNLP, the baseline.")
@click.option(
    "--only", type=click.Choice(["sentiment"]), help="Nothing but this: the same figure, three times as fast."
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write there instead of stdout.")
@click.option("--processes", type=click.IntRange(1, 256), help="All cores unless told.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def analyse(  # noqa: PLR0913 - one argument an option
    file: BinaryIO, *, engine: str, only: str | None, output: Path | None, processes: int | None, quiet: bool
) -> None:
    """研读文本：一行一个 {"id","text"}，顺序不变 · read JSON Lines, answer in JSON Lines, order kept."""
    if engine == "model":
        adopt()
    out = output.open("wb") if output else sys.stdout.buffer
    try:
        ended = stream.analyse(
            file,
            out,
            engine=engine,
            processes=processes,
            only_sentiment=only == "sentiment",
            on_progress=None if quiet or not sys.stderr.isatty() else _show,
            on_reject=lambda reject: click.echo(reject.reason, err=True),
        )
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    finally:
        if output:
            out.close()
    if not quiet:
        click.echo(
            f"已研读 {ended.read} 行，{ended.rejected} 行未能研读 · {ended.read} read, {ended.rejected} not", err=True
        )
    sys.exit(1 if ended.rejected else 0)


def _show(read: int, rejected: int) -> None:
    click.echo(f"\r已研读 {read} 行 · {rejected} 行未能研读", nl=False, err=True)
