"""Look at the voices: one run after the other, claimed by whichever worker is free."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from analysis import clusters, emerging
from experience.discovery import rules
from experience.discovery.operations.rereading import reread_some
from experience.discovery.rules import Span
from experience.discovery.tables import Cluster, DiscoveryRun, EmergingWord
from experience.ground.i18n import say
from experience.ground.sweep import forget_failure, handling, postponed
from experience.organisation.permissions import SYSTEM
from experience.readers.operations import use_current
from experience.touchpoints.tables import Touchpoint
from experience.voices import queries as voices
from experience.voices.queries import Filters
from experience.voices.tables import Reading, Voice

JOB = "discovery.look"
#: Voices of one period at most; more are thinned out evenly. Nine periods are cut in about five seconds.
PERIOD_VOICES = 3_000
#: Below this share the model's topic is a guess.
_GUESS = 0.4
_FEW_EXAMPLES, _EXAMPLES = 5, 8
#: A dismissed word that keeps being found stays dismissed so long; a heap's name and verdict are taken over so long.
_REMEMBERED = timedelta(days=60)


def look_next(session: Session, now: datetime) -> bool:
    """Does the next step of the oldest open run; whether there was one.

    Heaps take two steps, so that everybody sees a run under way and of how many voices; re-readings one a batch.
    """
    later = [int(row.partition(":")[2]) for row in postponed(session, JOB, now)]
    is_open = col(DiscoveryRun.state).in_(("waiting", "running"))
    claim = select(DiscoveryRun).where(is_open, col(DiscoveryRun.id).not_in(later)).order_by(col(DiscoveryRun.id))
    run = session.exec(claim.limit(1).with_for_update(skip_locked=True)).first()
    if run is None:
        return False
    with handling(f"run:{run.id}"):
        if run.state == "waiting" and run.kind == "clusters":
            run.state, run.started_at, run.looked_at = "running", now, _count(session, _wanted(run))
            return True
        if run.kind == "clusters" and not clusters.is_possible():
            run.state, run.finished_at = "failed", now
            run.failure = say("服务器没有安装 scikit-learn，不能聚类：请安装 huisheng[train] 后再试。")
            return True
        use_current(session)
        run.started_at = run.started_at or now
        if run.kind == "reread" and not reread_some(session, run, now):
            return True
        if run.kind == "emerging":
            _look_for_words(session, run, now)
        elif run.kind == "clusters":
            _look_for_heaps(session, run, now)
        run.state, run.finished_at = "done", now
        forget_failure(session, JOB, f"run:{run.id}")
    return True


# Words


def _look_for_words(session: Session, run: DiscoveryRun, now: datetime) -> None:
    # the clock looks up to midnight, so that whole days are compared; the hours asked for later change nothing
    until = rules.midnight(run.asked_at)
    place = _place(run.province, run.channel)
    last_day = _count(session, [*place, *_within(Span(until - timedelta(days=1), until))])
    period = rules.period(until, last_day=last_day)
    ids, texts = _texts(session, place, period)
    past = [_texts(session, place, span)[1] for span in rules.past(period)]
    found = emerging.emerging(texts, [some for some in past if some], examples=_FEW_EXAMPLES)
    run.looked_at, run.found = len(texts) + sum(map(len, past)), len(found)
    for one in found:
        _keep_word(session, run, one, [ids[at] for at in one.voices], (period, now))


def _keep_word(
    session: Session, run: DiscoveryRun, one: emerging.Emerging, ids: list[int], when: tuple[Span, datetime]
) -> None:
    """A word found again keeps its row, and its verdict for `_REMEMBERED`."""
    period, now = when
    figures = {
        "found_at": now,
        "since": period.since,
        "until": period.until,
        "n": one.alarm.count,
        "expected": one.alarm.expected,
        "q": one.alarm.q,
        "history": list(one.alarm.history),
        "together": list(one.together),
        "voice_ids": ids,
    }
    known = select(EmergingWord).where(
        EmergingWord.province == run.province,
        EmergingWord.channel == run.channel,
        EmergingWord.word == one.alarm.phrase,
    )
    row = session.exec(known.with_for_update()).first()
    if row is None:
        fresh = {"province": run.province, "channel": run.channel, "word": one.alarm.phrase, "first_at": now}
        empty = {"state": "new", "code": "", "detail": ""}
        session.execute(insert(EmergingWord).values(**fresh, **figures, **empty).on_conflict_do_nothing())
        return
    for name, value in figures.items():
        setattr(row, name, value)
    if row.state == "dismissed" and row.decided_at and row.decided_at < now - _REMEMBERED:
        row.state, row.first_at = "new", now


# Heaps


def _look_for_heaps(session: Session, run: DiscoveryRun, now: datetime) -> None:
    conditions = _wanted(run)
    stride = max(1, -(-_count(session, conditions) // clusters.MOST))
    chosen = select(Voice.id, Voice.masked, Reading.label).join(Reading, col(Reading.voice_id) == col(Voice.id))
    chosen = chosen.where(*conditions, col(Voice.id) % stride == 0).order_by(col(Voice.id)).limit(clusters.MOST)
    rows = session.execute(chosen).all()
    heaps = clusters.clusters([emerging.cut(masked) for _, masked, _ in rows], seed=1)
    before = _judged(session, run, now)
    for heap in heaps:
        alike = next((known for known in before if rules.is_same_heap(known.words, heap.words)), None)
        session.add(
            Cluster(
                run_id=run.id or 0,
                name=alike.name if alike else heap.name,
                is_named=bool(alike and alike.is_named),
                size=heap.size,
                share=heap.share,
                tightness=heap.tightness,
                negative_share=sum(rows[at][2] == "negative" for at in heap.members) / heap.size,
                words=list(heap.words),
                voice_ids=[rows[at][0] or 0 for at in heap.examples[:_EXAMPLES]],
                state="dismissed" if alike and alike.state == "dismissed" else "new",
            )
        )
    run.looked_at, run.found = len(rows), len(heaps)


def _judged(session: Session, run: DiscoveryRun, now: datetime) -> Sequence[Cluster]:
    """The heaps of this place that staff named or dismissed lately, newest first."""
    chosen = select(Cluster).join(DiscoveryRun, col(DiscoveryRun.id) == col(Cluster.run_id))
    chosen = chosen.where(DiscoveryRun.province == run.province, DiscoveryRun.channel == run.channel)
    chosen = chosen.where(col(Cluster.is_named) | (col(Cluster.state) == "dismissed"))
    chosen = chosen.where(col(Cluster.state) != "merged", col(Cluster.decided_at) > now - _REMEMBERED)
    return session.exec(chosen.order_by(col(Cluster.id).desc()).limit(200)).all()


# Voices


def _wanted(run: DiscoveryRun) -> list[ColumnElement[bool]]:
    """What the run's heaps are made of."""
    asked: dict[str, Any] = run.narrowed
    filters = Filters(
        province=run.province,
        touchpoint=asked.get("touchpoint", ""),
        topic=asked.get("topic", ""),
        label=asked.get("label", ""),
        since=run.asked_at - timedelta(days=asked.get("days", 28)),
        until=run.asked_at,
    )
    made = [*voices.conditions(SYSTEM, filters), *_place("", run.channel)]
    return made if filters.topic or filters.label else [*made, _has_no_topic()]


