"""Calendars and policies through their pages: refusals where they belong, nothing for a province, the try-out."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from experience.audit.tables import AuditLine
from experience.ground.store import transaction
from experience.issues.operations import IssueIn, raise_issue
from experience.orders import deadline, workdays
from experience.orders.operations import DispatchIn, dispatch
from experience.orders.queries import calendars
from experience.orders.tables import Calendar, CalendarDay, Policy
from experience.organisation.operations import UserIn, ensure_user
from experience.organisation.permissions import SYSTEM
from tests.experience.web.staff import Office, Staff
from tests.people import PASSWORD_HASH

OFFICE = "/admin/calendars/cn-office"
DEFAULT = "/admin/policies/default"
NEW: dict[str, Any] = {
    "version": "0", "code": "key-complaint", "name": "关键触点投诉", "position": "15", "type": "complaint",
    "key": "yes", "clock-accept": "1", "unit-accept": "wh", "clock-resolve": "24", "unit-resolve": "nh",
    "clock-statutory": "15", "unit-statutory": "nd",
}  # fmt: skip


REFUSED_DAYS: tuple[tuple[dict[str, str], str], ...] = (
    ({"first": "2026-11-23", "kind": "holiday"}, "只能改明天起、三年以内的日子"),
    ({"first": "", "kind": "holiday"}, "请填日期"),
    ({"first": "2027-02-05", "last": "2027-02-01", "kind": "holiday"}, "到哪一天要不早于从哪一天"),
    ({"first": "2027-02-05", "kind": "custom", "spans": "上午"}, "时段看不懂"),
    ({"first": "2027-02-05", "kind": "custom"}, "请写上班时段"),
    ({"first": "2027-02-05"}, "请选择放假、调休上班或自定时段"),
)
REFUSED_POLICIES: tuple[tuple[dict[str, str], str], ...] = (
    ({"code": "Key!"}, "代码用小写英文字母"),
    ({"code": "new"}, "代码用小写英文字母"),
    ({"name": " "}, "请填名称"),
    ({"position": "soon"}, "顺序填 1 到"),
    ({"position": "1000"}, "顺序要小于兜底策略的 1000"),
    ({"position": "30"}, "前面的“投诉”已经包含这些条件"),
    ({"type": "", "key": ""}, "请至少选一个条件"),
    ({"clock-accept": "soon"}, "请填大于 0 的数字"),
    ({"clock-resolve": ""}, "这一项必须有时限"),
    ({"clock-accept": "30", "unit-accept": "nh"}, "比办结时限还长"),
    ({"clock-statutory": "15", "unit-statutory": "wd"}, "法定答复按自然时间计"),
    ({"clock-statutory": ""}, "投诉和重大事件要有法定答复时限"),
)
REFUSED_TRIES: tuple[tuple[dict[str, str], str], ...] = (
    ({"amount": "x"}, "请填大于 0 的数字"),
    ({"amount": "1.5", "unit": "wd"}, "请填大于 0 的数字，例如 8；按天的要是整数"),
    ({"amount": "8", "at": "昨天"}, "请填起算时刻"),
    ({"amount": "8", "at": "9999-12-31T00:00"}, "请填起算时刻"),
    ({"amount": "100000"}, "三十年内都走不完"),
    ({"amount": "8", "calendar": "nowhere"}, "没有工作日历 nowhere"),
)


@pytest.fixture(autouse=True)
def _fresh_calendars() -> None:
    calendars.forget()


@pytest.fixture
def boss(office: Office) -> Staff:
    return office.staff("admin")


def _is_at_its_field(html: str, sentence: str) -> bool:
    return re.search(rf'<div class="field-error">[^<]*{sentence}', html) is not None


def _row(office: Office, table: Any, key: Any) -> Any:
    with Session(office.engine) as session:
        return session.get(table, key)


def _limits(**changed: str) -> dict[str, str]:
    fields = {"version": "1", "name": "体验问题", "position": "1000"}
    for kind, limit in ({"accept": "4wh", "contact": "1wd", "resolve": "5wd"} | changed).items():
        fields |= {f"clock-{kind}": limit[:-2], f"unit-{kind}": limit[-2:]}
    return fields


def test_the_list_raises_the_alarm_when_sixty_days_are_not_covered(office: Office, boss: Staff) -> None:
    html = boss.see("/admin/calendars")
    assert "2026-12-31" in html
    assert "不够 60 天" in html
    assert "周一至周五" in html
    boss.send(OFFICE, f"{OFFICE}/coverage", until="2027-12-31")
    assert "不够 60 天" not in boss.see("/admin/calendars")


def test_a_year_shows_each_kind_of_day_and_only_days_to_come_can_be_chosen(boss: Staff) -> None:
    html = boss.see(f"{OFFICE}?year=2026")
    assert len(re.findall(r'class="month" id=', html)) == 12
    assert 'class="day-holiday" title="放假">1<' in html  # the first of January, gone by
    assert 'class="day-makeup" title="调休上班">' in html
    assert "day=2026-11-24#day" in html
    assert "day=2026-11-23#day" not in html
    assert "is-unknown" in boss.see(f"{OFFICE}?year=2027")


def test_an_address_nobody_would_type_opens_all_the_same(boss: Staff) -> None:
    for query in ("?year=99999", "?year=x", "?day=2026-02-30", "?day=1999-01-01&year=0"):
        boss.see(OFFICE + query)


def test_a_chosen_day_says_which_clocks_keep_their_promise(office: Office, boss: Staff) -> None:
    assert "没有正在计时的时限经过这一天" in boss.see(f"{OFFICE}?day=2026-11-24")
    with transaction(office.engine) as session:
        issue = raise_issue(session, SYSTEM, IssueIn("充值不到账", province="guangdong"), now=office.now)
        told = DispatchIn(("guangdong",), "experience", "请核查")
        code = dispatch(session, SYSTEM, issue.id or 0, told, now=office.now).code
    html = boss.see(f"{OFFICE}?day=2026-11-24")
    assert "有 2 个正在计时的时限会经过这一天：它们保持原来的到期时刻" in html
    assert code in html


def test_days_are_added_changed_and_taken_away_once_and_audited(office: Office, boss: Staff) -> None:
    fields = {"first": "2027-02-05", "last": "2027-02-07", "kind": "holiday", "spans": "", "form_token": "one-sending"}
    for _ in range(2):
        assert boss.send(OFFICE, f"{OFFICE}/days", **fields).status_code == 303
    boss.send(OFFICE, f"{OFFICE}/days", first="2027-02-07", kind="custom", spans="10:00–12:00，14：00至16：00")
    assert _row(office, CalendarDay, ("cn-office", date(2027, 2, 5))).kind == "holiday"
    assert _row(office, CalendarDay, ("cn-office", date(2027, 2, 7))).spans == [["10:00", "12:00"], ["14:00", "16:00"]]
    assert boss.send(OFFICE, f"{OFFICE}/clear", first="2027-02-05").status_code == 303
    assert _row(office, CalendarDay, ("cn-office", date(2027, 2, 5))) is None
    with Session(office.engine) as session:
        lines = session.exec(select(AuditLine).where(AuditLine.subject_kind == "calendar")).all()
    assert [len(line.detail["days"]) for line in lines] == [3, 1, 1]


def test_a_refused_day_is_told_at_its_field_and_keeps_what_was_typed(boss: Staff) -> None:
    for fields, sentence in REFUSED_DAYS:
        answer = boss.send(OFFICE, f"{OFFICE}/days", **fields)
        assert answer.status_code == 422
        assert _is_at_its_field(answer.text, sentence)
        assert f'value="{fields["first"]}"' in answer.text


def test_what_is_not_there_is_not_found(boss: Staff) -> None:
    boss.see("/admin/calendars/nowhere", status=404)
    boss.see("/admin/policies/nowhere", status=404)
    assert boss.send(OFFICE, "/admin/calendars/nowhere/days", first="2027-01-01", kind="holiday").status_code == 404
    assert boss.send(OFFICE, f"{OFFICE}/clear", first="2027-05-20").status_code == 404
    assert boss.send(DEFAULT, "/admin/policies/nowhere", **_limits()).status_code == 404


def test_an_administrator_of_a_province_sees_and_changes_nothing(office: Office, boss: Staff) -> None:
    with transaction(office.engine) as session:
        told = UserIn("gd", "粤管", (("guangdong", "admin"),), password_hash=PASSWORD_HASH)
        ensure_user(session, told, now=office.now)
    local = office.staff("gd")
    for path in ("/admin/calendars", OFFICE, "/admin/policies", "/admin/policies/new", DEFAULT):
        local.see(path, status=403)
    days = {"first": "2027-02-05", "kind": "holiday"}
    assert local.send("/admin", f"{OFFICE}/days", **days).status_code == 403
    assert local.send("/admin", f"{OFFICE}/clear", first="2026-12-31").status_code == 403
    assert local.send("/admin", f"{OFFICE}/coverage", until="2027-12-31").status_code == 403
    assert local.send("/admin", DEFAULT, **_limits()).status_code == 403
    assert local.send("/admin", "/admin/policies", **NEW).status_code == 403
    assert "/admin/calendars" not in local.see("/admin")
    assert "/admin/calendars" in boss.see("/admin")
    assert _row(office, Calendar, "cn-office").covered_until == date(2026, 12, 31)


def test_a_form_without_its_token_changes_nothing(boss: Staff) -> None:
    answer = boss.client.post(f"{OFFICE}/days", data={"first": "2027-02-05", "kind": "holiday"})
    assert answer.status_code == 400


def test_the_list_shows_policies_in_the_order_in_which_they_match(boss: Staff) -> None:
    html = boss.see("/admin/policies")
    places = [html.index(f'href="/admin/policies/{code}"') for code in ("major", "complaint", "suggestion", "default")]
    assert places == sorted(places)
    assert "48 小时" in html


def test_a_changed_policy_is_a_new_version_with_its_history(office: Office, boss: Staff) -> None:
    assert boss.send(DEFAULT, DEFAULT, **_limits(resolve="3wd")).status_code == 303
    row = _row(office, Policy, "default")
    assert (row.version, row.clocks["resolve"], row.position) == (2, "3wd", 1000)
    assert "5 个工作日 → 3 个工作日" in boss.see(DEFAULT)
    assert boss.send(DEFAULT, DEFAULT, **_limits(resolve="4wd")).status_code == 409


def test_a_new_policy_is_asked_in_its_place(office: Office, boss: Staff) -> None:
    assert boss.send("/admin/policies/new", "/admin/policies", **NEW).status_code == 303
    row = _row(office, Policy, "key-complaint")
    assert (row.match, row.clocks) == (
        {"type": "complaint", "key": True},
        {"accept": "1wh", "resolve": "24nh", "statutory": "15nd"},
    )
    again = boss.send("/admin/policies/new", "/admin/policies", **NEW)
    assert again.status_code == 422
    assert "已经有了" in again.text


def test_a_refused_policy_is_told_at_its_field(boss: Staff) -> None:
    for fields, sentence in REFUSED_POLICIES:
        answer = boss.send("/admin/policies/new", "/admin/policies", **NEW | fields)
        assert answer.status_code == 422
        assert _is_at_its_field(answer.text, sentence)


def test_the_try_out_says_what_the_deadline_rules_say(boss: Staff) -> None:
    start = datetime(2026, 9, 30, 16, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
    for limit in ("8wh", "3wd", "48nh", "15nd", "0.5wh", "200wd"):
        asked = {"at": "2026-09-30T16:20", "amount": limit[:-2], "unit": limit[-2:], "calendar": "cn-office"}
        html = boss.see("/admin/policies?" + urlencode(asked))
        found = deadline.calculate(start, limit, workdays.office())
        assert f'<time datetime="{found["due"]}">' in html
        shown = dict(re.findall(r"<b>(\d+)%</b><span>([^<]+)</span>", html))
        expected = {**found["marks"], "100": found["due"]}
        assert shown == {level: at[:16].replace("T", " ") for level, at in expected.items()}
        assert ("暂定" in html) == found["provisional"]


def test_a_try_out_that_cannot_be_is_told_at_its_field(boss: Staff) -> None:
    for asked, sentence in REFUSED_TRIES:
        assert _is_at_its_field(boss.see("/admin/policies?" + urlencode(asked)), sentence)


def test_the_marks_of_a_try_out_never_go_back(boss: Staff, office: Office) -> None:
    at = (office.now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    html = boss.see("/admin/policies?" + urlencode({"at": at, "amount": "2", "unit": "wd"}))
    marks = re.findall(r"<b>\d+%</b><span>([^<]+)</span>", html)
    assert len(marks) == 4
    assert marks == sorted(marks)
