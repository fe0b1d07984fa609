"""Word lists and tables, as data beside the code that reads them."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The tab-separated fields of each line of a lexicon; empty lines and lines beginning with `#` are left out."""
    lines = (FOLDER / name).read_text(encoding="utf-8").split("\n")
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))


@cache
def table(name: str) -> dict[str, str]:
    """A two-column lexicon as a mapping."""
    return {row[0]: row[1] for row in rows(name)}
