"""Reads of learning: the queue, how right each version was on a fair sample, trainings and re-readings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session, col

from analysis.intervals import Interval, wilson
from experience.learning.tables import Correction, QueueItem, Rereading, TrainingRun
from experience.organisation.permissions import Scope
from experience.voices import queries as voices
from experience.voices.queries import Heard, visible
from experience.voices.tables import Voice


@dataclass(frozen=True, slots=True)
class Waiting:
    """A voice in the queue. `item.origin` says why it is there, `item.why` what contradicts the model."""

    item: QueueItem
    heard: Heard


@dataclass(frozen=True, slots=True)
class Queue:
    """The next voices to look at, in order, how many are open in the scope, and how many this person judged."""

    items: list[Waiting]
    open: int
    judged: int
    next: int | None  # the item's id to go on after


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How right a version was on voices drawn uniformly: shares with their 95 % Wilson intervals, None without any."""

    version: str
    n: int
    label: Interval | None
    topic: Interval | None
    intent: Interval | None


def queue(session: Session, scope: Scope, *, after: int = 0, limit: int = 20) -> Queue:
    """The open items the caller may judge, oldest first."""
    scope.demand("voices.correct")
    mine = visible(scope, act="voices.correct")
    open_items = (
        select(QueueItem)
        .join(Voice, col(Voice.id) == col(QueueItem.voice_id))
        .where(col(QueueItem.judged_at).is_(None))
    )
    following = open_items.where(mine, col(QueueItem.id) > after).order_by(col(QueueItem.id)).limit(limit + 1)
    items = session.execute(following).scalars().all()
    shown = items[:limit]
    heard = {one.voice.id: one for one in voices.some(session, scope, [item.voice_id for item in shown])}
    counted = session.execute(select(func.count()).select_from(open_items.where(mine).subquery())).scalar_one()
    return Queue(
        items=[Waiting(item, heard[item.voice_id]) for item in shown if item.voice_id in heard],
        open=counted,
        judged=judged(session, scope),
        next=shown[-1].id if len(items) > limit else None,
    )


def judged(session: Session, scope: Scope, *, since: datetime | None = None) -> int:
    """How many voices this person has judged, of late or ever."""
    mine = [col(Correction.by_id).is_not_distinct_from(scope.user_id)]
    if since is not None:
        mine.append(col(Correction.at) >= since)
    return int(session.execute(select(func.count()).select_from(Correction).where(*mine)).scalar_one())


def open_count(session: Session) -> int:
    """How many items wait in the queue, whoever may judge them."""
    waiting = select(func.count()).select_from(QueueItem).where(col(QueueItem.judged_at).is_(None))
    return int(session.execute(waiting).scalar_one())


def verdicts(session: Session, scope: Scope) -> dict[str, int]:
    """How many verdicts there are by origin, for the model page."""
    scope.demand("models.see")
    rows = session.execute(select(col(Correction.origin), func.count()).group_by(col(Correction.origin)))
    return {origin: int(n) for origin, n in rows}


def accuracy(session: Session, scope: Scope) -> list[Accuracy]:
    """How right each version was on the random part of the queue, most judged first: the figures without bias."""
    scope.demand("models.see")
    pairs = (
        (col(Correction.label), col(Correction.model_label)),
        (col(Correction.topic), col(Correction.model_topic)),
        (col(Correction.intent), col(Correction.model_intent)),
    )
    counts = [figure for said, model in pairs for figure in (func.count(said), func.count().filter(said == model))]
    drawn = select(col(Correction.version), func.count(), *counts).where(col(Correction.is_random))
    rows = session.execute(drawn.group_by(col(Correction.version)).order_by(func.count().desc())).all()
    return [
        Accuracy(version, n, *(wilson(right, told) for told, right in zip(told[::2], told[1::2], strict=True)))
        for version, n, *told in rows
    ]


def runs(session: Session, scope: Scope, *, limit: int = 10) -> Sequence[TrainingRun]:
    """The newest trainings; `is_open` ones have no `finished_at`."""
    scope.demand("models.see")
    newest = select(TrainingRun).order_by(col(TrainingRun.id).desc()).limit(limit)
    return session.execute(newest).scalars().all()


def rereading(session: Session, scope: Scope) -> Rereading | None:
    """The newest re-reading, open or ended."""
    scope.demand("models.see")
    return session.execute(select(Rereading).order_by(col(Rereading.id).desc()).limit(1)).scalars().first()
