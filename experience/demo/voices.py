"""Three months of voices, and the rant zone's board."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from experience.demo import cases, customers, operator, rhythm, speech
from experience.demo.past import Past
from experience.ground import sweep
from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM
from experience.voices import operations
from experience.voices.intake import VoiceIn
from experience.voices.tables import Voice

COUNT = 3200
SHARES = {code: share for code, _, share in operator.PROVINCES}
BATCH = 500
#: Share of a source's voices whose customer is known: logged in, or asked for the number by the agent.
KNOWN = {"hotline": 0.95, "app": 0.85, "store": 0.7, "wechat": 0.5, "rant": 0.25}
MOST_VOTES = 48
_REPLIES = {
    "working": "已收到，正在和技术同事核实，预计两个工作日内给您结果。",
    "solved": "已经处理好。今后，{measure}谢谢您告诉我们。",
    "declined": "这项规则目前由监管要求决定，暂时不能调整，给您带来不便请见谅。",
}


def hear(engine: Engine, past: Past) -> int:
    """Hears the voices of the last 90 days; returns how many."""
    chance, people = past.chance("voices"), _People(past)
    told = sorted((people.known(said) for said in _all(chance, past)), key=lambda said: said.at or past.now)
    for first in range(0, len(told), BATCH):
        with transaction(engine) as session:
            operations.hear_many(session, told[first : first + BATCH], now=past.now)
    return len(told)


def read(engine: Engine, past: Past) -> int:
    """Reads them, as the clock would; returns in how many batches."""
    return sweep.run(engine, sweep.Job("voices.read", operations.read_next, 1), past.now)


def show(engine: Engine, past: Past) -> int:
    """The rant zone's board: votes and answers; returns how many rants have been voted for."""
    with transaction(engine) as session:
        return _board(session, past.chance("board"), past.now)


class _People:
    """Which customer said it: some are known to the operator, in the province they speak from."""

    def __init__(self, past: Past) -> None:
        self.chance = past.chance("people")
        self.of: dict[str, list[str]] = {}
        for ref in customers.refs(past):
            self.of.setdefault(customers.province_of(ref), []).append(ref)

    def known(self, said: VoiceIn) -> VoiceIn:
        """The utterance with its customer, when the channel knows who speaks."""
        there = self.of.get(said.province)
        if not there or self.chance.random() > KNOWN.get(said.source, 0.0):
            return said
        return replace(said, customer=self.chance.choice(there))


def _all(chance: random.Random, past: Past) -> Iterator[VoiceIn]:
    now, count = past.now, past.count(COUNT, least=600)
    ordinary = islice(speech.speak(chance, SHARES), count)
    yield from _placed(ordinary, rhythm.moments(chance, count, now), "d")
    for number, incident in enumerate(rhythm.INCIDENTS):
        shares = {code: SHARES[code] for code in incident.provinces} or SHARES
        spoken = speech.speak(chance, shares, topic=incident.topic, intent="complaint")
        planted = (said for said in spoken if any(word in said.text for word in incident.says))
        count = past.count(incident.voices)
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


def _tale(text: str) -> dict[str, Any] | None:
    """The tale of what mended this complaint; questions and praise have none."""
    found = ((topic, cases.tale_of(text, topic)) for topic in cases.tales())
    return next((cases.tales()[topic][number] for topic, number in found if number is not None), None)


def _board(session: Session, chance: random.Random, now: datetime) -> int:
    """Some rants on the board are hot, and some have an answer."""
    on_board = select(Voice).where(Voice.board_state == "received").order_by(col(Voice.at).desc()).limit(160)
    hot = 0
    for place, voice in enumerate(session.exec(on_board).all()):
        votes = min(int(chance.paretovariate(0.9)) - 1, MOST_VOTES)
        for number in range(votes):
            operations.vote(session, voice.code, f"demo-voter-{number}", now=now)
        hot += votes > 0
        state = chance.choices(("received", "working", "solved", "declined"), (50, 25, 20, 5))[0]
        tale = _tale(voice.masked) if (voice.mood or 5) < 3 else None  # noqa: PLR2004 - the two cross faces
        if tale is None or (state == "declined" and tale["cause"] != "rule"):
            continue
        if voice.at < now - timedelta(days=2) and state != "received" and place:
            reply = _REPLIES[state].format(**tale)
            operations.moderate(session, SYSTEM, voice.id or 0, state=state, reply=reply, now=now)
    return hot
