"""Read voices: by the clock in batches, at once in a request; and put right what was read wrong."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Text, bindparam, cast, update
from sqlalchemy.dialects.postgresql import TSVECTOR, insert
from sqlmodel import Session, col, select

from analysis import pipeline
from analysis import reading as readings
from analysis.topics import TOPICS
from experience.audit.operations import record
from experience.ground.errors import Invalid, NotFound
from experience.ground.i18n import say
from experience.ground.sweep import handling, postponed
from experience.organisation.permissions import Scope
from experience.voices import search
from experience.voices.intake import invalid
from experience.voices.queries import demand_row_id, visible
from experience.voices.tables import Reading, Voice

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
    """Stores what is read in these voices; a label or topic a person put right stays as it is."""
    corrected = _corrected(session, voices)
    rows, vectors = [], []
    for voice in voices:
        with handling(f"voice:{voice.id}"):
            read = pipeline.read(voice.masked)
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


def _corrected(session: Session, voices: Sequence[Voice]) -> dict[int | None, Reading]:
    """The readings of these voices that a person put right, held until the transaction ends."""
    touched = select(Reading).where(col(Reading.voice_id).in_([voice.id for voice in voices]))
    kept = session.exec(touched.where(col(Reading.corrected_at).is_not(None)).with_for_update())
    return {reading.voice_id: reading for reading in kept}


def _as_corrected(kept: Reading | None, read: readings.Reading) -> dict[str, Any]:
    if kept is None:
        return {}
    topics = _led_by(kept.topic, read.document()["topics"])
    return {"label": kept.label, "topic": kept.topic, "topics": topics}


def _row(voice: Voice, read: readings.Reading, now: datetime) -> dict[str, Any]:
    document = read.document()
    return {
        "voice_id": voice.id,
        "read_at": now,
        "topic": read.topics[0].code if read.topics else "other",
        **{name: document[name] for name in _STORED},
    }


def correct(
    session: Session, scope: Scope, voice_id: int, *, now: datetime, label: str | None = None, topic: str | None = None
) -> Reading:
    """The reading with the label or the first-level topic put right by a person; it wins over every model from now on.

    Raises Invalid for an unknown label or topic, NotFound for a voice outside the scope or not read yet.
    """
    scope.demand("voices.correct")
    demand_row_id(voice_id)
    _demand_known(label, topic)
    reading = session.exec(
        select(Reading)
        .join(Voice)
        .where(Reading.voice_id == voice_id, visible(scope, act="voices.correct"))
        .with_for_update(of=Reading)
    ).first()
    if reading is None:
        raise NotFound(say("没有这条客户原声，或还没有研读。"))
    detail = {}
    if label and label != reading.label:
        detail["label"] = [reading.label, label]
        reading.label = label
    if topic and topic != reading.topic:
        detail["topic"] = [reading.topic, topic]
        reading.topic = topic
        reading.topics = _led_by(topic, reading.topics)
    reading.corrected_by_id, reading.corrected_at = scope.user_id, now
    session.add(reading)
    record(session, scope, "voices.correct", ("voice", voice_id), now=now, detail=detail)
    session.flush()
    return reading


def _demand_known(label: str | None, topic: str | None) -> None:
    if label is None and topic is None:
        raise Invalid(say("请给出要更正的情感（label）或主题（topic）。"))
    if label is not None and label not in readings.LABELS:
        raise invalid("label", say("情感只能是 negative、neutral 或 positive。"))
    if topic is not None and topic not in TOPICS:
        raise invalid("topic", say("没有“%(topic)s”这个主题。", topic=topic))


def _led_by(topic: str, topics: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    others = [known for known in topics if known["code"] != topic]
    return [{"code": topic, "name": TOPICS[topic], "score": 1.0}, *others]
