"""Read old voices again with the model now in use: in batches, by the clock, until done or told otherwise."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from experience.audit.operations import record
from experience.ground.errors import Conflict
from experience.ground.i18n import say
from experience.ground.sweep import postponed
from experience.learning.tables import Rereading
from experience.organisation.permissions import Scope
from experience.readers.queries import current_version
from experience.voices.operations import read_now
from experience.voices.tables import Reading, Voice

JOB = "learning.reread"
#: Voices looked at in one step, and so what a kill can cost.
BATCH = 200


def reread(session: Session, scope: Scope, *, now: datetime) -> Rereading:
    """A re-reading of all voices another model has read. Raises Conflict while one is open, or when there are none."""
    scope.demand_everywhere("models.change")
    version = current_version(session)
    others, last = session.execute(
        select(func.count(), func.max(Reading.voice_id)).where(Reading.model != version)
    ).one()
    if not others:
        raise Conflict(say("所有原声都已用当前模型研读过。"))
    row = {
        "version": version, "state": "running", "started_at": now, "started_by_id": scope.user_id, "position": 0,
        "last_id": last, "total": others, "reread": 0, "changed_labels": 0, "changed_topics": 0, "changed_intents": 0,
    }  # fmt: skip
    made = session.execute(insert(Rereading).values(row).on_conflict_do_nothing().returning(col(Rereading.id)))
    made_id = made.scalar()
    if made_id is None:
        raise Conflict(say("已有一次重读在进行：可以暂停、继续或停止它。"))
    record(session, scope, "models.reread", ("rereading", made_id), now=now, detail={"total": others})
    return session.get_one(Rereading, made_id)


def pause(session: Session, scope: Scope, *, now: datetime) -> Rereading:
    """The running re-reading, paused where it is. Raises Conflict when none runs."""
    return _move(session, scope, ("running",), "paused", now=now)


def resume(session: Session, scope: Scope, *, now: datetime) -> Rereading:
    """The paused re-reading, going on where it stopped. Raises Conflict when none is paused."""
    return _move(session, scope, ("paused",), "running", now=now)


def stop(session: Session, scope: Scope, *, now: datetime) -> Rereading:
    """The open re-reading, ended; what was read stays read. Raises Conflict when none is open."""
    return _move(session, scope, ("running", "paused"), "stopped", now=now)


def _move(session: Session, scope: Scope, before: tuple[str, ...], after: str, *, now: datetime) -> Rereading:
    scope.demand_everywhere("models.change")
    open_one = select(Rereading).where(col(Rereading.finished_at).is_(None)).with_for_update()
    found = session.exec(open_one, execution_options={"populate_existing": True}).first()
    if found is None or found.state not in before:
        raise Conflict(say("重读的状态已经变了，请刷新后再试。"), {"state": found.state if found else None})
    found.state = after
    if after == "stopped":
        found.finished_at = now
    session.add(found)
    session.flush()
    record(session, scope, "models.reread", ("rereading", found.id), now=now, detail={"state": after})
    return found


def reread_next(session: Session, now: datetime) -> bool:
    """Reads the next batch of the running re-reading; whether there was one. Batch and place are one commit."""
    running = select(Rereading).where(Rereading.state == "running").limit(1).with_for_update(skip_locked=True)
    row = session.exec(running, execution_options={"populate_existing": True}).first()
    if row is None:
        return False
    version = current_version(session)
    if version != row.version:  # promoted meanwhile: what was read so far was read by the one before
        row.version, row.position = version, 0
    following = select(Voice).join(Reading).where(Reading.model != version, col(Voice.id) > row.position)
    later = [int(name.partition(":")[2]) for name in postponed(session, JOB, now)]
    following = following.where(col(Voice.id) <= row.last_id, col(Voice.id).not_in(later)).order_by(col(Voice.id))
    voices = session.exec(following.limit(BATCH).with_for_update(of=Voice)).all()
    if voices:
        _read_again(session, row, voices, now)
    else:
        row.state, row.finished_at = "done", now
    session.add(row)
    return True


def _read_again(session: Session, row: Rereading, voices: Sequence[Voice], now: datetime) -> None:
    ids = [voice.id or 0 for voice in voices]
    before = select(Reading.voice_id, Reading.label, Reading.topic, Reading.intent).where(
        col(Reading.voice_id).in_(ids)
    )
    said = {id: rest for id, *rest in session.execute(before)}
    after = read_now(session, voices, now=now)
    row.changed_labels += sum(one.label != said[one.voice_id][0] for one in after)
    row.changed_topics += sum(one.topic != said[one.voice_id][1] for one in after)
    row.changed_intents += sum(one.intent != said[one.voice_id][2] for one in after)
    row.reread += len(ids)
    row.position = ids[-1]
