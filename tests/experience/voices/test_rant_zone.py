"""The rant zone hears, shows, counts and thanks: no cookie, no login, no script needed, nothing executed."""

import gzip
import re
from datetime import datetime
from html.parser import HTMLParser

import pytest
from sqlmodel import Session, select

from experience.organisation.permissions import SYSTEM
from experience.voices.intake import VoiceIn
from experience.voices.operations import hear, read_next
from experience.voices.tables import Voice, Vote
from tests.experience.voices.conftest import Web

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><svg/onload=alert(1)>",
    "{{ 7*7 }} {% raw %}",
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)//[x](javascript:alert(1))",
    "</script><!--<script>alert(1)",
    "＜script＞alert(1)＜/script＞ &lt;script&gt;",
    "' onfocus='alert(1)' autofocus='",
)


def form_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found
    return found[1]


def say(web: Web, text: str, path: str = "/rants", **more: str) -> "tuple[int, str]":
    token = form_of(web.client.get(path).text)
    answer = web.client.post(path, data={"token": token, "text": text, **more})
    return answer.status_code, answer.headers.get("Location", "") or answer.text


class Reader(HTMLParser):
    """Collects what a browser would execute."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "script" and not str(told.get("src")).startswith("/static/"):
            self.found.append(tag)
        if tag in ("img", "iframe", "object", "embed"):
            self.found.append(tag)
        self.found += [name for name in told if name.startswith("on") or name == "autofocus"]
        self.found += [told[name] or "" for name in ("href", "src", "action") if "script:" in (told.get(name) or "")]


def active(page: str) -> list[str]:
    reader = Reader()
    reader.feed(page)
    return reader.found


def test_a_rant_is_heard_and_its_author_gets_a_link(web: Web, rows: Session) -> None:
    status, where = say(web, "充值扣了钱不到账", mood="1", touchpoint="web.recharge")
    assert status == 303
    assert web.client.get(where).status_code == 200
    voice = rows.exec(select(Voice)).one()
    assert (voice.source, voice.mood, voice.touchpoint, voice.board_state) == ("rant", 1, "web.recharge", "received")


def test_the_same_form_twice_is_one_rant_and_other_words_are_another(web: Web, rows: Session) -> None:
    token = form_of(web.client.get("/rants").text)
    where = [
        web.client.post("/rants", data={"token": token, "text": text}).headers["Location"]
        for text in ("慢死了吧", "慢死了吧", "其实是贵")
    ]
    assert where[0] == where[1] != where[2]
    assert len(rows.exec(select(Voice)).all()) == 2


def test_how_to_reach_the_author_is_kept_with_consent_only(web: Web, rows: Session) -> None:
    say(web, "请联系我处理宽带", contact="13800138000", consent="1")
    say(web, "不要联系我，宽带太慢", contact="13800138000")
    kept = {voice.text: voice.contact for voice in rows.exec(select(Voice))}
    assert kept == {"请联系我处理宽带": "13800138000", "不要联系我，宽带太慢": ""}


@pytest.mark.parametrize("text", ["", "   ", "长" * 5_001])
def test_a_refusal_keeps_what_was_typed(web: Web, rows: Session, text: str) -> None:
    status, page = say(web, text, mood="2", contact="a@b.example", consent="1")
    assert status == 422
    assert 'role="alert"' in page
    assert 'value="a@b.example"' in page
    assert text.strip() in page
    assert rows.exec(select(Voice)).all() == []


def test_a_form_that_is_not_ours_keeps_the_words_and_asks_again(web: Web, rows: Session) -> None:
    answer = web.client.post("/rants", data={"token": "forged", "text": "宽带老掉线"})
    assert answer.status_code == 422
    assert "宽带老掉线" in answer.text
    assert rows.exec(select(Voice)).all() == []


def test_a_machine_that_fills_the_hidden_field_is_not_heard(web: Web, rows: Session) -> None:
    assert say(web, "买粉加我", website="http://spam.example")[0] == 422
    assert rows.exec(select(Voice)).all() == []


def test_no_page_for_customers_sets_a_cookie(web: Web) -> None:
    say(web, "宽带老掉线")
    for path in ("/rants", "/rants/solved", "/rants/embed?site=site_demo"):
        assert "Set-Cookie" not in web.client.get(path).headers


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_looks_like_code_is_shown_as_words(web: Web, payload: str) -> None:
    _, where = say(web, f"页面上出现 {payload} 是什么意思")
    token = form_of(web.client.get("/rants").text)
    refused = web.client.post(
        "/rants", data={"token": token + "x", "text": payload, "contact": payload, "consent": "1"}
    )
    pages = [web.client.get("/rants").text, web.client.get(where).text, refused.text]
    similar = web.client.post("/rants/similar", data={"text": f"页面上出现 {payload} 是什么意思"}).text
    for page in (*pages, similar):
        assert not active(page)


def test_what_looks_like_a_template_is_not_filled_in(web: Web) -> None:
    _, where = say(web, "算一下 {{ 7*7 }} 和 {% raw %}")
    assert "{{ 7*7 }} 和 {% raw %}" in web.client.get(where).text


def test_the_policy_of_customers_pages_allows_no_inline_script(web: Web) -> None:
    policy = web.client.get("/rants").headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy


def test_only_the_sites_own_pages_may_frame_the_zone(web: Web, rows: Session) -> None:
    answer = web.client.get("/rants/embed?site=site_demo&touchpoint=web.recharge")
    assert "frame-ancestors http://shop.example" in answer.headers["Content-Security-Policy"]
    assert web.client.get("/rants/embed?site=nobody").status_code == 404
    status, page = say(
        web, "嵌在网厅里的吐槽", "/rants/embed?site=site_demo&touchpoint=web.recharge", touchpoint="web.recharge"
    )
    assert status == 200
    assert re.search(r'href="/v/\w+"', page)
    assert rows.exec(select(Voice.touchpoint)).one() == "web.recharge"


def test_a_device_votes_once(web: Web, rows: Session) -> None:
    say(web, "宽带晚上老掉线")
    code = rows.exec(select(Voice.code)).one()
    for _ in range(2):
        assert web.client.post(f"/rants/{code}/vote").status_code == 303
    assert "1 人" in web.client.post(f"/rants/{code}/vote", headers={"HX-Request": "true"}).text
    assert (
        "2 人"
        in web.client.post(f"/rants/{code}/vote", headers={"HX-Request": "true", "User-Agent": "another phone"}).text
    )
    assert len(rows.exec(select(Vote)).all()) == 2
    assert web.client.post("/rants/vnosuchrant/vote").status_code == 404


def test_similar_rants_are_found_while_writing(web: Web, rows: Session, now: datetime) -> None:
    for text in ("充值扣了钱话费不到账", "营业厅排队两个小时"):
        say(web, text)
    read_next(rows, now)
    rows.commit()
    page = web.client.post("/rants/similar", data={"text": "充值话费扣了钱，等了两个小时"}).text
    assert "充值扣了钱话费不到账" in page
    assert "排队" not in page
    assert web.client.post("/rants/similar", data={"text": "慢"}).text.strip() == ""


def test_the_board_shows_what_may_be_shown_and_nothing_else(web: Web) -> None:
    say(web, "我的号码13800138000被盗用，快处理")
    say(web, "加我微信办卡 www.bad.example.com")
    say(web, "营业厅态度很好")
    page = web.client.get("/rants").text
    assert "营业厅态度很好" in page
    for hidden in ("13800138000", "bad.example", "被盗用"):
        assert hidden not in page


def test_the_board_turns_its_pages(web: Web, rows: Session, now: datetime) -> None:
    for number in range(45):
        hear(rows, SYSTEM, VoiceIn(f"第{number}条不满意", "rant", is_for_board=True), now=now)
    rows.commit()
    seen: list[str] = []
    where: str | None = "/rants?sort=new"
    while where:
        page = web.client.get(where).text
        seen += re.findall(r"第(\d+)条", page)
        following = re.search(r'rel="next" href="([^"#]+)', page)
        where = "/rants" + following[1].replace("&amp;", "&") if following else None
    assert sorted(map(int, seen)) == list(range(45))
    assert web.client.get("/rants?cursor=strange").status_code == 422


def test_customers_pages_are_light(web: Web) -> None:
    page = web.client.get("/rants")
    total = len(gzip.compress(page.data))
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
        with web.client.get(path) as part:
            total += len(gzip.compress(part.data))
    assert total < 60 * 1024
