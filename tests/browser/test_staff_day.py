"""A working day in Chromium: the centre triages by keyboard and dispatches, the province answers from its desk."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine
from werkzeug.serving import make_server

from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM
from experience.voices import operations
from experience.voices.intake import VoiceIn
from tests.experience.web.staff import Office
from tests.people import PASSWORD

pytestmark = pytest.mark.browser

SAID = (
    "网厅充值扣了钱不到账，客服说不清楚，太失望了",
    "充值一百元没有到账，已经两个小时了",
    "<img src=x onerror=\"document.title='run'\">充值失败钱没退",
)


class Desk:
    """The office behind a port, and people at their browsers; whatever a browser complains of is kept."""

    def __init__(self, office: Office, browser: Browser, url: str) -> None:
        self.office, self.browser, self.url = office, browser, url
        self.complaints: list[str] = []

    def sit(self, login: str) -> Page:
        """This person, logged in through the form."""
        page = self.browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900}).new_page()
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"{self.url}/login")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url(f"{self.url}/")
        return page


@pytest.fixture
def desk(own_database: Engine, tmp_path: Path, now: datetime, browser: Browser) -> Iterator[Desk]:
    office = Office(own_database, tmp_path, now)
    with transaction(own_database) as session:
        voices = [
            operations.hear(
                session,
                SYSTEM,
                VoiceIn(
                    text=text,
                    source="hotline",
                    province="guangdong",
                    touchpoint="web.recharge",
                    at=now - timedelta(minutes=i),
                ),
                now=now,
            )
            for i, text in enumerate(SAID)
        ]
        operations.read_now(session, voices, now=now)
    server = make_server("127.0.0.1", 0, office.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Desk(office, browser, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


def triage(lin: Page, url: str) -> None:
    """Corrects one label and makes an issue of two voices without touching the mouse."""
    lin.goto(f"{url}/voices")
    lin.keyboard.press("j")
    lin.keyboard.press("2")
    expect(lin.locator(".is-current .fix.is-on[name=label]")).to_have_attribute("value", "neutral")
    lin.keyboard.press("x")
    lin.keyboard.press("j")
    lin.keyboard.press("x")
    lin.keyboard.press("n")
    lin.fill("#title", "网厅充值扣款不到账")
    lin.get_by_role("button", name="建立并打开").click()
    expect(lin.locator("h1")).to_have_text("网厅充值扣款不到账")


def dispatch(lin: Page) -> str:
    """Dispatches to the suggested province and returns the order's address."""
    expect(lin.locator(".suggest-one", has_text="广东公司").locator("input")).to_be_checked()
    lin.fill("#instructions", "请核查支付回调，补入账并联系客户")
    lin.click("#dispatch button:has-text('派单')")
    expect(lin.locator(".page-head")).to_contain_text("待签收")
    return lin.url


def answer(zhou: Page, url: str) -> None:
    """Accepts and answers from the desk, by keyboard."""
    zhou.goto(f"{url}/desk")
    zhou.keyboard.press("j")
    zhou.keyboard.press("e")
    expect(zhou.locator(".desk-row .tag", has_text="处理中")).to_be_visible()
    zhou.wait_for_load_state()  # keys work once the scripts have run
    zhou.keyboard.press("j")
    zhou.keyboard.press("e")
    zhou.select_option(".desk-open select", "system")
    zhou.fill(".desk-open textarea[name=note]", "第三方回调超时，扣款成功未入账")
    zhou.fill(".desk-open textarea[name=measure]", "已逐笔补入账，回调改为异步重试")
    zhou.check(".desk-open input[name=contacted]")
    zhou.click(".desk-open .btn-primary")
    expect(zhou.locator(".desk-row .tag", has_text="省内审核")).to_be_visible()


def test_a_day_from_the_voice_to_the_confirmed_answer(desk: Desk) -> None:
    lin = desk.sit("lin")
    triage(lin, desk.url)
    order = dispatch(lin)
    answer(desk.sit("zhou"), desk.url)
    approver = desk.sit("approver")
    approver.goto(order)
    approver.keyboard.press("e")
    expect(approver.locator(".page-head")).to_contain_text("待核验")
    lin.goto(order)
    expect(lin.locator("main")).to_contain_text("回调改为异步重试")
    lin.keyboard.press("e")
    expect(lin.locator(".page-head")).not_to_contain_text("待核验")
    assert desk.complaints == []


def test_markup_in_a_voice_never_runs_in_the_browser(desk: Desk) -> None:
    lin = desk.sit("lin")
    lin.goto(f"{desk.url}/voices")
    expect(lin.locator("text=onerror")).to_be_visible()
    assert lin.title().startswith("客户原声")
    assert lin.locator("main img").count() == 0
    assert desk.complaints == []


def test_the_desk_fits_a_phone(desk: Desk) -> None:
    lin = desk.sit("lin")
    triage(lin, desk.url)
    dispatch(lin)
    zhou = desk.sit("zhou")
    zhou.set_viewport_size({"width": 390, "height": 800})
    for path in ("/", "/desk", "/orders", "/voices", "/issues", "/supervision", "/notices"):
        zhou.goto(desk.url + path)
        assert zhou.evaluate("document.documentElement.scrollWidth") <= 390, path
    assert desk.complaints == []


def test_a_saved_view_and_the_dark_theme_are_kept_in_this_browser(desk: Desk) -> None:
    lin = desk.sit("lin")
    lin.on("dialog", lambda dialog: dialog.accept("负面"))
    lin.goto(f"{desk.url}/voices?label=negative")
    lin.click("[data-view-save]")
    lin.click("[data-theme-switch]")
    lin.goto(f"{desk.url}/voices")
    expect(lin.locator("html")).to_have_attribute("data-bs-theme", "dark")
    lin.click(".view-chip a")
    expect(lin).to_have_url(f"{desk.url}/voices?label=negative")
