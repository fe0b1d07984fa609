"""Read voices: by the clock in batches, at once in a request; and put right what was read wrong."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Text, bindparam, cast, update
from sqlalchemy.dialects.postgresql import TSVECTOR, insert
from sqlmodel import Session, col, select

from analysis import model as models
from analysis import pipeline
from analysis import reading as readings
from analysis.topics import TOPICS
from experience.audit.operations import record
from experience.ground.errors import Invalid, NotFound
from experience.ground.i18n import say
from experience.ground.sweep import handling, postponed
from experience.organisation.permissions import Scope
from experience.readers.operations import use_current
from experience.voices import search
from experience.voices.intake import invalid
from experience.voices.queries import demand_row_id, visible
from experience.voices.tables import Reading, Voice

log = structlog.get_logger()

#: Voices read in one transaction: reading 200 short texts takes well under a second.
BATCH = 200
#: What is kept of a reading as `document()` says it.
_STORED = (
    "model", "sentiment", "label", "confidence", "topics", "aspects", "keywords", "urgency", "urgency_reasons",
    "intent", "evidence", "abstains",
)  # fmt: skip


def read_next(session: Session, now: datetime) -> bool:
    """Reads a batch of unread voices nobody else holds; whether there were any. What cannot be read is postponed."""
    waiting = [int(row.partition(":")[2]) for row in postponed(session, "voices.read", now)]
    claim = select(Voice).where(col(Voice.read_at).is_(None)).order_by(col(Voice.id)).limit(BATCH)
    if waiting:
        claim = claim.where(col(Voice.id).not_in(waiting))
    voices = session.exec(claim.with_for_update(skip_locked=True)).all()
    if voices:
        read_now(session, voices, now=now)
    return bool(voices)


def read_now(session: Session, voices: Sequence[Voice], *, now: datetime) -> list[Reading]:
    """Stores what is read in these voices, all of them by the one model in use; what a person judged stays as it is."""
    corrected = _corrected(session, voices)
    rows, vectors = [], []
    for voice, read in zip(voices, _read(voices, use_current(session)), strict=True):
        rows.append(_row(voice, read, now) | _as_corrected(corrected.get(voice.id), read))
        vectors.append({"voice": voice.id, "vector": search.vector(read.tokens)})
    upsert = insert(Reading)
    anew = {name: upsert.excluded[name] for name in rows[0] if name != "voice_id"}
    session.execute(upsert.values(rows).on_conflict_do_update(index_elements=["voice_id"], set_=anew))
    table = Voice.__table__  # type: ignore[attr-defined]
    session.connection().execute(
        update(table)
        .where(table.c.id == bindparam("voice"))
        .values(read_at=now, tokens=cast(cast(bindparam("vector"), Text), TSVECTOR), search_form=search.FORM),
        vectors,
    )
    for voice in voices:
        session.expire(voice, ["read_at", "tokens"])
    by_id = {
        reading.voice_id: reading
        for reading in session.exec(
            select(Reading).where(col(Reading.voice_id).in_([voice.id for voice in voices])),
            execution_options={"populate_existing": True},
        )
    }
    return [by_id[voice.id] for voice in voices if voice.id is not None]


def _read(voices: Sequence[Voice], model: models.Model) -> list[readings.Reading]:
    """All weighed together, twice as fast; one by one when that fails, so that the voice at fault is named."""
    try:
        return list(pipeline.read_many((voice.masked for voice in voices), model=model))
    except Exception:
        log.warning("a batch could not be read at once; reading one by one", voices=len(voices), exc_info=True)
    read = []
    for voice in voices:
        with handling(f"voice:{voice.id}"):
            read.append(pipeline.read(voice.masked, model=model))
    return read


def _corrected(session: Session, voices: Sequence[Voice]) -> dict[int | None, Reading]:
    """The readings of these voices that a person judged, held until the transaction ends."""
    touched = select(Reading).where(col(Reading.voice_id).in_([voice.id for voice in voices]))
    kept = session.exec(touched.where(col(Reading.corrected_at).is_not(None)).with_for_update())
    return {reading.voice_id: reading for reading in kept}


def _as_corrected(kept: Reading | None, read: readings.Reading) -> dict[str, Any]:
    if kept is None:
        return {}
    topics = _led_by(kept.topic, read.document()["topics"])
    return {"label": kept.label, "topic": kept.topic, "topics": topics, "intent": kept.intent}


def _row(voice: Voice, read: readings.Reading, now: datetime) -> dict[str, Any]:
    document = read.document()
    return {
        "voice_id": voice.id,
        "read_at": now,
        "topic": read.topics[0].code if read.topics else "other",
        **{name: document[name] for name in _STORED},
    }


def hold(session: Session, scope: Scope, voice_id: int) -> Reading:
    """The reading of a voice where the caller may judge it, held until the transaction ends. Raises NotFound."""
    scope.demand("voices.correct")
    demand_row_id(voice_id)
    held = select(Reading).join(Voice).where(Reading.voice_id == voice_id, visible(scope, act="voices.correct"))
    reading = session.exec(held.with_for_update(of=Reading), execution_options={"populate_existing": True}).first()
    if reading is None:
        raise NotFound(say("没有这条客户原声，或还没有研读。"))
    return reading


def correct(
    session: Session, scope: Scope, voice_id: int, *, now: datetime,
    label: str | None = None, topic: str | None = None, intent: str | None = None,
) -> Reading:  # fmt: skip
    """The reading with the label, the first-level topic or the intent put right by a person; it wins from now on.

    Raises Invalid for an unknown label, topic or intent, NotFound for a voice outside the scope or not read yet.
    """
    told = {name: said for name, said in (("label", label), ("topic", topic), ("intent", intent)) if said is not None}
    _demand_known(told)
    return _judged(session, scope, hold(session, scope, voice_id), told, now=now)


def confirm(session: Session, scope: Scope, voice_id: int, *, now: datetime) -> Reading:
    """The reading, found right by a person: it stays as it is whatever later models say."""
    return _judged(session, scope, hold(session, scope, voice_id), {}, now=now)


def _judged(session: Session, scope: Scope, reading: Reading, told: dict[str, str], *, now: datetime) -> Reading:
    was = {name: getattr(reading, name) for name in told}
    for name, said in told.items():
        setattr(reading, name, said)
    if "topic" in told:
        reading.topics = _led_by(reading.topic, reading.topics)
    reading.corrected_by_id, reading.corrected_at = scope.user_id, now
    session.add(reading)
    detail = {name: [was[name], said] for name, said in told.items() if was[name] != said}
    record(session, scope, "voices.correct", ("voice", reading.voice_id), now=now, detail=detail)
    session.flush()
    return reading


def uncorrect(session: Session, scope: Scope, voice_id: int, *, now: datetime) -> Reading:
    """The reading as the model in use has it, as if no person had judged it."""
    reading = hold(session, scope, voice_id)
    reading.corrected_by_id = reading.corrected_at = None
    session.add(reading)
    session.flush()
    record(session, scope, "voices.uncorrect", ("voice", voice_id), now=now)
    return read_now(session, [session.get_one(Voice, voice_id)], now=now)[0]


def _demand_known(told: dict[str, str]) -> None:
    if not told:
        raise Invalid(say("请给出要更正的情感（label）、主题（topic）或意图（intent）。"))
    if told.get("label", "neutral") not in readings.LABELS:
        raise invalid("label", say("情感只能是 negative、neutral 或 positive。"))
    if told.get("topic", "other") not in TOPICS:
        raise invalid("topic", say("没有“%(topic)s”这个主题。", topic=told["topic"]))
    if told.get("intent", "other") not in readings.INTENTS:
        raise invalid("intent", say("意图只能是 complaint、suggestion、inquiry、praise 或 other。"))


def _led_by(topic: str, topics: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    others = [known for known in topics if known["code"] != topic]
    return [{"code": topic, "name": TOPICS[topic], "score": 1.0}, *others]
