"""Take a file that staff uploaded: kept under a name of our own, to be imported by the clock."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sqlmodel import Session

from experience.audit.operations import record
from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.voices import intake
from experience.voices.tables import VoiceImport

#: Largest upload, in bytes; larger files are imported from the command line.
UPLOAD_LIMIT = 50_000_000
SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".jsonl", ".ndjson")
_CHUNK = 1 << 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # a name with a line break would break the headers of what is fetched by it


def upload(
    session: Session,
    scope: Scope,
    stream: BinaryIO,
    *,
    name: str,
    folder: Path,
    source: str,
    mapping: Mapping[str, str],
    now: datetime,
    is_dry_run: bool = False,
) -> VoiceImport:
    """The import waiting for the clock, its file kept in `folder` under a random name.

    Raises Invalid for an empty, overlarge or strange file, or a source that is none.
    """
    scope.demand("voices.import")
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise intake.invalid("file", say("请上传 CSV、XLSX 或 JSON Lines 文件。"))
    if source and not intake.source_code(source):
        raise intake.invalid("source", say("缺少来源，或来源不认识：请用小写字母代码，如 hotline、weibo、app。"))
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{secrets.token_hex(12)}{suffix}"
    file_hash = _saved(stream, kept)
    row = VoiceImport(
        at=now,
        user_id=scope.user_id,
        file_name=_CONTROL.sub("", Path(name.replace("\\", "/")).name)[:200],
        file_hash=file_hash,
        path=str(kept),
        source=intake.source_code(source) if source else "",
        mapping=dict(mapping),
        is_dry_run=is_dry_run,
    )
    session.add(row)
    session.flush()
    record(session, scope, "voices.import", ("voice_import", row.id), now=now, detail={"file": row.file_hash})
    return row


def _saved(stream: BinaryIO, path: Path) -> str:
    """Writes the stream to the path and returns its SHA-256; nothing is left behind when it is refused."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as kept:
        while (chunk := stream.read(_CHUNK)) and size <= UPLOAD_LIMIT:
            size += len(chunk)
            digest.update(chunk)
            kept.write(chunk)
    if not 0 < size <= UPLOAD_LIMIT:
        path.unlink()
        raise Invalid(
            say("文件是空的。") if not size else say("文件超过 50 MB：请用命令行 huisheng voices import 导入。")
        )
    return digest.hexdigest()
