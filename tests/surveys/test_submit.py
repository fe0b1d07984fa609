"""Answering a survey: judged again by the server, stored once, heard as a voice."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from experience.customers.tables import Approach
from experience.ground.errors import Conflict, Invalid, NotFound
from experience.issues.tables import Issue, IssueSource
from experience.learning.tables import VoiceScore
from experience.organisation.permissions import SYSTEM
from experience.voices.tables import Voice
from surveys import operations
from surveys.operations import SubmitIn
from surveys.tables import Answer, Invitation, Response, Survey
from tests.surveys.samples import published
from tests.surveys.test_offer import DEVICE, offered

UNHAPPY: dict[str, Any] = {"q1": 2, "q2": ["o_fail", "o_slow"], "q3": "充了100元，一直没到账，客服也打不通"}


def faults(error: pytest.ExceptionInfo[Invalid]) -> set[str]:
    return {fault["field"] for fault in error.value.errors}


def test_an_answer_is_stored_with_the_probes_snapshot_and_the_text_shown(session: Session, now: datetime) -> None:
    published(session, now)
    token = offered(session, DEVICE, now).token
    done = operations.submit(session, "recharge", SubmitIn(UNHAPPY, token=token), now=now)
    response = session.exec(select(Response)).one()
    assert response.code == done.response_code
    assert (response.snapshot["code"], response.sample_class) == ("PAY_TIMEOUT", "anomaly")
    assert response.shown == ["q1", "q2", "q3"]
    answers = {row.item: row for row in session.exec(select(Answer))}
    assert answers["q1"].number == 2
    assert answers["q1"].metric == "csat.recharge"
    assert answers["q2"].options == [{"id": "o_slow", "text": "页面太慢"}, {"id": "o_fail", "text": "扣款后没到账"}]
    assert session.exec(select(Invitation.state)).one() == "answered"
    assert session.exec(select(Approach.verdict)).one() == "answered"


def test_what_a_customer_wrote_becomes_a_voice(session: Session, now: datetime) -> None:
    published(session, now)
    token = offered(session, DEVICE, now).token
    operations.submit(session, "recharge", SubmitIn(UNHAPPY, token=token), now=now)
    voice = session.exec(select(Voice)).one()
    assert (voice.text, voice.source, voice.touchpoint) == (UNHAPPY["q3"], "survey", "web.recharge")
    assert voice.response_id == session.exec(select(Response.id)).one()


def test_the_score_beside_the_words_is_kept_as_a_weak_label(session: Session, now: datetime) -> None:
    published(session, now)
    operations.submit(session, "recharge", SubmitIn(UNHAPPY | {"q1": 1}, key="k-12345678"), now=now)
    kept = session.exec(select(VoiceScore)).one()
    assert (kept.metric, kept.score, kept.side) == ("csat", 1, -1)
    assert kept.voice_id == session.exec(select(Voice.id)).one()


def test_the_options_chosen_are_heard_when_nothing_was_written(session: Session, now: datetime) -> None:
    published(session, now)
    answers = {"q1": 1, "q2": ["o_slow", "o_else"], "q2.other": "营业厅排队"}
    operations.submit(session, "recharge", SubmitIn(answers, key="k-12345678"), now=now)
    assert session.exec(select(Voice.text)).one() == "页面太慢；其他；营业厅排队"


@pytest.mark.parametrize("answers", [{"q1": 5}, {"q1": 99}])
def test_a_survey_closed_between_two_answers_takes_no_second_one(
    session: Session, now: datetime, answers: dict[str, Any]
) -> None:
    published(session, now)
    operations.submit(session, "recharge", SubmitIn({"q1": 5}, version=1, key="k-12345678"), now=now)
    operations.submit(session, "recharge", SubmitIn({"q1": 4}, version=1, key="k-22345678"), now=now)
    session.exec(select(Survey)).one().state = "closed"
    session.flush()
    with pytest.raises(Conflict):
        operations.submit(session, "recharge", SubmitIn(answers, version=1, key="k-32345678"), now=now)
    assert len(session.exec(select(Response)).all()) == 2


def test_the_same_key_again_gives_the_same_receipt_and_stores_nothing(session: Session, now: datetime) -> None:
    published(session, now)
    said = SubmitIn({"q1": 5}, key="k-12345678")
    first = operations.submit(session, "recharge", said, now=now)
    again = operations.submit(session, "recharge", said, now=now + timedelta(hours=1))
    assert (again.response_code, again.receipt) == (first.response_code, first.receipt)
    assert again.is_repeat
    assert len(session.exec(select(Response)).all()) == 1


def test_another_answer_under_the_same_token_is_refused(session: Session, now: datetime) -> None:
    published(session, now)
    token = offered(session, DEVICE, now).token
    operations.submit(session, "recharge", SubmitIn({"q1": 5}, token=token), now=now)
    with pytest.raises(Conflict):
        operations.submit(session, "recharge", SubmitIn({"q1": 1}, token=token), now=now)


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({}, "answers.q1"),
        ({"q1": 6}, "answers.q1"),
        ({"q1": "5"}, "answers.q1"),
        ({"q1": True}, "answers.q1"),
        ({"q1": 2.0}, "answers.q1"),
        ({"q1": [2]}, "answers.q1"),
        ({"q1": 10**400}, "answers.q1"),
        ({"q1": 3, "q2": "o_slow"}, "answers.q2"),
        ({"q1": 3, "q2": ["o_gone"]}, "answers.q2"),
        ({"q1": 3, "q2": [{}]}, "answers.q2"),
        ({"q1": 3, "q2": ["o_slow", "o_slow"]}, "answers.q2"),
        ({"q1": 3, "q2": ["o_slow", "o_none"]}, "answers.q2"),
        ({"q1": 3, "q2": ["o_slow", "o_fail", "o_else"]}, "answers.q2"),
        ({"q1": 3, "q2": ["o_slow"], "q2.other": "x"}, "answers.q2.other"),
        ({"q1": 2, "q3": "长" * 501}, "answers.q3"),
        ({"q1": 2, "q3": {"x": 1}}, "answers.q3"),
        ({"q1": 5, "q2": ["o_slow"]}, "answers.q2"),
        ({"q1": 5, "q9": 1}, "answers.q9"),
        ({"q1": 5, "validate": 1}, "answers.validate"),
    ],
)
def test_what_the_form_or_the_logic_refuses_is_named_and_not_stored(
    session: Session, now: datetime, answers: dict[str, Any], field: str
) -> None:
    published(session, now)
    with pytest.raises(Invalid) as error:
        operations.submit(session, "recharge", SubmitIn(answers), now=now)
    assert faults(error) == {field}
    assert session.exec(select(Response)).all() == []


@pytest.mark.parametrize(
    "text", ["=cmd|'/c calc'!A1", "<script>alert(1)</script>", "'; drop table answer;--", "😤😤", "a\x00b\ud800"]
)
def test_strange_text_is_kept_as_text(session: Session, now: datetime, text: str) -> None:
    published(session, now)
    operations.submit(session, "recharge", SubmitIn({"q1": 1, "q3": text}), now=now)
    kept = session.exec(select(Answer.text).where(Answer.item == "q3")).one()
    assert kept == text.replace("\x00", "").replace("\ud800", "")


def test_a_partial_answer_is_kept_and_finished_later(session: Session, now: datetime) -> None:
    published(session, now)
    token = offered(session, DEVICE, now).token
    part = operations.submit(session, "recharge", SubmitIn({"q1": 2}, token=token, is_partial=True), now=now)
    assert session.exec(select(Response.is_partial)).one() is True
    later = now + timedelta(days=6)
    done = operations.submit(session, "recharge", SubmitIn(UNHAPPY, token=token), now=later)
    assert (done.response_code, done.receipt) == (part.response_code, part.receipt)
    assert session.exec(select(Response.is_partial)).one() is False
    assert len(session.exec(select(Answer)).all()) == 3


def test_what_was_begun_may_be_finished_for_seven_days(session: Session, now: datetime) -> None:
    published(session, now)
    token = offered(session, DEVICE, now).token
    operations.submit(session, "recharge", SubmitIn({"q1": 2}, token=token, is_partial=True), now=now)
    with pytest.raises(Conflict):
        operations.submit(session, "recharge", SubmitIn(UNHAPPY, token=token), now=now + timedelta(days=8))


def test_an_invitation_expires_after_a_day(session: Session, now: datetime) -> None:
    published(session, now)
    token = offered(session, DEVICE, now).token
    with pytest.raises(Conflict):
        operations.submit(session, "recharge", SubmitIn({"q1": 5}, token=token), now=now + timedelta(hours=25))


@pytest.mark.parametrize("token", ["x", "x.y", "", "é.é", "." * 50])
def test_a_token_that_is_not_ours_is_refused(session: Session, now: datetime, token: str) -> None:
    published(session, now)
    with pytest.raises((Invalid, NotFound)):
        operations.submit(session, "recharge", SubmitIn({"q1": 5}, token=token or "."), now=now)


def test_answers_given_and_then_hidden_are_kept_out_of_the_measures(session: Session, now: datetime) -> None:
    published(session, now)
    said = SubmitIn({"q1": 5}, inactive={"q2": ["o_slow"], "q3": {"bad": 1}})
    operations.submit(session, "recharge", said, now=now)
    kept = {row.item: row.is_inactive for row in session.exec(select(Answer))}
    assert kept == {"q1": False, "q2": True}


def test_an_unknown_version_is_a_conflict_and_an_older_one_still_counts(session: Session, now: datetime) -> None:
    published(session, now)
    draft = operations.edit(
        session, SYSTEM, "recharge", {**_draft(session), "title": {"zh-CN": "充值"}}, draft_version=1, now=now
    )
    assert draft.draft_version == 2
    assert operations.publish(session, SYSTEM, "recharge", now=now).version == 2
    operations.submit(session, "recharge", SubmitIn({"q1": 5}, version=1), now=now)
    with pytest.raises(Conflict):
        operations.submit(session, "recharge", SubmitIn({"q1": 5}, version=3), now=now)


def _draft(session: Session) -> dict[str, Any]:
    return dict(session.exec(select(Survey.draft)).one())


def test_a_full_quota_turns_away_but_keeps_the_answer(session: Session, now: datetime) -> None:
    quota = {
        "id": "gd",
        "if": {"ref": "ctx.province", "op": "eq", "value": "guangdong"},
        "limit": 2,
        "then": "end_quota",
    }
    published(session, now, quotas=[quota])
    here = [SubmitIn({"q1": 5}, province="guangdong") for _ in range(3)]
    ends = [operations.submit(session, "recharge", one, now=now).ending for one in here]
    assert ends == ["end_thanks", "end_thanks", "end_quota"]
    elsewhere = operations.submit(session, "recharge", SubmitIn({"q1": 5}, province="sichuan"), now=now)
    assert elsewhere.ending == "end_thanks"


def test_who_answers_too_fast_is_set_aside_not_thrown_away(session: Session, now: datetime) -> None:
    published(session, now)
    operations.submit(session, "recharge", SubmitIn(UNHAPPY, seconds=2), now=now)
    assert session.exec(select(Response.is_quarantined, Response.quarantine_reason)).one() == (True, "speeder")


def test_a_grave_answer_becomes_a_candidate_issue_and_the_next_one_joins_it(session: Session, now: datetime) -> None:
    published(session, now, actions=[{"if": {"ref": "a.q1", "op": "eq", "value": 1}, "do": "issue", "severity": 2}])
    for text in ("扣款没到账", "充了两次都失败"):
        said = SubmitIn({"q1": 1, "q3": text}, touchpoint="web.recharge", province="guangdong")
        operations.submit(session, "recharge", said, now=now)
    issue = session.exec(select(Issue)).one()
    assert (issue.state, issue.severity, issue.origin) == ("candidate", 2, "survey")
    assert len(session.exec(select(IssueSource)).all()) == 2
