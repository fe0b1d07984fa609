"""What the demo's orders are about: complaints that were really heard, and the words of those who mend that very thing."""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlmodel import Session, col, select

from experience.demo import operator, speech
from experience.voices.tables import Reading, Voice

_NAMES = {code: name.removesuffix("公司") for code, name, _ in operator.PROVINCES}
_POINTS = {row[2]: row[3] for row in operator.TOUCHPOINTS}
_REACH = timedelta(days=6)
_EVIDENCE, _MANY = 9, 60


@dataclass(frozen=True, slots=True)
class Heard:
    """A negative voice: when, whether we know the customer, and (province, touchpoint, topic, number of its tale)."""

    at: datetime
    is_known: bool
    place: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A trouble with its evidence and the words for it."""

    touchpoint: str
    topic: str
    province: str
    voices: tuple[int, ...]
    title: str
    instructions: str
    cause: str
    note: str
    measure: str
    says: str  # a word by which complaints about it are known


@cache
def tales() -> dict[str, list[dict[str, Any]]]:
    """Topic -> the tales told of it."""
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load(Path(__file__).with_name("tales.yaml").read_text("utf-8"))
    return loaded


def tale_of(text: str, topic: str) -> int | None:
    """Which tale of the topic the complaint belongs to, if any."""
    told = enumerate(tales().get(topic, ()))
    return next((number for number, tale in told if any(word in text for word in tale["says"])), None)


class Docket:
    """Finds cases among the negative voices; each voice is evidence once."""

    def __init__(self, session: Session, chance: random.Random) -> None:
        self.chance = chance
        self.left = _negative(session)

    def case(self, at: datetime, *, province: str = "", touchpoint: str = "", topic: str = "", says: str = "") -> Case:
        """What customers whom we know said most of in the days before, where it is not fixed."""
        tale = tale_of(says, topic) if says else None
        wanted = (province, touchpoint, topic, "" if tale is None else str(tale))
        near = {id_: one for id_, one in self.left.items() if at - _REACH <= one.at <= at and _fits(one.place, wanted)}
        weights = Counter[tuple[str, ...]]()
        for one in near.values():
            weights[one.place] += 10 if one.is_known else 1
        ranked = weights.most_common(12) or [
            ((province or "hebei", touchpoint or "hotline.10086", topic or "other", wanted[3] or "0"), 1)
        ]
        place = self.chance.choices([there for there, _ in ranked], [n * n for _, n in ranked])[0]
        is_wide = bool(touchpoint and topic)
        voices = [id_ for id_, one in near.items() if is_wide or one.place == place][
            -(_MANY if is_wide else _EVIDENCE) :
        ]
        for id_ in voices:
            del self.left[id_]
        return self._told(place, tuple(voices))

    def _told(self, place: tuple[str, ...], voices: tuple[int, ...]) -> Case:
        province, touchpoint, topic, number = place
        tale = tales()[topic][int(number)]
        words = {
            "place": _NAMES.get(province, ""),
            "point": _POINTS.get(touchpoint, ""),
            "city": self.chance.choice(speech.CITIES.get(province, ("",))),
        }
        return Case(
            touchpoint=touchpoint,
            topic=topic,
            province=province,
            voices=voices,
            title=tale["title"].format(**words),
            instructions=tale["asks"],
            cause=tale["cause"],
            note=tale["note"],
            measure=tale["measure"],
            says=next(iter(tale["says"]), ""),
        )


def _negative(session: Session) -> dict[int, Heard]:
    """Negative voices, oldest first, of which a tale is told and whose topic is spoken of at their touchpoint."""
    said = (
        select(Voice, Reading.topic)
        .join(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(Reading.label == "negative")
        .order_by(col(Voice.at), col(Voice.id))
    )
    usual = {(point, entry["topic"]) for entry in speech.phrases() for point in entry["touchpoints"]}
    found = ((voice, topic, tale_of(voice.masked, topic)) for voice, topic in session.exec(said))
    return {
        voice.id or 0: Heard(
            voice.at, voice.customer_id is not None, (voice.province, voice.touchpoint, topic, str(tale))
        )
        for voice, topic, tale in found
        if tale is not None and (voice.touchpoint, topic) in usual
    }


def _fits(place: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return all(want in ("", have) for have, want in zip(place, wanted, strict=True))
