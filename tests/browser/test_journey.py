"""The whole loop as its people see it: a customer in the web hall, the centre, a province, and the customer again."""

import json
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Engine

from experience.demo.operator import PASSWORD, document
from tests.data_journey import SURVEY
from tests.running import Running

pytestmark = pytest.mark.browser

START = datetime(2026, 11, 23, 10, 0, tzinfo=timezone(timedelta(hours=8)))  # a Monday
SAID = "充值100元钱扣了，话费一直没到账，客服电话打不通，太失望了"
#: The hall's bank does not answer in time; Chromium notes that as an error, and so it is.
BANK = "status of 504"


class Theatre:
    """A running house, and people at their browsers; whatever a browser complains of is kept."""

    def __init__(self, run: Running, browser: Browser) -> None:
        self.run, self.browser = run, browser
        self.complaints: list[str] = []
        run.home.mkdir(parents=True, exist_ok=True)
        file = run.home / "setup.json"  # JSON is YAML
        file.write_text(json.dumps(document(), ensure_ascii=False), "utf-8")
        run.command("setup", str(file))
        self.designer = run.command("token", "he").stdout.decode().split()[-1]
        run.start()

    def seat(self, *, width: int = 1440) -> BrowserContext:
        """A browser of somebody's own."""
        return self.browser.new_context(
            locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": width, "height": 844}
        )

    def watched(self, context: BrowserContext) -> Page:
        """A page whose complaints are kept: errors, warnings, and what the content security policy refused."""
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda m: self._note(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self._note(str(error)))
        return page

    def _note(self, complaint: str) -> None:
        if BANK not in complaint:
            self.complaints.append(complaint)

    def staff(self, login: str, *, width: int = 1440) -> Page:
        """This person, logged in through the form."""
        page = self.watched(self.seat(width=width))
        page.goto(f"{self.run.url}/login")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url(f"{self.run.url}/")
        return page

    def publish(self) -> None:
        """The survey that asks customers whose recharge failed."""
        for path, body in (("", {"code": "recharge", "definition": SURVEY}), ("/recharge/publish", {})):
            key = uuid.uuid4().hex
            made = self.run.ask("POST", f"/api/v1/surveys{path}", body, token=self.designer, Idempotency_Key=key)
            assert made.status == 201, made.text

    def recharges(self, start: datetime, *, days: int, share: float) -> None:
        """Sixteen recharges a day from `start`, of which this share succeed."""
        events = []
        for number in range(days * 16):
            at = (start + timedelta(hours=1.5 * number)).isoformat()
            for kind in ("start", "success" if number % 10 < share * 10 else "fail"):
                told = {"id": uuid.uuid4().hex, "at": at, "touchpoint": "web.recharge", "type": kind}
                events.append({**told, "props": {"province": "guangdong"}})
        batch = {"site": "site_demo", "sent_at": self.run.at.isoformat(), "session": "s1", "device": uuid.uuid4().hex}
        taken = self.run.ask("POST", "/collect/v1/events", {**batch, "events": events})
        assert taken.status == 202, taken.text


@pytest.fixture
def theatre(own_database: Engine, tmp_path: Path, browser: Browser) -> Iterator[Theatre]:
    address = own_database.url.render_as_string(hide_password=False).replace("+psycopg", "")
    run = Running(address, tmp_path / "home", START)
    yield Theatre(run, browser)
    run.stop()
    for context in list(browser.contexts):
        context.close()


def fail_to_pay(chen: Page, url: str) -> None:
    """Goes through the hall's recharge until the bank fails."""
    chen.goto(f"{url}/demo/hall")
    chen.get_by_role("button", name="下一步").click()
    chen.get_by_text("200元").click()
    chen.get_by_role("button", name="去支付").click()
    chen.get_by_role("button", name="确认支付").click()
    expect(chen.get_by_role("heading", name="支付没有成功")).to_be_visible()


def answer(chen: Page) -> str:
    """Answers the survey that pops up; the address where its author sees what becomes of it."""
    expect(chen.get_by_role("dialog", name="充值体验")).to_be_visible()
    chen.get_by_text("非常不满意").click()
    chen.get_by_role("button", name="下一题").click()
    chen.get_by_role("checkbox", name="扣款未到账").check()
    chen.get_by_role("button", name="下一题").click()
    chen.get_by_role("dialog").get_by_role("textbox").fill(SAID)
    chen.get_by_role("button", name="提交").click()
    link = chen.get_by_role("link", name="查看处理进展")
    expect(link).to_be_visible()
    return str(link.get_attribute("href"))


