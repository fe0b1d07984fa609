"""The frozen vectors: what the server's logic answers today is what it answered when they were made."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from surveys import conditions, logic
from surveys.definition import parse

FILE = Path(__file__).parent.parent / "data" / "survey_logic_vectors.json.gz"


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))
    return loaded


def test_there_are_at_least_two_thousand(vectors: dict[str, Any]) -> None:
    assert sum(map(len, vectors.values())) >= 2_000
    results = [expected for *_, expected in vectors["conditions"]]
    assert 0.3 < sum(results) / len(results) < 0.7


def test_every_condition_answers_as_frozen(vectors: dict[str, Any]) -> None:
    wrong = [case for case in vectors["conditions"] if conditions.holds(case[0], case[1]) is not case[2]]
    assert wrong == []


def test_every_path_is_walked_as_frozen(vectors: dict[str, Any]) -> None:
    for written, answers, facts, seed, expected in vectors["walks"]:
        survey = parse(written)
        path = logic.walk(survey, answers, facts, seed=seed)
        assert {"items": list(path.items), "ending": path.ending, "active": dict(path.active)} == {
            key: expected[key] for key in ("items", "ending", "active")
        }
        assert {item.id: logic.ordered_options(item, seed) for item in survey.items} == expected["orders"]


def test_every_wording_is_piped_as_frozen(vectors: dict[str, Any]) -> None:
    for written, wording, facts, lang, expected in vectors["pipes"]:
        assert logic.piped(parse(written), wording, facts, lang) == expected


def test_every_chance_is_as_frozen(vectors: dict[str, Any]) -> None:
    assert [logic.chance(seed, name) for seed, name, _ in vectors["orders"]] == [n for *_, n in vectors["orders"]]
