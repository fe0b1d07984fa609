"""The page behind a receipt tells its author what became of the word, and nobody else."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from experience.issues.operations import IssueIn, mark_dispatched, mark_solved, raise_issue
from experience.orders import operations as orders
from experience.orders.tables import Effect, FollowUp, WorkOrder
from experience.organisation.permissions import SYSTEM, Scope
from experience.organisation.queries import scope_of
from experience.organisation.tables import Unit, User
from experience.voices.intake import VoiceIn
from experience.voices.operations import hear, moderate, read_now
from experience.voices.tables import Voice
from tests.experience.voices.conftest import Web


@pytest.fixture
def voice(rows: Session, now: datetime) -> Voice:
    text = "充值话费扣了钱不到账，电话13800138000"
    told = {"receipt": "of-chen", "province": "guangdong", "contact": "13800138000", "consent": True}
    made = hear(rows, SYSTEM, VoiceIn(text, "rant", is_for_board=True, **told), now=now)  # type: ignore[arg-type]
    rows.commit()
    return made


def page(web: Web, receipt: str = "of-chen") -> str:
    answer = web.client.get(f"/v/{receipt}")
    assert answer.status_code == 200
    return answer.text


def ordered(rows: Session, voice: Voice, now: datetime, **more: object) -> WorkOrder:
    issue = raise_issue(rows, SYSTEM, IssueIn("充值不到账", severity=2, voices=[voice.id or 0]), now=now)
    unit = rows.exec(select(Unit).where(Unit.code == "guangdong")).one()
    mark_dispatched(rows, SYSTEM, issue.id or 0, [unit.id or 0], now=now)
    told = {"state": "processing", "dispatched_at": now, "due_at": now + timedelta(days=2)} | more
    order = WorkOrder(
        code="G1", issue_id=issue.id, type="complaint", title="x", unit_id=unit.id, created_at=now, **told
    )
    rows.add(order)
    rows.commit()
    return order


def test_other_peoples_links_are_not_found(web: Web, voice: Voice) -> None:
    for guess in ("of-wang", voice.code, "x" * 300, "%00"):
        assert web.client.get(f"/v/{guess}").status_code == 404
        assert web.client.post(f"/v/{guess}/withdraw").status_code == 404


def test_the_page_is_not_kept_by_others(web: Web, voice: Voice) -> None:
    answer = web.client.get("/v/of-chen")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.text
    assert "Set-Cookie" not in answer.headers


def test_it_tells_that_it_was_heard_and_read(web: Web, rows: Session, voice: Voice, now: datetime) -> None:
    assert "我们收到了" in page(web)
    read_now(rows, [voice], now=now)
    rows.commit()
    told = page(web)
    assert "已经读过" in told
    assert "资费账单" in told
    assert "13800138000" not in told


def test_it_tells_who_works_on_it_until_when(web: Web, rows: Session, voice: Voice, now: datetime) -> None:
    ordered(rows, voice, now)
    told = page(web)
    assert "有人在办了" in told
    assert "广东公司" in told
    assert "11-25 10:00" in told


def test_a_candidate_is_not_told_of_yet(web: Web, rows: Session, voice: Voice, now: datetime) -> None:
    raise_issue(rows, SYSTEM, IssueIn("候选", severity=2, voices=[voice.id or 0], is_candidate=True), now=now)
    rows.commit()
    assert "W2026" not in page(web)


def test_the_question_waits_with_its_link(web: Web, rows: Session, voice: Voice, now: datetime) -> None:
    order = ordered(rows, voice, now, state="callback", submitted_at=now)
    rows.add(FollowUp(order_id=order.id, cycle=1, voice_id=voice.id, state="invited", created_at=now))
    rows.commit()
    told = page(web)
    assert "请您来评判" in told
    assert 'href="/s/again/of-chen"' in told


def test_the_outcome_comes_with_its_effect(web: Web, rows: Session, voice: Voice, now: datetime) -> None:
    order = ordered(
        rows, voice, now, state="archived", submitted_at=now, archived_at=now, reply_measure="扩容，补发 13900139000"
    )
    mark_solved(rows, SYSTEM, order.issue_id, now=now)
    series = [{"at": (now + timedelta(days=d)).isoformat(), "value": 0.7 if d < 0 else 0.95} for d in range(-5, 5)]
    rows.add(
        Effect(order_id=order.id, issue_id=order.issue_id, key="success_rate", touchpoint="web.recharge", split_at=now,
               due_at=now, measured_at=now, before_n=400, before_value=0.7, after_n=390, after_value=0.95,
               difference=0.25, low=0.2, high=0.3, verdict="better", series=series)
    )  # fmt: skip
    rows.commit()
    told = page(web)
    for words in ("这件事办完了", "改进成效", "70.0%", "95.0%", "有改善", '<path class="before"', "扩容", "其实没解决"):
        assert words in told
    assert "13900139000" not in told
    public = web.client.get("/rants/solved").text
    assert "95.0%" in public
    assert "13900139000" not in public


def test_the_author_takes_the_word_back(web: Web, rows: Session, voice: Voice) -> None:
    assert web.client.post("/v/of-chen/withdraw").status_code == 303
    rows.refresh(voice)
    assert (voice.board_state, voice.contact, voice.consent) == ("hidden", "", False)
    assert "不想公开了" not in page(web)


def test_the_official_answer_is_shown(web: Web, rows: Session, voice: Voice, now: datetime) -> None:
    moderate(rows, SYSTEM, voice.id or 0, state="declined", reply="该笔为跨省充值，需 24 小时到账", now=now)
    rows.commit()
    told = page(web)
    assert "暂不处理" in told
    assert "跨省充值" in told


def test_an_answer_nobody_asked_for_is_refused_kindly(web: Web, voice: Voice) -> None:
    for told in ({}, {"solved": "perhaps"}, {"solved": "yes"}, {"solved": "no", "note": "长" * 501}):
        answer = web.client.post("/v/of-chen/answer", data=told)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text


def confirmed(web: Web, rows: Session, voice: Voice, now: datetime) -> WorkOrder:
    """The order of the voice's issue, replied and confirmed: its author is to be asked."""

    def scope(login: str) -> Scope:
        return scope_of(rows, rows.exec(select(User).where(User.login == login)).one(), now)

    told = IssueIn("充值不到账", severity=2, touchpoint="web.recharge", province="guangdong", voices=[voice.id or 0])
    issue = raise_issue(rows, SYSTEM, told, now=now)
    asked = orders.DispatchIn(("guangdong",), "complaint", "请核查并联系客户")
    order = orders.dispatch(rows, scope("lin"), issue.id or 0, asked, now=now)
    reply = {"note": "回调超时", "cause": "system", "measure": "扩容队列", "contacted": True}
    acts: tuple[tuple[str, str, dict[str, object]], ...] = (
        ("zhou", "accept", {}),
        ("zhou", "submit", reply),
        ("approver", "approve_internal", {}),
        ("lin", "confirm", {"score": 90}),
    )
    for login, action, fields in acts:
        orders.act(rows, scope(login), order.code, orders.Act(action, None, fields), now=now)
    rows.commit()
    return order


def state(rows: Session, order: WorkOrder) -> str:
    rows.expire_all()
    return rows.get_one(WorkOrder, order.id).state


def test_not_solved_sends_it_back_to_be_done_again(web: Web, rows: Session, voice: Voice, now: datetime) -> None:
    order = confirmed(web, rows, voice, now)
    assert "请您来评判" in page(web)
    answer = web.client.post("/v/of-chen/answer", data={"solved": "no", "score": "1", "note": "钱还是没到"})
    assert answer.status_code == 303
    assert state(rows, order) == "processing"
    assert "已退回重办" in page(web)


def test_solved_archives_it_and_not_solved_after_all_reopens_it(
    web: Web, rows: Session, voice: Voice, now: datetime
) -> None:
    order = confirmed(web, rows, voice, now)
    assert web.client.post("/v/of-chen/answer", data={"solved": "yes", "score": "5"}).status_code == 303
    assert state(rows, order) == "archived"
    assert "这件事办完了" in page(web)
    assert "充值不到账" in web.client.get("/rants/solved").text
    again = web.client.post("/v/of-chen/answer", data={"solved": "no", "note": "又扣了一次"})
    assert again.status_code == 303
    assert state(rows, order) == "processing"
