"""People's verdicts on readings: right, or put right; each is one row that trains and measures the models."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.learning import weak
from experience.learning.tables import Correction, QueueItem, VoiceScore
from experience.organisation.permissions import Scope
from experience.voices import operations as voices

STREAM = "stream"


def judge(
    session: Session, scope: Scope, voice_id: int, *, now: datetime, origin: str = STREAM,
    label: str | None = None, topic: str | None = None, intent: str | None = None,
) -> Correction:  # fmt: skip
    """What a person said of a reading; with nothing told, all of it was right.

    A voice from the queue is looked at whole, so what was not put right there was found right; in the stream only what
    was told was judged. The voice leaves the queue. Judged again, the newest word stays, with what the model had said
    when the first person looked. Raises Invalid for an unknown value, NotFound outside the scope or before any reading.
    """
    reading = voices.hold(session, scope, voice_id)
    kept = session.exec(select(Correction).where(Correction.voice_id == voice_id)).first() or Correction(
        voice_id=voice_id,
        at=now,
        version=reading.model,
        model_label=reading.label,
        model_topic=reading.topic,
        model_intent=reading.intent,
        confidence=reading.confidence,
        origin=origin,
    )
    told = {"label": label, "topic": topic, "intent": intent}
    if any(told.values()):
        voices.correct(session, scope, voice_id, now=now, **told)
    else:
        voices.confirm(session, scope, voice_id, now=now)
    queued = _leave_queue(session, voice_id, now)
    if queued is not None:
        kept.origin, kept.is_random = queued.origin, kept.is_random or queued.is_random
    sees_all = queued is not None or origin != STREAM or not any(told.values())
    for name, said in told.items():
        if said is not None or (sees_all and getattr(kept, name) is None):
            setattr(kept, name, said if said is not None else getattr(reading, name))
    kept.at, kept.by_id = now, scope.user_id
    session.add(kept)
    session.flush()
    return kept


def take_back(session: Session, scope: Scope, *, now: datetime, voice_id: int | None = None) -> int:
    """Undoes the caller's last verdict (or that on this voice): the model's reading is back, the voice in the queue.

    Returns the voice's id. Raises NotFound when there is none of the caller's.
    """
    scope.demand("voices.correct")
    mine = select(Correction).where(col(Correction.by_id).is_not_distinct_from(scope.user_id))
    if voice_id is not None:
        mine = mine.where(Correction.voice_id == voice_id)
    last = mine.order_by(col(Correction.at).desc(), col(Correction.id).desc()).limit(1)
    kept = session.exec(last.with_for_update()).first()
    if kept is None:
        raise NotFound(say("没有可以撤回的判断。"))
    voices.uncorrect(session, scope, kept.voice_id, now=now)
    session.execute(update(QueueItem).where(col(QueueItem.voice_id) == kept.voice_id).values(judged_at=None))
    session.delete(kept)
    session.flush()
    return kept.voice_id


def note_score(session: Session, voice_ids: Sequence[int], metric: str, score: float) -> None:
    """Keeps the score given in the survey in which these voices were said; surveys call it as they hear."""
    rows = [{"voice_id": id, "metric": metric, "score": score, "side": weak.side(metric, score)} for id in voice_ids]
    if rows:
        session.execute(insert(VoiceScore).values(rows).on_conflict_do_nothing(index_elements=["voice_id"]))


def _leave_queue(session: Session, voice_id: int, now: datetime) -> QueueItem | None:
    """The queue's item of this voice, judged now; None when it was never queued."""
    left = update(QueueItem).where(col(QueueItem.voice_id) == voice_id).values(judged_at=now)
    return session.execute(left.returning(QueueItem)).scalar()
