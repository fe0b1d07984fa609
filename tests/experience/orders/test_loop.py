"""The two-level loop through its operations."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from experience.ground.errors import Conflict, Forbidden, Invalid, NotFound
from experience.issues.operations import IssueIn, raise_issue
from experience.issues.tables import Issue
from experience.notices.tables import Notice
from experience.orders import verification
from experience.orders.operations import (
    Act,
    DispatchIn,
    act,
    chase_next,
    decide,
    dispatch,
    measure_effect,
    record_followup,
)
from experience.orders.queries import order_card
from experience.orders.tables import Clock, ClockMark, Effect, FollowUp, WorkOrder
from experience.organisation.permissions import SYSTEM
from experience.voices.operations import VoiceIn, hear
from tests.people import House

REPLY = {"note": "回调超时", "cause": "system", "measure": "扩容队列", "contacted": True}
HOUR = timedelta(hours=1)


@pytest.fixture
def issue(house: House, session: Session, now: datetime) -> Issue:
    said = VoiceIn("充值不到账，钱也不退", "rant", province="guangdong", touchpoint="web.recharge", receipt="secret")
    voice = hear(session, SYSTEM, said, now=now - 5 * HOUR)
    told = IssueIn("充值不到账", touchpoint="web.recharge", province="guangdong", voices=[voice.id or 0])
    return raise_issue(session, house.scope("lin"), told, now=now)


class Loop:
    """The people of one order."""

    def __init__(self, house: House, session: Session, issue: Issue, now: datetime) -> None:
        self.house, self.session, self.issue, self.now = house, session, issue, now

    def dispatch(self, *units: str, kind: str = "complaint") -> WorkOrder:
        told = DispatchIn(units or ("guangdong",), kind, "请核查并联系客户")
        return dispatch(self.session, self.house.scope("lin"), self.issue.id or 0, told, now=self.now)

    def act(self, who: str, order: WorkOrder, action: str, **fields: Any) -> WorkOrder:
        done = act(self.session, self.house.scope(who), order.code, Act(action, order.version, fields), now=self.now)
        self.session.flush()
        self.session.refresh(order)
        return done

    def replied(self) -> WorkOrder:
        order = self.dispatch()
        self.act("zhou", order, "accept")
        self.act("zhou", order, "submit", **REPLY)
        self.act("approver", order, "approve_internal")
        return order

    def confirmed(self) -> WorkOrder:
        order = self.replied()
        self.act("lin", order, "confirm", score=90)
        return order

    def sweep(self, at: datetime) -> int:
        done = 0
        while chase_next(self.session, at):
            done += 1
            assert done < 100
        return done

    def clocks(self, order: WorkOrder, kind: str) -> list[Clock]:
        found = select(Clock).where(Clock.order_id == order.id, Clock.kind == kind).order_by(col(Clock.id))
        return list(self.session.exec(found))


@pytest.fixture
def loop(house: House, session: Session, issue: Issue, now: datetime) -> Loop:
    return Loop(house, session, issue, now)


def test_clocks_start_at_dispatch_and_the_statutory_one_at_first_receipt(loop: Loop) -> None:
    order = loop.dispatch()
    started = {
        kind: loop.clocks(order, kind)[0].started_at for kind in ("accept", "contact", "resolve", "hold", "statutory")
    }
    assert started.pop("statutory") == loop.now - 5 * HOUR
    assert set(started.values()) == {loop.now}
    assert loop.issue.state == "dispatched"


def test_another_province_sees_nothing_and_the_wrong_person_is_refused(loop: Loop, house: House) -> None:
    order = loop.dispatch()
    with pytest.raises(NotFound):
        order_card(loop.session, house.scope("wang"), order.code, now=loop.now)
    with pytest.raises(Forbidden):
        loop.act("lin", order, "accept")
    with pytest.raises(NotFound):
        loop.act("wang", order, "accept")


def test_a_stale_version_is_a_conflict_that_tells_the_state_now(loop: Loop, house: House) -> None:
    order = loop.dispatch()
    stale = order.version
    loop.act("zhou", order, "accept")
    with pytest.raises(Conflict) as refused:
        act(
            loop.session,
            house.scope("zhou"),
            order.code,
            Act("transfer", stale, {"unit": "guangdong.service", "reason": "x"}),
            now=loop.now,
        )
    assert refused.value.current["state"] == "processing"
    assert "submit" in refused.value.current["allowed"]


def test_missing_and_unknown_fields_are_each_named(loop: Loop) -> None:
    order = loop.dispatch()
    loop.act("zhou", order, "accept")
    with pytest.raises(Invalid) as refused:
        loop.act("zhou", order, "submit", note="查了", colour="red")
    assert {error["field"] for error in refused.value.errors} == {"cause", "measure", "contacted", "colour"}


def test_a_department_is_due_before_its_province(loop: Loop) -> None:
    order = loop.dispatch()
    loop.act("zhou", order, "accept")
    loop.act("zhou", order, "dispatch", unit="guangdong.network", instructions="查日志")
    child = loop.session.exec(select(WorkOrder).where(WorkOrder.parent_id == order.id)).one()
    assert child.level == 2
    assert child.due_at
    assert order.due_at
    assert child.due_at < order.due_at
    with pytest.raises(Conflict, match="子单"):
        loop.act("zhou", order, "submit", **REPLY)
    loop.act("he", child, "accept")
    loop.act("he", child, "reply", **REPLY)
    assert child.state == "submitted"
    loop.act("zhou", child, "confirm")
    assert child.state == "archived"
    loop.act("zhou", order, "submit", **REPLY)
    assert order.state == "internal_review"


def test_several_units_get_a_child_each_and_the_main_order_follows(loop: Loop) -> None:
    main = loop.dispatch("guangdong", "migu", kind="experience")
    children = loop.session.exec(
        select(WorkOrder).where(WorkOrder.parent_id == main.id).order_by(col(WorkOrder.id))
    ).all()
    assert [child.level for child in children] == [2, 2]
    with pytest.raises(Conflict):
        loop.act("lin", main, "archive")
    guangdong, migu = children
    loop.act("wu", migu, "accept")
    loop.session.refresh(main)
    assert main.state == "processing"
    loop.act("wu", migu, "reply", **REPLY)
    loop.act("lin", migu, "confirm")
    loop.session.refresh(main)
    assert main.state == "processing"
    loop.act("lin", guangdong, "cancel", reason="重复")
    loop.sweep(loop.now + timedelta(days=10))
    loop.session.refresh(main)
    assert main.state == "archived"


def test_a_rejected_reply_gives_the_time_back_without_the_review(loop: Loop) -> None:
    order = loop.replied()
    due = loop.clocks(order, "resolve")[0].due_at
    assert due
    loop.now += 2 * HOUR
    loop.act("lin", order, "reject", reason="请补充凭证")
    resumed = loop.clocks(order, "resolve")[0]
    assert (order.state, order.reject_count, resumed.state) == ("processing", 1, "running")
    assert resumed.due_at == due + 2 * HOUR
    assert resumed.original_due_at == due


def test_a_return_is_asked_decided_and_sent_on(loop: Loop, house: House) -> None:
    order = loop.dispatch()
    loop.act("zhou", order, "return", reason="不是我省客户", suggest="migu")
    with pytest.raises(Conflict, match="等待审批"):
        loop.act("zhou", order, "return", reason="再退一次")
    request = order_card(loop.session, house.scope("lin"), order.code, now=loop.now)["requests"][0]
    with pytest.raises(Forbidden):
        decide(
            loop.session, house.scope("zhou"), order.code, request["id"], decision="approve", reason="好", now=loop.now
        )
    decide(loop.session, house.scope("lin"), order.code, request["id"], decision="approve", reason="同意", now=loop.now)
    loop.session.refresh(order)
    assert (order.state, loop.clocks(order, "resolve")[0].state) == ("returned", "running")
    loop.act("lin", order, "dispatch", unit="migu", instructions="请处理")
    assert (order.state, order.unit_id) == ("dispatched", house.unit("migu"))


def test_an_undecided_return_is_refused_by_the_clock(loop: Loop) -> None:
    order = loop.dispatch()
    loop.act("zhou", order, "accept")
    loop.act("zhou", order, "return", reason="不是我省客户")
    loop.sweep(loop.now + timedelta(days=1))
    card = order_card(loop.session, SYSTEM, order.code, now=loop.now)
    assert card["requests"][0]["state"] == "expired"
    assert card["returns"] == 1


def test_a_suspension_pauses_from_the_instant_it_was_asked(loop: Loop, house: House) -> None:
    order = loop.dispatch(kind="experience")
    loop.act("zhou", order, "accept")
    due = loop.clocks(order, "resolve")[0].due_at
    until = loop.now + timedelta(days=1)
    loop.act("zhou", order, "suspend", reason="等用户", until=until.isoformat())
    request = order_card(loop.session, SYSTEM, order.code, now=loop.now)["requests"][0]
    later = loop.now + 3 * HOUR
    decide(loop.session, house.scope("lin"), order.code, request["id"], decision="approve", reason="同意", now=later)
    loop.session.refresh(order)
    assert (order.state, loop.clocks(order, "resolve")[0].state) == ("suspended", "paused")
    loop.sweep(until + timedelta(minutes=1))
    loop.session.refresh(order)
    resumed = loop.clocks(order, "resolve")[0]
    assert (order.state, resumed.state) == ("processing", "running")
    assert due
    assert resumed.due_at == due + timedelta(days=1)


def test_an_extension_moves_the_due_once_and_keeps_the_original(loop: Loop, house: House) -> None:
    order = loop.dispatch()
    loop.act("zhou", order, "accept")
    first = order.due_at
    assert first
    later = first + timedelta(hours=24)
    loop.act("zhou", order, "extend", reason="第三方排期", due_at=later.isoformat())
    request = order_card(loop.session, SYSTEM, order.code, now=loop.now)["requests"][0]
    decide(loop.session, house.scope("lin"), order.code, request["id"], decision="approve", reason="同意", now=loop.now)
    loop.session.refresh(order)
    assert (order.due_at, order.original_due_at) == (later, first)
    with pytest.raises(Conflict, match="一次"):
        loop.act("zhou", order, "extend", reason="再来", due_at=(later + HOUR).isoformat())


def test_marks_fire_once_and_only_the_highest_is_told(loop: Loop) -> None:
    order = loop.dispatch()
    loop.act("zhou", order, "accept")
    resolve = loop.clocks(order, "resolve")[0]
    assert resolve.due_at
    loop.sweep(resolve.due_at + timedelta(days=3))
    fired = loop.session.exec(select(ClockMark).where(ClockMark.clock_id == resolve.id)).all()
    assert sorted(mark.level for mark in fired if mark.fired_at) == [50, 80, 100, 120]
    told = loop.session.exec(select(Notice).where(col(Notice.dedupe).startswith(f"mark:{resolve.id}:"))).all()
    assert {notice.topic for notice in told} == {"orders.mark.120"}
    steps = len(order_card(loop.session, SYSTEM, order.code, now=loop.now)["steps"])
    assert loop.sweep(resolve.due_at + timedelta(days=3)) == 0
    card = order_card(loop.session, SYSTEM, order.code, now=loop.now)
    assert len(card["steps"]) == steps
    assert card["supervised"] is True
    assert card["breached_at"] == resolve.due_at.isoformat()


def test_an_order_nobody_signs_for_counts_as_accepted_and_its_clock_ran_all_along(loop: Loop) -> None:
    order = loop.dispatch()
    due = order.due_at
    loop.sweep(loop.now + 3 * HOUR + timedelta(hours=2))
    loop.session.refresh(order)
    assert (order.state, order.due_at) == ("processing", due)
    assert loop.clocks(order, "accept")[0].state == "breached_met"


def test_yes_archives_and_the_issue_is_solved(loop: Loop) -> None:
    order = loop.confirmed()
    assert order.state == "callback"
    asked = loop.session.exec(select(FollowUp).where(FollowUp.order_id == order.id)).one()
    record_followup(loop.session, asked.id or 0, is_solved=True, score=5, now=loop.now)
    loop.session.refresh(order)
    loop.session.refresh(loop.issue)
    assert (order.state, loop.issue.state) == ("archived", "solved")
    planned = loop.session.exec(select(Effect.key).where(Effect.order_id == order.id)).all()
    assert set(planned) == {"success_rate", "csat"}


def test_no_begins_a_new_cycle_with_half_of_the_time(loop: Loop) -> None:
    order = loop.confirmed()
    asked = loop.session.exec(select(FollowUp).where(FollowUp.order_id == order.id)).one()
    record_followup(loop.session, asked.id or 0, is_solved=False, score=1, note="还是没到账", now=loop.now)
    loop.session.refresh(order)
    first, second = loop.clocks(order, "resolve")
    assert (order.state, order.cycle, loop.issue.state) == ("processing", 2, "dispatched")
    assert second.budget_seconds == pytest.approx(first.budget_seconds / 2)
    assert first.state == "met"


def test_when_the_callback_time_is_over_the_order_is_archived(loop: Loop) -> None:
    order = loop.confirmed()
    loop.sweep(loop.now + timedelta(days=3))
    loop.session.refresh(order)
    assert order.state == "archived"


def test_an_effect_without_numbers_claims_nothing(loop: Loop) -> None:
    order = loop.confirmed()
    loop.sweep(loop.now + timedelta(days=3))
    while measure_effect(loop.session, loop.now + timedelta(days=20)):
        pass
    verdicts = loop.session.exec(select(Effect.verdict).where(Effect.order_id == order.id)).all()
    assert set(verdicts) == {"undecidable"}


def test_history_and_state_agree_and_tampering_shows(loop: Loop) -> None:
    order = loop.replied()
    loop.now += HOUR
    loop.act("lin", order, "reject", reason="补充")
    assert list(verification.verify(loop.session)) == []
    order.state = "archived"
    loop.session.add(order)
    loop.session.flush()
    assert any(order.code in told for told in verification.verify(loop.session))