def raise_and_dispatch(lin: Page, url: str) -> str:
    """From the voice to an issue, from the issue to an order to Guangdong; returns the order's address."""
    lin.goto(f"{url}/voices")
    expect(lin.get_by_text("话费一直没到账")).to_be_visible()
    lin.keyboard.press("j")
    lin.keyboard.press("x")
    lin.keyboard.press("n")
    lin.fill("#title", "网厅充值扣款不到账")
    lin.get_by_role("button", name="建立并打开").click()
    expect(lin.locator("h1")).to_have_text("网厅充值扣款不到账")
    expect(lin.locator(".suggest-one", has_text="广东公司").locator("input")).to_be_checked()
    lin.fill("#instructions", "请核查支付回调，补入账并联系客户")
    lin.click("#dispatch button:has-text('派单')")
    expect(lin.locator(".page-head")).to_contain_text("待签收")
    return lin.url


def accept_and_reply(zhou: Page, url: str) -> None:
    """On the phone: takes the order over and answers it from the desk."""
    zhou.goto(f"{url}/desk")
    zhou.get_by_role("button", name="签收").first.click()
    expect(zhou.locator(".desk-row .tag", has_text="处理中")).to_be_visible()
    zhou.wait_for_load_state()
    zhou.keyboard.press("j")
    zhou.keyboard.press("e")
    zhou.select_option(".desk-open select", "system")
    zhou.fill(".desk-open textarea[name=note]", "第三方回调超时，扣款成功未入账")
    zhou.fill(".desk-open textarea[name=measure]", "已逐笔补入账，回调改为异步重试")
    zhou.check(".desk-open input[name=contacted]")
    zhou.click(".desk-open .btn-primary")
    expect(zhou.locator(".desk-row .tag", has_text="省内审核")).to_be_visible()


def approve(page: Page, order: str, state: str) -> None:
    """The one thing to do on this order: the province's own review, then the centre's."""
    page.goto(order)
    page.keyboard.press("e")
    expect(page.locator(".page-head")).to_contain_text(state)


def judge(chen: Page, receipt: str) -> None:
    """The customer says whether it is solved."""
    chen.goto(receipt)
    chen.get_by_role("link", name="我来评判").click()
    chen.get_by_role("radio", name="解决了", exact=True).check()
    chen.get_by_role("radio", name="满意", exact=True).check()
    chen.get_by_role("button", name="提交").click()
    expect(chen.get_by_role("heading", level=1)).to_have_text("这件事办完了")
    expect(chen.get_by_text("您说：解决了")).to_be_visible()


def tell(chen: Page, receipt: str) -> None:
    """The receipt, when the window after the change has been measured."""
    chen.goto(receipt)
    expect(chen.get_by_text("已逐笔补入账，回调改为异步重试")).to_be_visible()
    expect(chen.get_by_role("heading", name="改进成效")).to_be_visible()
    expect(chen.locator(".effect", has_text="办理成功率")).to_contain_text("有改善")


def test_a_failed_recharge_is_heard_mended_judged_and_told(theatre: Theatre) -> None:
    run = theatre.run
    theatre.publish()
    theatre.recharges(START - timedelta(days=5), days=5, share=0.4)
    chen = theatre.watched(theatre.seat(width=390))
    fail_to_pay(chen, run.url)
    receipt = answer(chen)
    chen.goto(receipt)
    expect(chen.get_by_role("heading", level=1)).to_have_text("我们收到了")
    run.tick()
    lin = theatre.staff("lin")
    order = raise_and_dispatch(lin, run.url)
    chen.reload()
    accept_and_reply(theatre.staff("zhou", width=390), run.url)
    approve(theatre.staff("liang"), order, "待核验")
    approve(lin, order, "待回访")
    run.tick()
    judge(chen, receipt)
    run.tick()
    lin.goto(order)
    expect(lin.locator(".page-head")).to_contain_text("已归档")
    run.move_to(START + timedelta(days=15))
    theatre.recharges(START + timedelta(days=9), days=5, share=1.0)
    run.tick()
    tell(chen, receipt)
    lin = theatre.staff("lin")
    lin.goto(order)
    expect(lin.get_by_text("办理成功率").first).to_be_visible()
    assert theatre.complaints == []
