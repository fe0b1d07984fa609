"""The widget on somebody else's page: strict policy, hostile styles, keyboard, reload, no network."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from surveys import library
from surveys.web.bundle import widget

HOST = "http://shop.example"
SERVICE = "http://feedback.example"
POLICY = f"default-src 'none'; script-src {HOST} {SERVICE}; connect-src {SERVICE}; style-src 'none'"
PAGE = f"""<!doctype html><html lang=zh-CN><body><button id=pay>充值</button><div id=place></div>
<script src="{HOST}/boot.js"></script><script src="{SERVICE}/sdk/survey.js"></script></body></html>"""
DEFINITION = {
    name: part
    for name, part in library.templates()["recharge"].definition.items()
    if name not in ("distribution", "actions")
}

BOOT = """window.faults = [];
addEventListener("error", (e) => faults.push(e.message));
addEventListener("securitypolicyviolation", (e) => faults.push(e.violatedDirective));"""
SIZES = """[...document.querySelector("[data-hs-survey]").shadowRoot.querySelectorAll("label,button")].map((e) => {
  const r = e.getBoundingClientRect(); return [r.width, r.height, r.right]; })"""
STYLED = "getComputedStyle(document.querySelector('[data-hs-survey]').shadowRoot.querySelector('.card')).position"

pytestmark = pytest.mark.browser


class Service:
    """What the widget's requests came to, answered as the service answers."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, Any], str]] = []
        self.is_up = True

    def answer(self, route: Route) -> None:
        request = route.request
        allowed = {"Access-Control-Allow-Origin": HOST, "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key"}
        if request.url.endswith("/sdk/survey.js"):
            route.fulfill(body=widget().text, content_type="text/javascript; charset=utf-8", headers=allowed)
        elif not self.is_up:
            route.abort()
        elif request.method == "OPTIONS":
            route.fulfill(status=204, headers=allowed)
        else:
            kind = request.url.partition("?")[0].rpartition("/")[2]
            self.posts.append((kind, request.post_data_json, request.headers.get("idempotency-key", "")))
            body = {"response": "R1", "receipt": "rcpt", "ending": "done"} if kind == "responses" else {"ok": True}
            route.fulfill(status=201, body=json.dumps(body), content_type="application/json", headers=allowed)

    def finals(self) -> list[dict[str, Any]]:
        return [body for kind, body, _ in self.posts if kind == "responses" and not body.get("partial")]


@pytest.fixture
def service(context: BrowserContext) -> Iterator[Service]:
    made, policy = Service(), {"Content-Security-Policy": POLICY}
    context.set_default_timeout(8_000)
    context.route(f"{SERVICE}/**", made.answer)
    context.route(f"{HOST}/boot.js", lambda route: route.fulfill(body=BOOT, content_type="text/javascript"))
    context.route(f"{HOST}/", lambda route: route.fulfill(body=PAGE, content_type="text/html", headers=policy))
    yield made
    context.unroute_all(behavior="ignoreErrors")


def show(page: Page, **more: Any) -> bool:
    config = {
        "endpoint": SERVICE, "site": "site_demo", "token": "token-1", "survey": "recharge", "version": 1,
        "definition": DEFINITION, "lang": "zh-CN", "snapshot": {"ctx": {}, "probe": {}, "tag": {}, "url": {}}, **more,
    }  # fmt: skip
    shown: bool = page.evaluate("(config) => hsSurvey.show(config)", config)
    return shown


def opened(page: Page, **more: Any) -> None:
    page.goto(f"{HOST}/")
    assert show(page, **more)


def answer_three(page: Page) -> None:
    page.get_by_text("支付不成功").click()
    page.get_by_role("button", name="下一题").click()
    page.get_by_role("radio", name="3", exact=True).check()
    page.get_by_role("button", name="下一题").click()
    page.get_by_text("一般").click()


