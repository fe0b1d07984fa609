"""A work order through the pages: who comes second is told and keeps the text; only what may be done is offered."""

from datetime import timedelta

from sqlmodel import col, select

from experience.ground.store import transaction
from experience.issues import operations as issues
from experience.orders.tables import OrderStep, WorkOrder
from tests.experience.web.staff import Office, Staff

REPLY = {
    "cause": "system",
    "note": "第三方支付回调超时，扣款成功但未入账。",
    "measure": "已逐笔补入账并短信告知，回调改为异步重试。",
    "contacted": "y",
}


def raised(office: Office, title: str = "网厅充值扣款不到账") -> str:
    """The code of an open issue in Guangdong."""
    with transaction(office.engine) as session:
        lin = office_scope(office, "lin")
        told = issues.IssueIn(title=title, severity=2, touchpoint="web.recharge", province="guangdong")
        return issues.raise_issue(session, lin, told, now=office.now).code


def office_scope(office: Office, login: str):  # type: ignore[no-untyped-def]
    from experience.organisation import queries  # noqa: PLC0415
    from experience.organisation.tables import User  # noqa: PLC0415

    with transaction(office.engine) as session:
        user = session.exec(select(User).where(User.login == login)).one()
        return queries.scope_of(session, user, office.now)


def dispatched(office: Office) -> str:
    """The code of an order that Guangdong holds, dispatched on the issue's page."""
    issue = raised(office)
    answer = office.staff("lin").send(
        f"/issues/{issue}",
        f"/issues/{issue}/dispatch",
        units=["guangdong"],
        type="experience",
        instructions="请核查并联系客户",
    )
    assert answer.status_code == 303, answer.text
    return held_by_guangdong(office)


def held_by_guangdong(office: Office) -> str:
    with transaction(office.engine) as session:
        found = session.exec(select(WorkOrder).order_by(col(WorkOrder.level).desc(), col(WorkOrder.id).desc())).first()
        assert found is not None
        return found.code


def state_of(office: Office, code: str) -> str:
    with transaction(office.engine) as session:
        return session.exec(select(WorkOrder.state).where(WorkOrder.code == code)).one()


def act(staff: Staff, code: str, action: str, *, status: int = 303, **fields: str) -> str:
    page = f"/orders/{code}"
    version = staff.see(page).split('name="version" value="')[1].split('"')[0]
    answer = staff.send(page, f"{page}/act/{action}", version=version, **fields)
    assert answer.status_code == status, f"{action}: {answer.status_code} {answer.text[:3000]}"
    return answer.text


def test_an_order_travels_from_dispatch_to_confirmation_on_the_pages(office: Office) -> None:
    code = dispatched(office)
    zhou = office.staff("zhou")
    assert "新到待签收" in zhou.see("/desk")
    act(zhou, code, "accept")
    act(zhou, code, "reply", **REPLY)
    act(office.staff("approver"), code, "approve_internal")
    assert state_of(office, code) == "submitted"
    html = office.staff("lin").see(f"/orders/{code}")
    assert REPLY["measure"] in html
    act(office.staff("lin"), code, "confirm")
    assert state_of(office, code) in ("callback", "archived")


def test_an_order_of_another_province_is_not_found(office: Office) -> None:
    code = dispatched(office)
    office.staff("wang").see(f"/orders/{code}", status=404)
    assert code not in office.staff("wang").see("/orders")
    assert "手里没有工单" in office.staff("wang").see("/desk")


def test_who_comes_second_is_told_and_keeps_the_text(office: Office) -> None:
    code = dispatched(office)
    zhou = office.staff("zhou")
    act(zhou, code, "accept")
    page = f"/orders/{code}"
    answer = zhou.send(page, f"{page}/act/reply", version="1", **REPLY)
    assert answer.status_code == 409
    assert "有人先您一步" in answer.text
    assert REPLY["measure"] in answer.text


def test_a_reply_without_its_evidence_is_refused_beside_the_field(office: Office) -> None:
    code = dispatched(office)
    zhou = office.staff("zhou")
    act(zhou, code, "accept")
    html = act(zhou, code, "reply", status=422, cause="system", note="查了", measure="")
    assert "请写明做了什么" in html
    assert "查了" in html
    assert state_of(office, code) == "processing"


