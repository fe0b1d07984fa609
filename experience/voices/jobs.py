"""The clock's work with voices: reading them, and bringing in uploaded files."""

from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlmodel import Session, col, select

from experience.ground.errors import HuishengError
from experience.ground.i18n import say
from experience.ground.sweep import Job, handling, postponed
from experience.organisation.permissions import SYSTEM, Scope
from experience.organisation.queries import scope_of
from experience.organisation.tables import User
from experience.voices import importers
from experience.voices.importers import rejects
from experience.voices.operations import count_next, read_next
from experience.voices.operations.refreshing import refresh_next
from experience.voices.tables import VoiceImport

#: Rows of an uploaded file dealt with in one step, so that others get their turn and a crash loses little.
ROWS = 5_000


def import_next(session: Session, now: datetime) -> bool:
    """Brings in the next rows of the oldest uploaded file; whether there was one. Goes on where it stopped."""
    later = [int(row.partition(":")[2]) for row in postponed(session, "voices.import", now)]
    open_files = select(VoiceImport).where(col(VoiceImport.state).in_(("waiting", "running")), VoiceImport.path != "")
    claim = open_files.where(col(VoiceImport.id).not_in(later)).order_by(col(VoiceImport.id)).limit(1)
    kept = session.exec(claim.with_for_update(skip_locked=True)).first()
    if kept is None:
        return False
    with handling(f"import:{kept.id}"):
        try:
            _take_some(session, kept, now)
        except HuishengError as refusal:
            kept.state, kept.failure, kept.finished_at = "failed", refusal.sentence, now
        except FileNotFoundError:
            kept.state, kept.failure, kept.finished_at = "failed", say("文件已不在服务器上，请重新上传。"), now
        session.add(kept)
    return True


def _take_some(session: Session, kept: VoiceImport, now: datetime) -> None:
    path = Path(kept.path)
    read = importers.reader(path, source=kept.source, mapping=kept.mapping, now=now, file_hash=kept.file_hash)
    some = list(islice(read.utterances, kept.position, kept.position + ROWS))
    size, beside = kept.rejects_bytes, importers.rejects_beside(path)
    counted = importers.ImportReport(
        total=kept.position, added=kept.added, repeated=kept.repeated, rejected=kept.rejected
    )
    for batch in importers.batches(some, importers.BATCH):
        with session.begin_nested() as tried:
            taken = importers.take(session, _scope(session, kept, now), batch, import_id=kept.id, now=now)
            if kept.is_dry_run:
                tried.rollback()
        size = rejects.write(beside, read.file.headers, taken.rejects, size=size)
        counted = importers.added_up(counted, taken, beside if size else None)
    kept.position = kept.total = counted.total
    kept.added, kept.repeated, kept.rejected = counted.added, counted.repeated, counted.rejected
    kept.rejects_bytes, kept.rejects_path = size, str(beside) if size else ""
    is_done = len(some) < ROWS
    kept.state, kept.finished_at = ("done", now) if is_done else ("running", None)


def _scope(session: Session, kept: VoiceImport, now: datetime) -> Scope:
    """What the uploader may see today; the system's for a file without one."""
    user = session.get(User, kept.user_id) if kept.user_id else None
    return scope_of(session, user, now) if user else SYSTEM


JOBS: tuple[Job, ...] = (
    Job("voices.import", import_next, every_seconds=5),
    Job("voices.refresh", refresh_next, every_seconds=60, limit=100),
    Job("voices.count", count_next, every_seconds=20),
    Job("voices.read", read_next, every_seconds=2),
)
