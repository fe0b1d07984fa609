"""One row of a file as an utterance, or the reasons why it cannot be one."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from experience.ground.i18n import say
from experience.voices import intake
from experience.voices.importers.columns import Columns
from experience.voices.intake import VoiceIn

_BEIJING = ZoneInfo("Asia/Shanghai")
_WRITTEN = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[T\s]+(\d{1,2})\s*[:：时点]\s*(\d{1,2})?\s*分?(?:\s*[:：]?\s*(\d{1,2})(?:\.\d+)?\s*秒?)?)?\s*"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: its number as a spreadsheet shows it, its cells, and why it could not be read, if so."""

    number: int
    cells: Sequence[Any]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row left out, and why."""

    row: Row
    reason: str


def instant(cell: Any) -> datetime | None:
    """The instant a cell tells, Beijing time unless it says otherwise; None when it tells none.

    Raises ValueError for a day or hour that does not exist.
    """
    if isinstance(cell, datetime):
        return cell if cell.tzinfo else cell.replace(tzinfo=_BEIJING)
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day, tzinfo=_BEIJING)
    written = str(cell or "").strip()
    if not written:
        return None
    found = _WRITTEN.fullmatch(written)
    if found:
        return datetime(*(int(part or 0) for part in found.groups()), tzinfo=_BEIJING)  # type: ignore[misc,arg-type]
    told = datetime.fromisoformat(written)
    return told if told.tzinfo else told.replace(tzinfo=_BEIJING)


def shown(cell: Any) -> str:
    """A cell as text: whole numbers without `.0`, nothing for an empty one."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)


def utterance(row: Row, columns: Columns, *, source: str, now: datetime) -> VoiceIn | Reject:
    """What the row says, clean and with codes for names, or why it cannot be taken."""
    if row.fault:
        return Reject(row, row.fault)
    cells = {field: row.cells[place] if place < len(row.cells) else None for field, place in columns.places.items()}
    try:
        at = instant(cells.get("at"))
    except ValueError:
        return Reject(row, say("时间看不懂：%(written)s", written=shown(cells["at"])[:40]))
    mood, mood_faults = _mood(cells)
    told = {field: intake.clean(shown(cells.get(field))) for field in columns.places}
    province = told.get("province", "")
    said = VoiceIn(
        text=told["text"],
        source=intake.source_code(told.get("source") or source),
        touchpoint=told.get("touchpoint", ""),
        product=told.get("product", ""),
        province=intake.province_code(province) or province,
        customer=told.get("customer", ""),
        external_id=told.get("external_id") or None,
        at=at,
        mood=mood,
    )
    faults = [*mood_faults, *(found["sentence"] for found in intake.faults(said, now))]
    return Reject(row, "；".join(faults)) if faults else said


def _mood(cells: Mapping[str, Any]) -> tuple[int | None, list[str]]:
    written = shown(cells.get("mood")).strip()
    if not written:
        return None, []
    if written.isdecimal() and 1 <= int(written) <= 5:
        return int(written), []
    return None, [say("心情请用 1（很生气）到 5（很开心）。")]


class Keys:
    """Gives rows without an id of their own a key by what they say, and by how often the file said it before.

    So fifty equal rows stay fifty voices, and the same file again adds none. What was seen is remembered in a Bloom
    filter of fixed size: memory stays constant, and as it is deterministic, so are the keys.
    """

    _BITS = 1 << 26

    def __init__(self, file_hash: str) -> None:
        self._file_hash = file_hash
        self._seen = bytearray(self._BITS // 8)
        self._repeats: dict[bytes, int] = {}

    def keyed(self, said: VoiceIn) -> VoiceIn:
        """The utterance with its key as external id, unless it has an id."""
        if said.external_id:
            return said
        known = (said.text, said.at.isoformat() if said.at else self._file_hash, said.touchpoint, said.province)
        digest = hashlib.sha256("\x1f".join((*known, said.source, said.product, said.customer)).encode()).digest()
        return replace(said, external_id=f"h:{digest[:15].hex()}:{self._times(digest)}")

    def _times(self, digest: bytes) -> int:
        spots = [int.from_bytes(digest[i : i + 4]) % self._BITS for i in (16, 20, 24)]
        if not all(self._seen[spot >> 3] >> (spot & 7) & 1 for spot in spots):
            for spot in spots:
                self._seen[spot >> 3] |= 1 << (spot & 7)
            return 0
        self._repeats[digest[:15]] = self._repeats.get(digest[:15], 0) + 1
        return self._repeats[digest[:15]]
