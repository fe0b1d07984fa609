"""The numbers: who counts, what is kept apart, who sees what."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from experience.organisation.permissions import SYSTEM, Scope
from surveys import operations, queries
from surveys.definition import parse
from surveys.operations import Offered, OfferIn, SubmitIn
from surveys.queries import exporting
from surveys.queries.numbers import Filter
from surveys.queries.report import Report, report
from tests.people import someone
from tests.surveys.samples import published

HUNAN = someone("coordinator", territories=frozenset({"hunan"}))


def say(session: Session, now: datetime, answers: dict[str, Any], **more: Any) -> None:
    operations.submit(session, "recharge", SubmitIn(answers, **{"province": "guangdong", **more}), now=now)


def made(session: Session, scope: Scope = SYSTEM, wanted: Filter = Filter(), by: str = "") -> Report:  # noqa: B008 - frozen
    survey = queries.survey(session, scope, "recharge")
    return report(session, scope, survey, parse(survey.draft), wanted, by=by)


def test_quarantined_hidden_and_partial_answers_are_out_of_the_measures(session: Session, now: datetime) -> None:
    published(session, now)
    for csat in (5, 5, 4, 4, 2):
        say(session, now, {"q1": csat})
    say(session, now, {"q1": 1, "q2": ["o_slow"], "q3": "x"}, seconds=1)  # a speeder
    say(session, now, {"q1": 1}, is_partial=True, key="partial-1")
    score = made(session).scores[0]
    assert (score.figure.n, score.figure.value, score.figure.display) == (5, 80, "grey")
    assert (made(session).flow.quarantined, made(session).flow.finished) == (1, 6)
    assert made(session).left_at == {"q2": 1}


def test_what_an_anomaly_triggered_is_never_in_the_headline(session: Session, now: datetime) -> None:
    published(session, now)
    for _ in range(6):
        say(session, now, {"q1": 5})
    for n in range(6):
        asked = OfferIn(subject=f"device:{n}", device=f"{n}", sample_class="anomaly", province="guangdong")
        given = operations.offer(session, "recharge", asked, now=now)
        assert isinstance(given, Offered)
        say(session, now, {"q1": 1}, token=given.token)
    found = made(session)
    assert (found.scores[0].figure.value, found.scores[0].anomaly.value) == (100, 0)
    assert found.scores[0].lift is not None
    assert found.scores[0].lift.value == -100
    assert found.flow.seen == 0  # the headline counts no anomaly's display either


def test_a_province_sees_its_own_answers_only(session: Session, now: datetime) -> None:
    published(session, now)
    for province in ("guangdong", "guangdong", "hunan"):
        say(session, now, {"q1": 5}, province=province)
    assert made(session).scores[0].figure.n == 3
    assert made(session, HUNAN).scores[0].figure.n == 1
    assert set(made(session, by="province").scores[0].groups) == {"guangdong", "hunan"}


def test_old_answers_keep_the_words_they_were_given_to(session: Session, now: datetime) -> None:
    published(session, now)
    say(session, now, {"q1": 3, "q2": ["o_slow"]})
    draft = dict(queries.survey(session, SYSTEM, "recharge").draft)
    draft["blocks"][0]["items"][1]["options"][0]["text"] = {"zh-CN": "打开很慢"}
    operations.edit(session, SYSTEM, "recharge", draft, draft_version=1, now=now)
    operations.publish(session, SYSTEM, "recharge", now=now)
    say(session, now, {"q1": 3, "q2": ["o_slow"]})
    assert {(one.text, one.count) for one in made(session).choices} == {("页面太慢", 1), ("打开很慢", 1)}


def test_an_export_is_masked_and_runs_nothing(session: Session, now: datetime) -> None:
    published(session, now)
    say(session, now, {"q1": 1, "q3": "=cmd|'/c calc'!A1 电话13812345678"})
    survey = queries.survey(session, SYSTEM, "recharge")
    rows = list(exporting.rows(session, SYSTEM, survey, parse(survey.draft), Filter()))
    assert rows[1][8] == 1
    assert str(rows[1][10]).startswith("'=cmd")
    assert "13812345678" not in str(rows)
    assert b"".join(exporting.as_csv(rows)).startswith(b"\xef\xbb\xbf")
    assert b"".join(exporting.as_xlsx(rows)).startswith(b"PK")


def test_nothing_answered_yet_is_no_number(session: Session, now: datetime) -> None:
    published(session, now)
    found = made(session)
    assert [score.figure.display for score in found.scores] == ["none"]
    assert (found.response.display, found.completion.value) == ("none", None)
