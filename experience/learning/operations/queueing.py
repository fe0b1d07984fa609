"""Keep the queue of readings to look at filled, in its shares; nobody sees the same voice twice."""

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, exists, func, or_, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from experience.learning import sampling
from experience.learning.sampling import DISAGREEMENT, DIVERSE, MARGIN, RANDOM, Seen
from experience.learning.tables import Correction, QueueItem, VoiceScore
from experience.voices.tables import Reading, Voice

#: The queue is filled up to the first when fewer than the second are open.
FULL, LOW = 200, 150
#: SnowNLP is asked about so many voices at most, and not at all while there are fewer than this to ask about.
MOST_ASKED, LEAST_ASKED = 120, 60
#: SnowNLP disagrees when it is this sure of the other side.
_SURE = 0.9
_KNOWN = 500
_LOCK = 7_263_410


def fill_next(session: Session, now: datetime, *, chance: random.Random | None = None) -> bool:
    """Fills the queue when it runs low; whether anything was added."""
    if not session.execute(text("select pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}).scalar_one():
        return False
    counted = select(QueueItem.origin, func.count()).where(col(QueueItem.judged_at).is_(None))
    held = dict(session.execute(counted.group_by(QueueItem.origin)).all())
    if sum(held.values()) >= LOW:
        return False
    return _fill(session, sampling.quotas(FULL - sum(held.values()), held), chance or random.SystemRandom(), now) > 0


def _fill(session: Session, quotas: dict[str, int], chance: random.Random, now: datetime) -> int:
    known = _known(session)
    chosen: dict[int, tuple[str, str]] = {}
    marks = [mark for mark in known if mark]

    def take(origin: str, found: Iterable[tuple[Seen, str]]) -> None:
        for one, why in found:
            chosen.setdefault(one.id, (origin, why))
            marks.append(one.fingerprint)

    drawn = _drawn(session, chance, quotas[RANDOM], now)
    take(RANDOM, ((one, "") for one in drawn))
    take(DISAGREEMENT, _disagreeing(session, quotas[DISAGREEMENT], marks, set(chosen)))
    some = [one for one in _some(session, chance, 300) if one.id not in chosen]
    take(DIVERSE, ((one, "") for one in sampling.diverse(some, marks, quotas[DIVERSE])))
    lacking = sum(quotas.values()) - quotas[RANDOM] - (len(chosen) - len(drawn))
    take(MARGIN, ((one, "") for one in _close(session, lacking, marks, set(chosen))))
    rows = [
        {"voice_id": id, "origin": origin, "is_random": origin == RANDOM, "why": why, "added_at": now}
        for id, (origin, why) in chosen.items()
    ]
    chance.shuffle(rows)  # a person meets all kinds, whenever they stop
    if rows:
        session.execute(insert(QueueItem).values(rows).on_conflict_do_nothing(index_elements=["voice_id"]))
    return len(rows)


def _known(session: Session) -> list[int]:
    """Fingerprints of what is in the queue or was lately."""
    newest = select(Voice.fingerprint).join(QueueItem, col(QueueItem.voice_id) == col(Voice.id))
    return list(session.exec(newest.order_by(col(QueueItem.id).desc()).limit(_KNOWN)))


def _unjudged() -> list[ColumnElement[bool]]:
    queued = exists().where(col(QueueItem.voice_id) == col(Reading.voice_id))
    return [col(Reading.corrected_at).is_(None), ~queued]


_COLUMNS = (Voice.id, Voice.fingerprint, Reading.topic, Reading.label, Reading.confidence, Reading.sentiment)


def _seen(rows: Iterable[tuple[int, int, str, str, float, float]]) -> list[Seen]:
    return [Seen(id, mark, topic, sampling.margin(label, sure, tone)) for id, mark, topic, label, sure, tone in rows]


def _close(session: Session, most: int, marks: Sequence[int], taken: set[int]) -> list[Seen]:
    """Those the model was least sure of, repeats folded."""
    unsure = select(*_COLUMNS).join(Reading).where(*_unjudged())  # type: ignore[call-overload]
    rows = session.execute(unsure.order_by(Reading.confidence, Reading.voice_id).limit(4 * most + 50))
    found = sorted((one for one in _seen(rows) if one.id not in taken), key=lambda one: (one.margin, one.id))
    return sampling.folded(found, marks, most)


def _some(session: Session, chance: random.Random, most: int) -> list[Seen]:
    """Read voices drawn uniformly that nobody judged or queued."""
    ids = _uniform(session, chance, most)
    rows = select(*_COLUMNS).join(Reading).where(col(Voice.id).in_(ids), *_unjudged())  # type: ignore[call-overload]
    return _seen(session.execute(rows))


def _uniform(session: Session, chance: random.Random, most: int) -> list[int]:
    """Ids of up to `most` read voices, each as likely as any other: drawn among all numbers, the missing left out."""
    first, last = session.execute(select(func.min(Reading.voice_id), func.max(Reading.voice_id))).one()
    found: list[int] = []
    tried = sampling.draws(chance, first or 1, last or 0, 40 * most + 400)
    for start in range(0, len(tried), 1_000):
        some = tried[start : start + 1_000]
        there = set(session.exec(select(Reading.voice_id).where(col(Reading.voice_id).in_(some))))
        found += [id for id in some if id in there]
        if len(found) >= most:
            break
    return found[:most]


def _drawn(session: Session, chance: random.Random, most: int, now: datetime) -> list[Seen]:
    """The fair sample: drawn from all read voices, those queued or judged for another reason too.

    Of the latter it is only noted that they belong to the sample: to leave them out, which are the hard ones, would
    make the model look better than it is. Returns those that are new to the queue.
    """
    members = or_(
        exists().where(col(QueueItem.voice_id) == col(Reading.voice_id), col(QueueItem.is_random)),
        exists().where(col(Correction.voice_id) == col(Reading.voice_id), col(Correction.is_random)),
    )
    drawn = _uniform(session, chance, most)
    ids = list(session.exec(select(Reading.voice_id).where(col(Reading.voice_id).in_(drawn), ~members)))
    for table in (QueueItem, Correction):
        session.execute(update(table).where(col(table.voice_id).in_(ids)).values(is_random=True))
    fresh = select(*_COLUMNS).join(Reading).where(col(Voice.id).in_(ids), *_unjudged())  # type: ignore[call-overload]
    return _seen(session.execute(fresh))


def _disagreeing(session: Session, most: int, marks: Sequence[int], taken: set[int]) -> list[tuple[Seen, str]]:
    """Those whose survey score says the opposite of the model, then those of which SnowNLP does."""
    side = {1: "positive", -1: "negative"}
    against = (col(VoiceScore.side) == 1) & (col(Reading.label) == "negative")
    against |= (col(VoiceScore.side) == -1) & (col(Reading.label) == "positive")
    scored = select(*_COLUMNS, VoiceScore.metric, VoiceScore.side).join(Reading)  # type: ignore[call-overload]
    scored = scored.join(VoiceScore, col(VoiceScore.voice_id) == col(Voice.id)).where(against, *_unjudged())
    rows = session.execute(scored.order_by(col(Voice.id).desc()).limit(4 * most)).all()
    why = {row[0]: f"{row[6]}:{side[row[7]]}" for row in rows if row[0] not in taken}
    found = sampling.folded([one for one in _seen(row[:6] for row in rows) if one.id in why], marks, most)
    told = [(one, why[one.id]) for one in found]
    if len(told) < most:
        held = [*marks, *(one.fingerprint for one, _ in told)]
        told += _against_snownlp(session, most - len(told), held, taken | why.keys())
    return told


def _against_snownlp(session: Session, most: int, marks: Sequence[int], taken: set[int]) -> list[tuple[Seen, str]]:
    newest = select(*_COLUMNS, Voice.masked).join(Reading).where(*_unjudged(), Reading.label != "neutral")  # type: ignore[call-overload]
    rows = session.execute(newest.order_by(col(Voice.id).desc()).limit(MOST_ASKED)).all()
    rows = [row for row in rows if row[0] not in taken]
    if len(rows) < LEAST_ASKED:
        return []
    opposite: list[tuple[float, Seen, str]] = []
    for row, chance, one in zip(rows, _opinions([row[6] for row in rows]), _seen(r[:6] for r in rows), strict=True):
        against = 1 - chance if row[3] == "positive" else chance
        if against >= _SURE:
            opposite.append((against, one, "snownlp:negative" if row[3] == "positive" else "snownlp:positive"))
    opposite.sort(key=lambda told: -told[0])
    why = {one.id: said for _, one, said in opposite}
    return [(one, why[one.id]) for one in sampling.folded([one for _, one, _ in opposite], marks, most)]


def _opinions(texts: Sequence[str]) -> list[float]:
    """SnowNLP's P(positive) of each text, asked in a process of its own: it takes 430 MB, which end with it."""
    with tempfile.TemporaryDirectory(prefix="huisheng-opinions-") as folder:
        (Path(folder) / "work.json").write_text(json.dumps({"texts": list(texts)}), encoding="utf-8")
        command = [sys.executable, "-m", "analysis.schooling", folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:  # noqa: S603 - ourselves
            process.wait(120)
        told: list[float] = json.loads((Path(folder) / "opinions.json").read_text(encoding="utf-8"))
        return told
