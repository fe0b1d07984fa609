"""Where the loop's rules meet: third-level reopening, statutory time, merging, numbering, extensions into the night."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from experience.ground.errors import Conflict, Invalid
from experience.notices.tables import Notice
from experience.orders import verification
from experience.orders.operations import act, decide, record_followup
from experience.orders.operations.acting import Act
from experience.orders.operations.dispatching import next_code
from experience.orders.queries import OrderFilter, order_card, orders
from experience.orders.tables import FollowUp, WorkOrder
from experience.organisation.permissions import SYSTEM
from tests.experience.orders.test_loop import HOUR, REPLY, Loop, issue, loop  # noqa: F401 - fixtures
from tests.people import House


def agrees(session: Session) -> None:
    session.flush()
    session.expire_all()
    assert list(verification.verify(session)) == []


def helped(loop: Loop) -> tuple[WorkOrder, WorkOrder]:  # noqa: F811
    """A province's order and the department's ended one under it."""
    order = loop.dispatch()
    loop.act("zhou", order, "accept")
    loop.act("zhou", order, "dispatch", unit="guangdong.network", instructions="查日志")
    child = loop.session.exec(select(WorkOrder).where(WorkOrder.parent_id == order.id)).one()
    loop.act("he", child, "accept")
    loop.act("he", child, "reply", **REPLY)
    loop.act("zhou", child, "confirm")
    return order, child


def test_a_department_is_asked_again_only_while_its_province_works_on_it(loop: Loop) -> None:  # noqa: F811
    order, child = helped(loop)
    loop.act("zhou", child, "reopen", reason="漏了一处")
    loop.act("he", child, "reply", **REPLY)
    loop.act("zhou", child, "confirm")
    loop.act("zhou", order, "submit", **REPLY)
    with pytest.raises(Conflict, match="上级工单"):
        loop.act("zhou", child, "reopen", reason="又漏一处")
    assert "reopen" not in order_card(loop.session, loop.house.scope("zhou"), child.code, now=loop.now)["allowed"]


def test_the_law_is_met_when_the_customer_is_answered(loop: Loop) -> None:  # noqa: F811
    order = loop.confirmed()
    answered = loop.now
    loop.sweep(loop.now + timedelta(days=3))
    statutory = loop.clocks(order, "statutory")[0]
    assert (statutory.state, statutory.met_at) == ("met", answered)


def test_an_answer_without_contact_does_not_meet_the_law(loop: Loop) -> None:  # noqa: F811
    order = loop.dispatch()
    loop.act("zhou", order, "accept")
    loop.act("zhou", order, "submit", **{**REPLY, "contacted": False})
    loop.act("approver", order, "approve_internal")
    assert loop.clocks(order, "statutory")[0].state == "running"


@pytest.mark.parametrize("again", ["reject", "reopen"])
def test_the_statutory_clock_runs_on_as_if_it_had_never_stopped(loop: Loop, again: str) -> None:  # noqa: F811
    order = loop.confirmed() if again == "reopen" else loop.replied()
    due = loop.clocks(order, "statutory")[0].due_at
    if again == "reopen":
        loop.sweep(loop.now + timedelta(days=3))
        loop.session.refresh(order)
        loop.now += timedelta(days=4)
    loop.now += HOUR
    loop.act("lin", order, again, reason="没有解决")
    [statutory] = loop.clocks(order, "statutory")
    assert (statutory.state, statutory.met_at, statutory.due_at) == ("running", None, due)
    agrees(loop.session)


def test_a_merged_order_leaves_its_earlier_due_and_statutory_start(loop: Loop) -> None:  # noqa: F811
    gone = loop.dispatch()
    loop.now += HOUR
    stays = loop.dispatch()
    first = gone.due_at
    loop.act("lin", gone, "merge", into=stays.code)
    loop.session.refresh(stays)
    assert (gone.state, stays.due_at, loop.clocks(stays, "resolve")[0].due_at) == ("merged", first, first)
    assert loop.clocks(stays, "statutory")[-1].started_at <= loop.clocks(gone, "statutory")[0].started_at
    agrees(loop.session)


def test_the_ten_thousandth_order_of_a_day_gets_a_number(loop: Loop) -> None:  # noqa: F811
    one, other = loop.dispatch(), loop.dispatch()
    one.code = "G20261123-9999"
    loop.session.add(one)
    loop.session.flush()
    assert next_code(loop.session, loop.now) == "G20261123-10000"
    other.code = "G20261123-10000"
    loop.session.add(other)
    loop.session.flush()
    assert next_code(loop.session, loop.now) == "G20261123-10001"


def test_an_order_that_takes_over_a_late_one_at_night_is_late_since_the_working_day_ended(loop: Loop) -> None:  # noqa: F811
    gone, stays = loop.dispatch(kind="experience"), loop.dispatch(kind="experience")
    for order in (gone, stays):
        loop.act("zhou", order, "accept")
    late = gone.due_at
    assert late
    new = (late + timedelta(days=2)).isoformat()
    loop.act("zhou", stays, "extend", reason="等排期", due_at=new)
    request = order_card(loop.session, SYSTEM, stays.code, now=loop.now)["requests"][0]
    lin = loop.house.scope("lin")
    decide(loop.session, lin, stays.code, request["id"], decision="approve", reason="同意", now=loop.now)
    loop.now = late + timedelta(hours=9)
    loop.act("lin", gone, "merge", into=stays.code)
    loop.session.refresh(stays)
    assert stays.due_at == loop.clocks(stays, "resolve")[0].due_at == late
    agrees(loop.session)


def test_an_answer_refused_after_its_legal_due_leaves_that_due(loop: Loop) -> None:  # noqa: F811
    order = loop.dispatch()
    loop.act("zhou", order, "accept")
    due = loop.clocks(order, "statutory")[0].due_at
    assert due
    loop.now = due + timedelta(days=2)
    loop.act("zhou", order, "submit", **REPLY)
    loop.act("approver", order, "approve_internal")
    loop.act("lin", order, "reject", reason="没有回访")
    statutory = loop.clocks(order, "statutory")[0]
    assert (statutory.state, statutory.due_at) == ("running", due)
    agrees(loop.session)


def test_an_escalated_order_goes_up_a_level_and_those_who_work_it_hear_of_it(loop: Loop) -> None:  # noqa: F811
    order = loop.dispatch()
    before = order.priority
    loop.act("leader", order, "escalate", reason="用户多次反映")
    assert (order.escalation_level, order.priority, order.state) == (1, before + 1, "dispatched")
    told = loop.session.exec(select(Notice.topic).where(Notice.topic == "orders.escalate")).all()
    assert told


def test_a_working_clock_extended_into_the_night_ends_with_the_day(loop: Loop, house: House) -> None:  # noqa: F811
    order = loop.dispatch(kind="experience")
    loop.act("zhou", order, "accept")
    first = order.due_at
    assert first
    with pytest.raises(Invalid, match="晚于"):
        loop.act("zhou", order, "extend", reason="等排期", due_at=(first + 5 * HOUR).isoformat())
    into_the_night = (first + timedelta(days=1, hours=5)).isoformat()
    loop.act("zhou", order, "extend", reason="等排期", due_at=into_the_night)
    request = order_card(loop.session, SYSTEM, order.code, now=loop.now)["requests"][0]
    decide(loop.session, house.scope("lin"), order.code, request["id"], decision="approve", reason="同意", now=loop.now)
    loop.session.refresh(order)
    assert order.due_at == first + timedelta(days=1)
    agrees(loop.session)


def test_three_tries_are_counted_in_each_cycle(loop: Loop) -> None:  # noqa: F811
    order = loop.confirmed()
    loop.act("callback", order, "callback", result="unreachable")
    loop.act("callback", order, "callback", result="unreachable")
    loop.act("callback", order, "callback", result="dissatisfied", responsible=True)
    loop.act("zhou", order, "submit", **REPLY)
    loop.act("approver", order, "approve_internal")
    loop.act("lin", order, "confirm")
    for state in ("callback", "callback", "archived"):
        loop.act("callback", order, "callback", result="unreachable")
        assert order.state == state


def test_a_no_long_after_the_end_is_kept_and_begins_nothing(loop: Loop) -> None:  # noqa: F811
    order = loop.confirmed()
    asked = loop.session.exec(select(FollowUp).where(FollowUp.order_id == order.id)).one()
    loop.act("callback", order, "callback", result="satisfied")
    later = loop.now + timedelta(days=31)
    record_followup(loop.session, asked.id or 0, is_solved=False, score=1, now=later)
    loop.session.refresh(order)
    assert (order.state, order.cycle, asked.state) == ("archived", 1, "answered")


def test_urging_again_waits_for_working_hours(loop: Loop) -> None:  # noqa: F811
    order = loop.dispatch(kind="suggestion")
    loop.act("lin", order, "urge")
    loop.now += 3 * HOUR
    with pytest.raises(Conflict, match="催办"):
        loop.act("lin", order, "urge")
    loop.now += 3 * HOUR
    loop.act("lin", order, "urge")
    assert order.urge_count == 2


def test_what_is_not_late_and_what_is_make_everything(loop: Loop) -> None:  # noqa: F811
    main = loop.dispatch("guangdong", "migu", kind="experience")
    main.due_at = None
    loop.session.add(main)
    loop.session.flush()
    later = loop.now + timedelta(days=30)
    late, fine, everything = (
        {one["code"] for one in orders(loop.session, SYSTEM, OrderFilter(is_overdue=wanted), now=later)}
        for wanted in (True, False, None)
    )
    assert late | fine == everything
    assert not late & fine
    assert main.code in fine


def test_a_cancelled_main_order_takes_its_unopened_children_along(loop: Loop) -> None:  # noqa: F811
    main = loop.dispatch("guangdong", "migu", kind="experience")
    act(loop.session, loop.house.scope("lin"), main.code, Act("cancel", None, {"reason": "重复"}), now=loop.now)
    states = loop.session.exec(select(WorkOrder.state).where(WorkOrder.issue_id == loop.issue.id)).all()
    assert set(states) == {"cancelled"}
    agrees(loop.session)


@pytest.mark.parametrize(
    ("due_at", "said"),
    [
        ("9999-12-31T23:59:59-12:00", "时区"),
        ("0001-01-01T00:00:00+12:00", "时区"),
        ("9999-01-01T00:00:00+08:00", "一倍"),
        ("2066-01-01T00:00:00+08:00", "一倍"),
    ],
)
def test_an_extension_beyond_all_calendars_is_refused_in_words(loop: Loop, due_at: str, said: str) -> None:  # noqa: F811
    order = loop.dispatch(kind="experience")
    loop.act("zhou", order, "accept")
    with pytest.raises(Invalid, match=said):
        loop.act("zhou", order, "extend", reason="等排期", due_at=due_at)
