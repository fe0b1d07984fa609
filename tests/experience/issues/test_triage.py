"""The clock finds issues in read voices: urgent ones at once, many alike together, each case once."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from experience.issues import lifecycle, queries, triage
from experience.issues.operations import accept, dismiss, triage_next
from experience.issues.tables import Issue
from experience.notices.tables import Notice
from experience.organisation.permissions import SYSTEM
from experience.touchpoints.tables import Touchpoint
from experience.voices.intake import VoiceIn
from experience.voices.operations import hear, read_next
from tests.people import build_house, someone

LIN = someone("triager", name="林", is_everything=True)
TROUBLE = (
    "充值话费扣了钱不到账", "充值了100元话费扣了钱没有到账", "话费充值钱扣了不到账太气人", "扣了钱充值话费就是不到账",
    "话费充值失败钱却扣了不到账", "充值话费不到账，钱已经扣了，没人管", "充值的话费一直不到账，钱扣了",
)  # fmt: skip


def said(session: Session, at: datetime, *texts: str, now: datetime | None = None, province: str = "guangdong") -> None:
    for text in texts:
        told = VoiceIn(text, "app", at=at, touchpoint="web.recharge", province=province)
        hear(session, SYSTEM, told, now=now or at)
    while read_next(session, now or at):
        pass


def look(session: Session, now: datetime) -> list[Issue]:
    while triage_next(session, now):
        pass
    return list(session.exec(select(Issue).order_by(Issue.code)))


def test_an_urgent_voice_alerts_by_itself(session: Session, now: datetime) -> None:
    said(session, now, "充值话费扣了钱不到账，再不退我就向工信部12300投诉，找媒体曝光")
    issue = look(session, now)[0]
    assert (issue.state, issue.origin, issue.severity <= 2) == ("candidate", "triage", True)
    assert len(queries.voice_ids(session, issue.id or 0)) == 1


def test_many_alike_make_one_candidate(session: Session, now: datetime) -> None:
    said(session, now, *TROUBLE)
    issues = look(session, now)
    assert [(i.state, i.topic, i.province) for i in issues] == [("candidate", "billing", "guangdong")]
    assert len(queries.voice_ids(session, issues[0].id or 0)) >= triage.CLUSTER


def test_a_title_parts_the_province_from_a_latin_name(session: Session, now: datetime) -> None:
    build_house(session, now)
    found = session.exec(select(Touchpoint).where(Touchpoint.code == "web.recharge")).one()
    found.name = "App 充值"
    said(session, now, *TROUBLE)
    assert look(session, now)[0].title.startswith("广东 App 充值　")


def test_a_few_are_no_issue(session: Session, now: datetime) -> None:
    said(session, now, *TROUBLE[:3])
    assert look(session, now) == []


def test_copies_of_one_text_are_no_crowd(session: Session, now: datetime) -> None:
    said(session, now, *(TROUBLE[0] for _ in range(20)))
    assert look(session, now) == []


def test_later_voices_of_the_case_join_it(session: Session, now: datetime) -> None:
    said(session, now, *TROUBLE)
    before = look(session, now)
    proving = len(queries.voice_ids(session, before[0].id or 0))
    said(session, now + timedelta(hours=1), TROUBLE[0])
    after = look(session, now + timedelta(hours=1))
    assert [i.id for i in before] == [i.id for i in after]
    assert len(queries.voice_ids(session, after[0].id or 0)) == proving + 1


def test_provinces_are_cases_of_their_own(session: Session, now: datetime) -> None:
    said(session, now, *TROUBLE)
    said(session, now, *TROUBLE, province="hunan")
    assert {i.province for i in look(session, now)} == {"guangdong", "hunan"}


def test_history_is_no_news(session: Session, now: datetime) -> None:
    said(session, now - timedelta(days=40), *TROUBLE, now=now)
    assert look(session, now) == []


def test_what_is_usual_there_is_no_burst(session: Session, now: datetime) -> None:
    for day in range(1, 29):
        said(session, now - timedelta(days=day, hours=1), *TROUBLE, now=now)
    while triage_next(session, now - timedelta(days=60)):
        pass
    said(session, now, *TROUBLE)
    assert look(session, now) == []


def test_a_dismissed_case_rests(session: Session, now: datetime) -> None:
    said(session, now, *TROUBLE)
    dismiss(session, LIN, look(session, now)[0].code, "已知的系统维护", now=now)
    said(session, now + timedelta(hours=1), *TROUBLE)
    assert [i.state for i in look(session, now + timedelta(hours=1))] == ["dismissed"]


def test_a_candidate_accepted_is_open(session: Session, now: datetime) -> None:
    said(session, now, *TROUBLE)
    assert accept(session, LIN, look(session, now)[0].code, now=now).state == "open"


signals = st.builds(
    triage.Signal,
    urgency=st.integers(0, 3),
    voices=st.integers(0, 500),
    sentiment=st.floats(-1, 1),
    is_key=st.booleans(),
    has_anomaly=st.booleans(),
)


@given(signals)
def test_a_severity_lies_between_one_and_four_and_has_a_reason(signal: triage.Signal) -> None:
    graded = triage.severity(signal)
    assert 1 <= graded.severity <= 4
    assert graded.reason


@given(signals, st.integers(0, 3), st.integers(0, 500))
def test_more_urgency_or_more_voices_never_make_it_lighter(signal: triage.Signal, urgency: int, more: int) -> None:
    graver = triage.Signal(
        max(signal.urgency, urgency), signal.voices + more, signal.sentiment, signal.is_key, signal.has_anomaly
    )
    assert triage.severity(graver).severity <= triage.severity(signal).severity


@pytest.mark.parametrize("state", lifecycle.ACTS)
def test_every_act_leads_to_a_known_state(state: str) -> None:
    assert set(lifecycle.ACTS[state].values()) <= set(lifecycle.ACTS)


def test_an_urgent_voice_tells_the_centre_and_the_province_within_the_same_minute(
    session: Session, now: datetime
) -> None:
    house = build_house(session, now)
    said(session, now, "充值话费扣了钱不到账，再不退我就向工信部12300投诉，找媒体曝光")
    code = look(session, now + timedelta(seconds=5))[0].code
    told = {(n.user_id, n.link) for n in session.exec(select(Notice).where(Notice.level == 3))}
    assert {(house.users[login].id, f"/issues/{code}") for login in ("lin", "zhou")} <= told
    assert house.users["wang"].id not in {user for user, _ in told}
    said(session, now, "充值话费扣了钱不到账，已经向工信部12300投诉")
    look(session, now + timedelta(seconds=10))
    assert (
        len(session.exec(select(Notice).where(Notice.user_id == house.users["lin"].id, Notice.level == 3)).all()) == 1
    )


def test_a_bad_word_at_a_key_touchpoint_is_told_of_without_an_issue(session: Session, now: datetime) -> None:
    house = build_house(session, now)
    said(session, now, TROUBLE[0])
    assert look(session, now) == []
    told = session.exec(select(Notice).where(Notice.user_id == house.users["lin"].id)).one()
    assert told.link.startswith("/voices?")


def test_the_centre_is_told_of_a_key_touchpoint_once_with_the_number_of_voices(session: Session, now: datetime) -> None:
    house = build_house(session, now)
    said(session, now, TROUBLE[0], TROUBLE[1])
    said(session, now, TROUBLE[2], province="hunan")
    said(session, now, TROUBLE[3], province="sichuan")
    look(session, now)
    told = {
        login: [n.params["n"] for n in session.exec(select(Notice).where(Notice.user_id == house.users[login].id))]
        for login in ("lin", "zhou", "wang")
    }
    assert told == {"lin": [4], "zhou": [2], "wang": [1]}


def test_a_key_touchpoint_is_told_of_once_an_hour_however_often_the_clock_looks(
    session: Session, now: datetime
) -> None:
    house = build_house(session, now)
    for text in TROUBLE[:3]:
        said(session, now, text)
        look(session, now)
    assert len(session.exec(select(Notice).where(Notice.user_id == house.users["lin"].id)).all()) == 1
