"""Files of voices, brought in row by row: streaming, in batches, safe to repeat and to break off."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from experience.ground.i18n import say
from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM, Scope
from experience.voices.importers import columns, formats, rejects, rows
from experience.voices.importers.rows import Reject, Row
from experience.voices.intake import VoiceIn
from experience.voices.operations import hear_many, unlike
from experience.voices.tables import VoiceImport

_T = TypeVar("_T")

#: Rows of one statement and of one transaction.
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file: rows read, voices added, rows known already, rows rejected (their file, if any)."""

    total: int = 0
    added: int = 0
    repeated: int = 0
    rejected: int = 0
    rejects_path: str = ""
    is_dry_run: bool = False
    kind: str = ""
    encoding: str = ""
    columns: Mapping[str, str] | None = None
    unknown_columns: Sequence[str] = ()
    import_id: int | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """A file being read: what it is, where its columns are, and its rows as utterances or rejects."""

    file: formats.File
    columns: columns.Columns
    utterances: Iterator[tuple[Row, VoiceIn | Reject]]


def reader(path: Path, *, source: str, mapping: Mapping[str, str], now: datetime, file_hash: str) -> Reader:
    """The file read as utterances, each with its key. Raises Invalid for what cannot be read at all."""
    file = formats.opened(path)
    placed = columns.placed(file.headers, mapping)
    keys = rows.Keys(file_hash)

    def read() -> Iterator[tuple[Row, VoiceIn | Reject]]:
        for row in file.rows:
            said = rows.utterance(row, placed, source=source, now=now)
            yield row, said if isinstance(said, Reject) else keys.keyed(said)

    return Reader(file, placed, read())


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of some rows."""

    total: int
    added: int
    repeated: int
    rejects: Sequence[Reject]


def take(
    session: Session,
    scope: Scope,
    some: Sequence[tuple[Row, VoiceIn | Reject]],
    *,
    import_id: int | None,
    now: datetime,
) -> Taken:
    """Hears these rows within the scope; a row whose id is known for other words is rejected rather than lost."""
    reach = scope.reach("voices.import")
    rejected: list[Reject] = []
    heard: list[tuple[Row, VoiceIn]] = []
    for row, said in some:
        if isinstance(said, Reject):
            rejected.append(said)
        elif not reach.sees_province(said.province):
            rejected.append(Reject(row, say("只能登记本省的客户原声，请在省份一列写明。")))
        else:
            heard.append((row, replace(said, import_id=import_id)))
    first = {(said.source, said.external_id): said for _, said in reversed(heard)}
    added = hear_many(session, list(reversed(first.values())), now=now)
    clashing = []
    if added < len(heard):
        others = unlike(session, [said for _, said in heard])
        clashing = [
            Reject(row, say("编号“%(id)s”已有另一条内容不同的原声。", id=said.external_id))
            for row, said in heard
            if (said.source, said.external_id, said.text) in others
        ]
    in_order = sorted([*rejected, *clashing], key=lambda reject: reject.row.number)
    return Taken(len(some), added, len(heard) - added - len(clashing), in_order)


def run(
    engine: Engine,
    path: Path,
    *,
    now: datetime,
    source: str = "",
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
    on_progress: Callable[[int], None] | None = None,
    scope: Scope = SYSTEM,
) -> ImportReport:
    """Imports the file and reports; `mapping` is header -> field, `source` fills rows that name none.

    Memory stays constant whatever the size (a workbook apart); each batch is a transaction, so that what breaks off
    can be repeated. With `dry_run` every check is made and nothing is kept. `on_progress` hears the rows dealt with.
    Raises Invalid when the file cannot be read at all.
    """
    hashed = formats.file_hash(path)
    read = reader(path, source=source, mapping=mapping or {}, now=now, file_hash=hashed)
    kept = VoiceImport(
        at=now, user_id=scope.user_id, file_name=path.name, file_hash=hashed, source=source,
        mapping=dict(mapping or {}), state="running", is_dry_run=dry_run,
    )  # fmt: skip
    if not dry_run:
        with transaction(engine) as session:
            session.add(kept)
    report = ImportReport(
        is_dry_run=dry_run,
        kind=read.file.kind,
        encoding=read.file.encoding,
        columns={field: read.file.headers[place] for field, place in read.columns.places.items()},
        unknown_columns=read.columns.unknown,
        import_id=kept.id,
    )
    beside, size = rejects_beside(path), 0
    for some in batches(read.utterances, BATCH):
        taken = _taken(engine, scope, some, kept=kept, now=now)
        size = rejects.write(beside, read.file.headers, taken.rejects, size=size)
        report = added_up(report, taken, beside if size else None)
        if on_progress:
            on_progress(report.total)
    if not dry_run:
        _finish(engine, kept, report, now)
    return report


def _taken(
    engine: Engine, scope: Scope, some: Sequence[tuple[Row, VoiceIn | Reject]], *, kept: VoiceImport, now: datetime
) -> Taken:
    with Session(engine) as session:
        taken = take(session, scope, some, import_id=kept.id, now=now)
        if kept.is_dry_run:
            session.rollback()
        else:
            session.commit()
    return taken


def _finish(engine: Engine, kept: VoiceImport, report: ImportReport, now: datetime) -> None:
    with transaction(engine) as session:
        row = session.get_one(VoiceImport, kept.id)
        row.state, row.finished_at, row.position = "done", now, report.total
        row.total, row.added, row.repeated, row.rejected = report.total, report.added, report.repeated, report.rejected
        row.rejects_path = report.rejects_path


def added_up(report: ImportReport, taken: Taken, rejects_path: Path | None) -> ImportReport:
    """The report with these rows counted too."""
    return replace(
        report,
        total=report.total + taken.total,
        added=report.added + taken.added,
        repeated=report.repeated + taken.repeated,
        rejected=report.rejected + len(taken.rejects),
        rejects_path=str(rejects_path) if rejects_path else report.rejects_path,
    )


def rejects_beside(path: Path) -> Path:
    """Where the rejects of a file are written: `voices.csv` -> `voices.rejects.csv`."""
    return path.with_name(f"{path.stem}.rejects.csv")


def batches(many: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The items in lists of `size`, the last one shorter."""
    stream = iter(many)
    while some := list(islice(stream, size)):
        yield some
