"""The demo's customers do not all say the same sentence."""

import random
from itertools import islice

from analysis.topics import TOPICS
from experience.demo import operator, speech

PROVINCES = {code: share for code, _, share in operator.PROVINCES}


def said(count: int) -> list[speech.Said]:
    return list(islice(speech.speak(random.Random(1), PROVINCES), count))


def test_three_thousand_voices_are_nearly_all_different() -> None:
    texts = [one.text for one in said(3000)]
    assert len(set(texts)) > 2400
    assert not any("{" in text for text in texts)


def test_the_same_seed_says_the_same() -> None:
    assert said(50) == said(50)


def test_every_phrase_belongs_to_a_known_topic_and_touchpoint() -> None:
    known = {row[2] for row in operator.TOUCHPOINTS}
    for entry in speech.phrases():
        assert entry["topic"] in TOPICS
        assert set(entry["touchpoints"]) <= known
        assert all(entry[mood] for mood in speech.MOODS)


def test_a_planted_incident_speaks_of_one_thing() -> None:
    planted = islice(speech.speak(random.Random(2), {"guangdong": 1.0}, topic="billing", intent="complaint"), 40)
    assert {(one.topic, one.intent, one.province) for one in planted} == {("billing", "complaint", "guangdong")}
