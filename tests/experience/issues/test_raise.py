"""An issue is raised once, numbered by the day, with what proves it."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.issues import queries
from experience.issues.operations import IssueIn, join, raise_issue
from experience.issues.tables import IssueSource
from experience.organisation.permissions import SYSTEM
from experience.touchpoints.tables import Channel, Touchpoint
from experience.voices.intake import VoiceIn
from experience.voices.operations import hear, read_now
from tests.people import someone

LIN = someone("triager", name="林", is_everything=True)


def voices(session: Session, now: datetime, *texts: str, province: str = "guangdong") -> list[int]:
    heard = [
        hear(session, SYSTEM, VoiceIn(text, "app", touchpoint="web.recharge", province=province), now=now)
        for text in texts
    ]
    read_now(session, heard, now=now)
    return [voice.id for voice in heard if voice.id is not None]


def test_an_issue_takes_topic_and_province_from_its_voices(session: Session, now: datetime) -> None:
    ids = voices(session, now, "充值话费扣了钱不到账", "充值话费扣了钱，还是不到账")
    issue = raise_issue(session, LIN, IssueIn("网厅充值不到账", touchpoint="web.recharge", voices=ids), now=now)
    assert (issue.code, issue.topic, issue.province, issue.state) == ("W20261123-0001", "billing", "guangdong", "open")
    assert sorted(queries.voice_ids(session, issue.id or 0)) == sorted(ids)


def test_numbers_run_through_the_day_in_beijing(session: Session, now: datetime) -> None:
    told = IssueIn("太慢", severity=3)
    codes = [raise_issue(session, LIN, told, now=now + timedelta(hours=h)).code for h in (0, 1, 14)]
    assert codes == ["W20261123-0001", "W20261123-0002", "W20261124-0001"]


def test_a_suggested_severity_says_why(session: Session, now: datetime) -> None:
    session.merge(Channel(code="web", name="网厅"))
    session.flush()
    session.add(Touchpoint(code="web.recharge", name="网厅充值", channel="web", is_key=True))
    session.flush()
    ids = voices(session, now, "充值不到账，再不处理就向工信部12300投诉")
    issue = raise_issue(session, LIN, IssueIn("充值不到账", touchpoint="web.recharge", voices=ids), now=now)
    assert issue.severity <= 2
    assert "特急" in issue.severity_reason
    assert "关键触点" in issue.severity_reason


def test_voices_of_another_province_cannot_be_used(session: Session, now: datetime) -> None:
    ids = voices(session, now, "充值不到账", province="hunan")
    wang = someone("triager", territories=frozenset({"guangdong"}))
    with pytest.raises(NotFound):
        raise_issue(session, wang, IssueIn("充值不到账", voices=ids), now=now)


def test_what_is_no_issue_is_refused(session: Session, now: datetime) -> None:
    for told in (IssueIn(""), IssueIn("长" * 121), IssueIn("充值", severity=5)):
        with pytest.raises(Invalid):
            raise_issue(session, LIN, told, now=now)
    with pytest.raises(Forbidden):
        raise_issue(session, someone("viewer"), IssueIn("充值"), now=now)


def test_joining_twice_adds_once(session: Session, now: datetime) -> None:
    issue = raise_issue(session, LIN, IssueIn("充值不到账"), now=now)
    ids = voices(session, now, "充值不到账", "充值失败")
    for _ in range(2):
        join(session, LIN, issue.code, ids, now=now)
    assert len(session.exec(select(IssueSource)).all()) == 2
