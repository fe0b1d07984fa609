"""Issues move through their states by a person or along with their orders; rants on the board follow."""

from datetime import datetime

import pytest
from sqlmodel import Session

from experience.ground.errors import Conflict, Invalid, NotFound
from experience.issues import queries
from experience.issues.operations import (
    IssueIn,
    change,
    dismiss,
    join,
    mark_dispatched,
    mark_recalled,
    mark_solved,
    merge,
    raise_issue,
    reopen,
    solve,
)
from experience.issues.tables import Issue
from experience.organisation.permissions import SYSTEM
from experience.organisation.tables import Unit
from experience.voices.intake import VoiceIn
from experience.voices.operations import hear, moderate
from experience.voices.tables import Voice
from tests.people import someone

LIN = someone("triager", name="林", is_everything=True)


def raised(session: Session, now: datetime, *texts: str, title: str = "充值不到账") -> tuple[Issue, list[Voice]]:
    voices = [hear(session, SYSTEM, VoiceIn(text, "rant", is_for_board=True), now=now) for text in texts]
    told = IssueIn(title, severity=3, voices=[voice.id or 0 for voice in voices])
    return raise_issue(session, LIN, told, now=now), voices


def test_the_board_follows_the_order(session: Session, now: datetime) -> None:
    issue, voices = raised(session, now, "充值不到账", "钱没退")
    moderate(session, LIN, voices[1].id or 0, state="declined", reply="查无此笔", now=now)
    steps = ((mark_dispatched, "working"), (mark_solved, "solved"))
    for step, state in steps:
        extra = ([],) if step is mark_dispatched else ()
        step(session, SYSTEM, issue.id or 0, *extra, now=now)  # type: ignore[operator]
        session.refresh(voices[0])
        session.refresh(voices[1])
        assert (voices[0].board_state, voices[1].board_state) == (state, "declined")
    assert (issue.state, issue.closed_at) == ("solved", now)


def test_a_unit_sees_what_it_was_given_and_nothing_else(session: Session, now: datetime) -> None:
    issue, _ = raised(session, now)
    other, _ = raised(session, now, title="别的事")
    centre = Unit(code="centre", name="中心", kind="centre", path="/1/")
    session.add(centre)
    session.flush()
    zhou = someone("coordinator", unit_ids=frozenset({centre.id or 0}))
    with pytest.raises(NotFound):
        queries.by_code(session, zhou, issue.code)
    mark_dispatched(session, SYSTEM, issue.id or 0, [centre.id or 0], now=now)
    assert queries.by_code(session, zhou, issue.code).id == issue.id
    assert [i.code for i, _ in queries.page(session, zhou, queries.Filters())[0]] == [issue.code]
    with pytest.raises(NotFound):
        queries.by_code(session, zhou, other.code)


def test_an_issue_whose_orders_fell_away_waits_again(session: Session, now: datetime) -> None:
    issue, _ = raised(session, now)
    mark_dispatched(session, SYSTEM, issue.id or 0, [], now=now)
    assert mark_recalled(session, SYSTEM, issue.id or 0, now=now).state == "open"


def test_a_reopened_order_reopens_what_was_solved(session: Session, now: datetime) -> None:
    issue, _ = raised(session, now)
    mark_dispatched(session, SYSTEM, issue.id or 0, [], now=now)
    mark_solved(session, SYSTEM, issue.id or 0, now=now)
    assert mark_dispatched(session, SYSTEM, issue.id or 0, [], now=now).state == "dispatched"


def test_merging_carries_the_evidence_over(session: Session, now: datetime) -> None:
    one, _ = raised(session, now, "充值不到账")
    other, _ = raised(session, now, "钱没退")
    target = merge(session, LIN, one.code, other.code, now=now)
    assert len(queries.voice_ids(session, target.id or 0)) == 2
    assert (one.state, one.merged_into_id) == ("merged", other.id)
    assert [i.id for i in queries.of_voices(session, queries.voice_ids(session, one.id or 0))] == [other.id]
    with pytest.raises(Conflict):
        merge(session, LIN, one.code, other.code, now=now)
    with pytest.raises(Invalid):
        merge(session, LIN, other.code, other.code, now=now)


def test_a_stale_version_is_refused_with_the_state_now(session: Session, now: datetime) -> None:
    issue, _ = raised(session, now)
    change(session, LIN, issue.code, {"severity": 1}, version=1, now=now)
    with pytest.raises(Conflict) as refusal:
        change(session, LIN, issue.code, {"severity": 2}, version=1, now=now)
    assert refusal.value.current["version"] == 2
    with pytest.raises(Invalid):
        change(session, LIN, issue.code, {"severity": 9}, version=2, now=now)


def test_a_closed_issue_takes_no_voices_until_it_is_reopened(session: Session, now: datetime) -> None:
    issue, _ = raised(session, now)
    with pytest.raises(Invalid):
        dismiss(session, LIN, issue.code, "", now=now)
    dismiss(session, LIN, issue.code, "不属实", now=now)
    with pytest.raises(Conflict):
        join(session, LIN, issue.code, [], now=now)
    reopen(session, LIN, issue.code, "客户补充了证据", now=now)
    assert solve(session, LIN, issue.code, "已现场处理", now=now).close_reason == "已现场处理"


def test_similar_issues_come_with_the_solved_first(session: Session, now: datetime) -> None:
    def made(title: str, touchpoint: str) -> Issue:
        return raise_issue(session, LIN, IssueIn(title, severity=3, touchpoint=touchpoint), now=now)

    issue, unsolved, solved = (made(title, "web.recharge") for title in ("现在的", "没解决的", "解决过的"))
    made("不相干的", "store.counter")
    solve(session, LIN, solved.code, "扩容", now=now)
    assert [one.issue.code for one in queries.alike(session, LIN, issue)] == [solved.code, unsolved.code]
