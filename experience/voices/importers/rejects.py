"""The reject file: rows left out, why, and what they held, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from experience.voices.importers.rows import Reject, shown

#: A cell that begins so would be taken for a formula, or hide one; full-width forms count too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def guarded(cell: Any) -> str:
    """The cell as text that no spreadsheet takes for a formula."""
    written = shown(cell)
    return "'" + written if written.startswith(_FORMULA) else written


def write(path: Path, headers: Sequence[str], rejects: Iterable[Reject], *, size: int = 0) -> int:
    """Appends the rejects after the first `size` bytes of the file (0: begins it anew); returns its size then."""
    rejects = list(rejects)
    if not rejects:
        return size
    with path.open("r+b" if size else "wb") as raw:
        raw.truncate(size)
    with path.open("a", encoding="utf-8-sig" if not size else "utf-8", newline="") as text:
        writer = csv.writer(text)
        if not size:
            writer.writerow(["行号", "原因", *(guarded(header) for header in headers)])
        for reject in rejects:
            writer.writerow([reject.row.number, reject.reason, *(guarded(cell) for cell in reject.row.cells)])
    return path.stat().st_size
