"""Three months of voices, and the rant zone's board."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from experience.demo import operator, rhythm, speech
from experience.ground import sweep
from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM
from experience.voices import operations
from experience.voices.intake import VoiceIn
from experience.voices.tables import Voice

COUNT = 4200
SHARES = {code: share for code, _, share in operator.PROVINCES}
BATCH = 500
_REPLIES = {
    "working": "已收到，正在和技术同事核实，预计两个工作日内给您结果。",
    "solved": "问题已经修复：支付回调超时后会自动补单，钱款未到账的已原路退回。谢谢您告诉我们。",
    "declined": "这项规则目前由监管要求决定，暂时不能调整，给您带来不便请见谅。",
}


def tell(engine: Engine, chance: random.Random, now: datetime, scale: float) -> int:
    """Hears and reads the voices of the last 90 days; returns how many."""
    told = sorted(_all(chance, now, scale), key=lambda said: said.at or now)
    for first in range(0, len(told), BATCH):
        with transaction(engine) as session:
            operations.hear_many(session, told[first : first + BATCH], now=now)
    sweep.run(engine, sweep.Job("voices.read", operations.read_next, 1), now)
    with transaction(engine) as session:
        _board(session, chance, now)
    return len(told)


def _all(chance: random.Random, now: datetime, scale: float) -> Iterator[VoiceIn]:
    count = int(COUNT * scale)
    ordinary = islice(speech.speak(chance, SHARES), count)
    yield from _placed(ordinary, rhythm.moments(chance, count, now), "d")
    for number, incident in enumerate(rhythm.INCIDENTS):
        shares = {code: SHARES[code] for code in incident.provinces} or SHARES
        planted = speech.speak(chance, shares, topic=incident.topic, intent="complaint")
        count = int(incident.voices * scale)
        moments = [rhythm.during(chance, incident, now) for _ in range(count)]
        for said in _placed(islice(planted, count), moments, f"i{number}-"):
            yield replace(said, touchpoint=incident.touchpoint)


def _placed(said: Iterable[speech.Said], moments: list[datetime], prefix: str) -> Iterator[VoiceIn]:
    for number, (one, at) in enumerate(zip(said, moments, strict=True)):
        yield VoiceIn(
            text=one.text,
            source=one.source,
            external_id=f"demo-{prefix}{number:05d}",
            at=at,
            touchpoint=one.touchpoint,
            province=one.province,
            device=f"demo-device-{prefix}{number % 1500}",
            mood={"complaint": 1 + number % 2, "praise": 5}.get(one.intent, 3) if one.source == "rant" else None,
            consent=one.source == "rant",
            is_for_board=one.source == "rant",
        )


def _board(session: Session, chance: random.Random, now: datetime) -> None:
    """Some rants on the board have votes and an answer."""
    on_board = select(Voice).where(Voice.board_state == "received").order_by(col(Voice.at).desc()).limit(160)
    for voice in session.exec(on_board).all():
        for number in range(int(chance.paretovariate(1.2)) - 1):
            if number < 60:
                operations.vote(session, voice.code, f"demo-voter-{number}", now=now)
        state = chance.choices(("received", "working", "solved", "declined"), (50, 25, 20, 5))[0]
        if voice.at < now - timedelta(days=2) and state != "received":
            operations.moderate(session, SYSTEM, voice.id or 0, state=state, reply=_REPLIES[state], now=now)
