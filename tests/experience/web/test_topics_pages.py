"""The pages of topics: every number opens its list, a province sees its own, files hold what is shown."""

import csv
import io
import re
from datetime import timedelta
from html import unescape

from openpyxl import load_workbook

from experience.ground.store import transaction
from experience.issues import operations as issues
from experience.organisation.permissions import SYSTEM
from experience.voices import operations
from experience.voices.intake import VoiceIn
from tests.experience.web.staff import Office

_CELL = re.compile(r'<td class="num heat[^>]*><a href="([^"]+)"[^>]*>(?:<i .*?</i>)?([\d,]+)</a>')
_TOTAL = re.compile(r'data-total="(\d+)"')


def fill(office: Office) -> None:
    """Billing in Guangdong (twice a day for ten days, the same words), the store in Hunan once a day."""
    with transaction(office.engine) as session:
        said = []
        for day in range(10):
            at = office.now - timedelta(days=day)
            for text, province, touchpoint in (
                ("充值话费扣了钱不到账，太失望了", "guangdong", "web.recharge"),
                ("充值话费扣了钱不到账，太失望了", "guangdong", "web.recharge"),
                ("营业厅排队太久没人管", "hunan", ""),
            ):
                told = VoiceIn(text, "hotline", province=province, touchpoint=touchpoint, at=at)
                said.append(operations.hear(session, SYSTEM, told, now=office.now))
        operations.read_now(session, said, now=office.now)


def cells(html: str) -> list[tuple[str, int]]:
    return [(unescape(link), int(n.replace(",", ""))) for link, n in _CELL.findall(html)]


def test_every_cell_opens_the_list_that_makes_it(office: Office) -> None:
    fill(office)
    lin = office.staff("lin")
    for by in ("province", "touchpoint", "product", "source", "week"):
        found = cells(lin.see(f"/topics?days=7&by={by}"))
        assert found, by
        for link, n in found:
            total = _TOTAL.search(lin.see(link))
            assert total is not None
            assert int(total[1]) == n, f"{by} {link}"


def test_the_map_tells_volume_different_texts_and_the_negative_share(office: Office) -> None:
    fill(office)
    html = office.staff("lin").see("/topics?days=7")
    assert re.search(r'<a href="/voices\?[^"]*topic=billing">14</a>', html)
    assert "95% 区间" in html
    assert 'data-picture="map-data"' in html


def test_filters_narrow_and_are_kept_in_the_links(office: Office) -> None:
    fill(office)
    html = office.staff("lin").see("/topics?days=7&province=hunan")
    assert "营业厅" in html
    assert all("province=hunan" in link for link, _ in cells(html))
    assert "这段时间没有客户原声" in office.staff("lin").see("/topics?province=beijing")


def test_a_province_sees_its_own_only(office: Office) -> None:
    fill(office)
    wang = office.staff("wang")
    assert {n for _, n in cells(wang.see("/topics?days=7"))} == {7}
    assert "topic=billing" not in wang.see("/topics?days=7")
    assert "这段时间没有人说到这个主题" in wang.see("/topics/billing")
    assert "不到账" not in wang.see("/topics/billing")


def test_a_topic_shows_its_days_parts_words_and_voices(office: Office) -> None:
    fill(office)
    html = office.staff("lin").see("/topics/billing?days=7")
    assert 'data-picture="volume-data"' in html
    assert "以表格查看" in html
    assert html.count('<div class="voice-line">') == 1  # the same words are shown once
    assert "充值" in html
    office.staff("lin").see("/topics/nothing", status=404)


def test_strange_days_and_places_are_left_aside(office: Office) -> None:
    fill(office)
    lin = office.staff("lin")
    for query in (
        "days=x",
        "from=2026-13-40",
        "from=0001-01-01",
        "from=2999-01-01&to=1999-01-01",
        "by=x",
        "unit=nowhere",
    ):
        lin.see(f"/topics?{query}")
        lin.see(f"/topics/billing?{query}")


def test_files_hold_what_is_shown(office: Office) -> None:
    fill(office)
    client = office.staff("lin").client
    table = list(csv.reader(io.StringIO(client.get("/topics/export.csv?days=7").text.removeprefix("\ufeff"))))
    assert table[0] == ["主题"]
    assert table[2][:3] == ["资费账单", "14", "7"]
    assert ["广东", "14", "14", "0"] in table
    book = load_workbook(io.BytesIO(client.get("/topics/export.xlsx?days=7").data))
    assert book.sheetnames == ["主题", "主题分布"]
    assert [cell.value for cell in book["主题"][2]][:3] == ["资费账单", 14, 7]
    book = load_workbook(io.BytesIO(client.get("/topics/billing/export.xlsx?days=7").data))
    assert book["每日"].max_row == 8


def test_a_title_being_typed_is_answered_with_open_issues(office: Office) -> None:
    with transaction(office.engine) as session:
        issues.raise_issue(session, SYSTEM, issues.IssueIn("网厅充值扣款不到账", 3), now=office.now)
        while issues.word_next(session, office.now):
            pass
    html = office.staff("lin").see("/issues/alike?title=充值扣款没到账")
    assert "网厅充值扣款不到账" in html
    assert 'name="into"' in html
    assert office.staff("lin").see("/issues/alike?title=").strip() == ""


def test_an_issue_shows_what_mended_similar_ones(office: Office) -> None:
    with transaction(office.engine) as session:
        past = issues.raise_issue(session, SYSTEM, issues.IssueIn("电子发票收不到邮件", 3), now=office.now)
        issues.solve(session, SYSTEM, past.code, "更换邮件网关", now=office.now)
        issue = issues.raise_issue(session, SYSTEM, issues.IssueIn("开电子发票邮件收不到", 3), now=office.now)
        while issues.word_next(session, office.now):
            pass
    html = office.staff("lin").see(f"/issues/{issue.code}")
    assert "以往类似问题" in html
    assert "更换邮件网关" in html
