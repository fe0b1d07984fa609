"""Move spooled events into the database: each once, counted in every window, kept raw for a while."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import text
from sqlmodel import Session

from analysis import sketch
from experience.ground.config import settings
from experience.measures.operations import Happened, add, window_start
from probes import spool
from probes.event import Kept
from probes.tables import SpoolSegment

log = structlog.get_logger()
_decode = msgspec.msgpack.Decoder(list[Kept]).decode
#: Types counted under their own name.
COUNTED = ("view", "start", "step", "success", "fail", "abandon", "error", "rage_click", "dead_click")
_SESSION_WINDOWS = (3600, 86400)
#: Arrays, not parameters row by row: a statement takes 65,535 of those, a segment may hold more sessions.
_SEE = text(
    "insert into session_seen (touchpoint, window_seconds, at, session) select touchpoint, :window, at, session from "
    "unnest(cast(:touchpoint as text[]), cast(:at as timestamptz[]), cast(:session as text[])) "
    "as seen (touchpoint, at, session) order by 1, 3, 4 on conflict do nothing returning touchpoint, at, session"
)
_COPY = (
    "copy probe_event (event_id, arrived_at, at, site, touchpoint, type, step, ok, ms, code, session, device, "
    "customer_ref, province, props) from stdin"
)


def spool_folder() -> Path:
    """Where this installation's spool lies."""
    return settings().home / "spool"


def drain_next(session: Session, now: datetime) -> bool:
    """Moves one segment; whether there was one. A segment moved before a crash is only removed.

    The file goes once the move is committed: that is seen at the next look, by the segment's own row.
    """
    for path in spool.take(spool_folder()):
        number = int.from_bytes(hashlib.blake2b(path.name.encode(), digest_size=8).digest(), "big", signed=True)
        if not session.execute(text("select pg_try_advisory_xact_lock(:n)"), {"n": number}).scalar_one():
            continue  # another worker is moving it
        if not path.exists():
            continue
        if session.get(SpoolSegment, path.name) is not None:
            path.unlink(missing_ok=True)
            continue
        _move(session, path, now)
        return True
    return False


def _move(session: Session, path: Path, now: datetime) -> None:
    try:
        events = [one for payload in spool.frames(path) for one in _decode(payload)]
    except msgspec.MsgspecError:  # written by another version: kept for a person to look at, the others must go on
        log.exception("segment set aside: its events cannot be read", segment=str(path))
        path.rename(path.with_suffix(".unread"))
        return
    fresh = _new(session, events)
    if fresh:
        _keep_raw(session, fresh)
        add(session, [*_counts(fresh), *_sessions(session, fresh)])
    session.add(SpoolSegment(name=path.name, drained_at=now, events=len(fresh)))
    session.flush()


def _new(session: Session, events: Sequence[Kept]) -> list[Kept]:
    by_id = {one.id: one for one in reversed(events)}
    if not by_id:
        return []
    ids, arrived = list(by_id), [one.arrived_at for one in by_id.values()]
    inserted = session.execute(
        text(
            "insert into event_key (event_id, arrived_at) "
            "select * from unnest(cast(:ids as text[]), cast(:at as timestamptz[])) on conflict do nothing "
            "returning event_id"
        ),
        {"ids": ids, "at": arrived},
    )
    return [by_id[id_] for id_ in inserted.scalars()]


def _keep_raw(session: Session, events: Sequence[Kept]) -> None:
    cursor = session.connection().connection.cursor()
    with cursor.copy(_COPY) as copy:
        for one in events:
            copy.write_row(
                (
                    one.id, one.arrived_at, one.at, one.site, one.touchpoint, one.type, one.step, one.ok, one.ms,
                    one.code, one.session, one.device, one.customer, one.province,
                    msgspec.json.encode(one.props).decode(),
                )
            )  # fmt: skip


def _counts(events: Sequence[Kept]) -> list[Happened]:
    found = []
    for one in events:
        if one.type in COUNTED:
            found.append(Happened(one.touchpoint, one.type, one.at, one.province, value=one.ms or 0.0))
        if one.type == "step" and one.step:
            found.append(Happened(one.touchpoint, f"step:{one.step}", one.at, one.province))
        if one.type in ("fail", "error") and one.code:
            found.append(Happened(one.touchpoint, f"code:{one.code}", one.at, one.province))
        if one.ms is not None and one.type in ("success", "fail", "step"):
            found.append(
                Happened(one.touchpoint, "ms", one.at, one.province, value=one.ms, bucket=sketch.bucket(one.ms))
            )
    return found


def _sessions(session: Session, events: Sequence[Kept]) -> list[Happened]:
    """Sessions not seen at the touchpoint in the hour or the day before, counted where they were first seen."""
    found: list[Happened] = []
    for seconds in _SESSION_WINDOWS:
        first: dict[tuple[str, datetime, str], Kept] = {}
        for one in sorted(events, key=lambda e: e.at):
            if one.session:
                first.setdefault((one.touchpoint, window_start(one.at, seconds), one.session), one)
        if not first:
            continue
        given = dict(zip(("touchpoint", "at", "session"), map(list, zip(*first, strict=True)), strict=True))
        fresh = session.execute(_SEE, given | {"window": seconds}).all()
        for touchpoint, at, session_ in fresh:
            one = first[touchpoint, window_start(at, seconds), session_]
            found.append(Happened(touchpoint, f"sessions:{seconds}", one.at, one.province))
    return found