def _has_no_topic() -> ColumnElement[bool]:
    """Read as 其他, or as a topic the model only guesses, and not put right by a person."""
    guessed = col(Reading.topics)[0]["score"].astext.cast(Float) < _GUESS
    return col(Reading.corrected_at).is_(None) & or_(col(Reading.topic) == "other", guessed)


def _place(province: str, channel: str) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = [col(Voice.province) == province] if province else []
    if channel:
        made.append(col(Voice.touchpoint).in_(select(Touchpoint.code).where(Touchpoint.channel == channel)))
    return made


def _within(span: Span) -> list[ColumnElement[bool]]:
    return [col(Voice.at) >= span.since, col(Voice.at) < span.until]


def _count(session: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    counted = select(func.count()).select_from(Voice).outerjoin(Reading, col(Reading.voice_id) == col(Voice.id))
    n: int = session.execute(counted.where(*conditions)).scalar_one()
    return n


def _texts(session: Session, place: Sequence[ColumnElement[bool]], span: Span) -> tuple[list[int], list[list[str]]]:
    """The ids and words of a period's voices, thinned out evenly to at most `PERIOD_VOICES`."""
    conditions = [*place, *_within(span)]
    stride = max(1, -(-_count(session, conditions) // PERIOD_VOICES))
    chosen = select(Voice.id, Voice.masked).where(*conditions, col(Voice.id) % stride == 0).order_by(col(Voice.id))
    rows = session.execute(chosen.limit(PERIOD_VOICES)).all()
    return [id or 0 for id, _ in rows], [emerging.cut(masked) for _, masked in rows]
