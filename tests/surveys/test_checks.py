"""The check list before publishing."""

import copy
from typing import Any

import pytest

from surveys import checks
from surveys.definition import parse
from tests.surveys.samples import RECHARGE


def found(change: Any, earlier: list[Any] | None = None) -> list[tuple[str, str]]:
    written = copy.deepcopy(RECHARGE)
    change(written)
    return [(one.level, one.where) for one in checks.problems(parse(written), earlier or [])]


def item(written: dict[str, Any], at: int) -> dict[str, Any]:
    chosen: dict[str, Any] = written["blocks"][0]["items"][at]
    return chosen


def test_a_sound_survey_has_no_problem() -> None:
    assert found(lambda _: None) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda w: item(w, 0).update(showIf={"ref": "a.q3", "op": "answered"}), "q1"),  # not yet answered there
        (lambda w: item(w, 1).update(showIf={"ref": "a.gone", "op": "answered"}), "q2"),
        (lambda w: item(w, 2).update(showIf={"ref": "a.q2", "op": "includesAny", "value": ["o_gone"]}), "q3"),
        (lambda w: item(w, 2).update(showIf={"ref": "a.q1", "op": "gte", "value": 6}), "q3"),  # csat ends at 5
        (
            lambda w: item(w, 2).update(
                showIf={"all": [{"ref": "a.q1", "op": "lt", "value": 2}, {"ref": "a.q1", "op": "gt", "value": 3}]}
            ),
            "q3",
        ),
        (lambda w: item(w, 2).update(showIf={"any": []}), "q3"),
        (lambda w: item(w, 0).update(title={"zh-CN": "{{a.q2|…}}好吗"}), "q1"),
        (lambda w: item(w, 0).update(title={"en": "Only English"}), "q1"),
        (lambda w: w["blocks"][0].update(next=[{"to": "nowhere"}]), "b1"),
        (lambda w: w["blocks"][0].update(next=[{"to": "b1"}]), "b1"),
        (
            lambda w: (
                w["blocks"].append({"id": "b2", "items": [{"id": "q9", "type": "text", "title": {"zh-CN": "x"}}]})
                or w["blocks"][0].update(next=[{"to": "end_thanks"}])
            ),
            "b2",
        ),
        (lambda w: w.update(endings=[{"id": "end_thanks", "kind": "screenout"}]), "endings"),
        (lambda w: w.update(quotas=[{"id": "g", "limit": 1, "then": "q1"}]), "g"),
        (lambda w: w["distribution"].update(audience={"ref": "a.q1", "op": "answered"}), "audience"),
        (lambda w: item(w, 1).update(min=9), "q2"),
    ],
)
def test_what_cannot_work_forbids_publishing(change: Any, where: str) -> None:
    assert ("error", where) in found(change)


def test_an_id_never_comes_to_mean_another_kind_of_question() -> None:
    before = parse(RECHARGE)
    assert found(lambda w: item(w, 0).update(type="ces"), [before]) == [("error", "q1")]


def test_a_pipe_without_a_fallback_is_only_a_warning() -> None:
    assert found(lambda w: item(w, 0).update(title={"zh-CN": "{{probe.seconds}} 秒"})) == [("warning", "q1")]