def test_a_form_sent_twice_acts_once(office: Office) -> None:
    code = dispatched(office)
    zhou = office.staff("zhou")
    html = zhou.see(f"/orders/{code}")
    form = {
        "csrf_token": html.split('name="csrf_token" value="')[1].split('"')[0],
        "version": html.split('name="version" value="')[1].split('"')[0],
        "form_token": "once",
    }
    answers = [zhou.client.post(f"/orders/{code}/act/accept", data=form) for _ in range(2)]
    assert [a.status_code for a in answers] == [303, 303]
    with transaction(office.engine) as session:
        steps = session.exec(
            select(OrderStep).join(WorkOrder).where(WorkOrder.code == code, OrderStep.action == "accept")
        ).all()
    assert len(steps) == 1


def test_only_what_may_be_done_now_is_offered(office: Office) -> None:
    code = dispatched(office)
    html = office.staff("zhou").see(f"/orders/{code}")
    assert f"/orders/{code}/act/accept" in html
    assert f"/orders/{code}/act/confirm" not in html
    assert "/act/accept" not in office.staff("viewer").see(f"/orders/{code}")


def test_the_clocks_stand_before_the_history(office: Office) -> None:
    html = office.staff("zhou").see(f"/orders/{dispatched(office)}")
    assert html.index("card-body clocks") < html.index("办理过程")


def test_a_bulk_act_says_for_each_order_what_became_of_it(office: Office) -> None:
    code = dispatched(office)
    zhou = office.staff("zhou")
    answer = zhou.send("/orders", "/orders/bulk", action="accept", order=[code, "G19990101-0001"])
    assert answer.status_code == 200
    assert answer.text.count("tag-good") == 1
    assert answer.text.count("tag-bad") == 1
    assert state_of(office, code) == "processing"


def test_a_dispatch_without_instructions_keeps_the_chosen_units(office: Office) -> None:
    issue = raised(office)
    page = f"/issues/{issue}"
    answer = office.staff("lin").send(page, f"{page}/dispatch", units=["hunan"], type="experience", instructions="")
    assert answer.status_code == 422
    assert 'value="hunan" checked' in answer.text


def test_markup_in_a_title_or_a_reply_never_runs(office: Office) -> None:
    issue = raised(office, "<script>alert(1)</script>充值")
    html = office.staff("lin").see(f"/issues/{issue}")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_the_desk_groups_orders_by_what_they_need(office: Office) -> None:
    code = dispatched(office)
    zhou = office.staff("zhou")
    act(zhou, code, "accept")
    html = zhou.see("/desk")
    assert f'id="o-{code}"' in html
    assert "回单" in html
    assert "核查情况" in zhou.see(f"/desk/{code}/reply")


def test_the_desk_offers_no_reply_while_a_child_order_is_open(office: Office) -> None:
    code = dispatched(office)
    zhou = office.staff("zhou")
    act(zhou, code, "accept")
    assert f"/desk/{code}/reply" in zhou.see("/desk")
    act(zhou, code, "dispatch", unit="guangdong.network", instructions="请复现并修复")
    html = zhou.see("/desk")
    assert f"/desk/{code}/reply" not in html
    assert "等 1 个子单" in html


def test_supervision_shows_who_holds_what_is_late(office: Office) -> None:
    code = dispatched(office)
    office.now += timedelta(days=30)
    html = office.staff("leader").see("/supervision")
    assert code in html
    assert "已超时" in html


def test_strange_filters_and_cursors_never_break_the_list(office: Office) -> None:
    lin = office.staff("lin")
    for query in ("?state=x", "?unit=%27", "?age=99", "?flag=x", "?q=%25_%5C", "?sort=x", "?age=%C2%B2"):
        lin.see("/orders" + query)
    lin.see("/orders?cursor=x", status=422)
    lin.see("/orders?cursor=2026-01-01T00%3A00%3A00_1", status=422)