def test_a_survey_is_answered_under_the_strictest_policy(page: Page, service: Service) -> None:
    opened(page)
    expect(page.get_by_role("dialog", name="充值体验")).to_be_visible()
    answer_three(page)
    if page.get_by_role("button", name="提交").is_visible():
        page.get_by_role("button", name="提交").click()
    link = page.get_by_role("link", name="查看处理进展")
    expect(link).to_have_attribute("href", f"{SERVICE}/v/rcpt")
    assert service.finals()[0]["answers"] == {"problem": "o_pay", "severity": 3, "csat": 3}
    assert page.evaluate("faults") == []
    assert page.evaluate(STYLED) == "fixed"


def test_it_is_seen_after_a_second_and_says_so_once(page: Page, service: Service) -> None:
    opened(page)
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_timeout(1_600)  # the second itself is what is asked for
    assert [body for kind, body, _ in service.posts if kind == "shown"] == [{"token": "token-1"}]


def test_the_keyboard_alone_answers_and_focus_comes_back(page: Page, service: Service) -> None:
    page.goto(f"{HOST}/")
    page.locator("#pay").focus()
    assert show(page)
    assert page.evaluate("document.activeElement.id") == "pay"  # it does not steal the focus
    page.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="这个问题对您影响有多大")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "pay"
    assert [kind for kind, _, _ in service.posts if kind == "dismissed"] == ["dismissed"]


def test_what_is_required_is_asked_for_aloud(page: Page, service: Service) -> None:
    opened(page)
    page.get_by_role("button", name="下一题").click()
    expect(page.get_by_role("alert")).to_have_text("这道题需要回答。")


def test_every_target_is_large_enough_on_the_smallest_phone(page: Page, service: Service) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    nps = {k: v for k, v in library.templates()["nps"].definition.items() if k not in ("distribution", "actions")}
    opened(page, definition=nps, survey="nps")
    sizes = page.evaluate(SIZES)
    assert len(sizes) == 13
    assert all(width >= 44 and height >= 44 and right <= 320 for width, height, right in sizes)


def test_a_reload_keeps_the_answers_and_the_place(page: Page, service: Service) -> None:
    opened(page)
    page.get_by_text("支付不成功").click()
    page.get_by_role("button", name="下一题").click()
    page.reload()
    expect(page.get_by_role("heading", name="这个问题对您影响有多大")).to_be_visible()
    page.get_by_role("button", name="上一题").click()
    expect(page.get_by_role("radio", name="支付不成功")).to_be_checked()


def test_without_a_network_the_answer_waits_and_is_sent_once(page: Page, service: Service) -> None:
    opened(page)
    service.is_up = False
    page.get_by_text("没有遇到问题").click()
    page.get_by_role("button", name="下一题").click()
    page.get_by_text("非常满意").click()
    expect(page.get_by_role("status")).to_contain_text("已替您保存")
    service.is_up = True
    with page.expect_response("**/responses?site=site_demo"):
        page.reload()
    page.wait_for_function("JSON.parse(localStorage.getItem('hs_sq')).length === 0")
    assert len(service.finals()) == 1
    assert page.evaluate("faults") == []


def test_answers_to_what_was_hidden_again_are_sent_apart(page: Page, service: Service) -> None:
    opened(page)
    page.get_by_text("支付不成功").click()
    page.get_by_role("button", name="下一题").click()
    page.get_by_role("radio", name="5", exact=True).check()
    page.get_by_role("button", name="上一题").click()
    page.get_by_text("没有遇到问题").click()
    page.get_by_role("button", name="下一题").click()
    page.get_by_text("非常满意").click()
    expect(page.get_by_role("status")).to_be_visible()
    final = service.finals()[0]
    assert final["answers"] == {"problem": "o_none", "csat": 5}
    assert final["inactive"] == {"severity": 5}


def test_two_surveys_never_stand_on_one_screen(page: Page, service: Service) -> None:
    opened(page)
    assert not show(page, survey="other", token="token-2")


def test_nonsense_is_refused_quietly(page: Page, service: Service) -> None:
    page.goto(f"{HOST}/")
    for nonsense in ({"definition": None}, {"definition": {"blocks": "x"}}, {"definition": {"blocks": [{"items": 5}]}}):
        assert not show(page, **nonsense)
    assert page.evaluate("faults") == []


def test_the_script_keeps_its_budget() -> None:
    assert len(widget().gzipped) <= 15 * 1024
