"""Two hundred new voices gone through in Chromium without the mouse; the next page follows, the place is kept."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, func, update
from sqlmodel import Session, col, select
from werkzeug.serving import make_server

from experience.ground.store import transaction
from experience.issues.tables import Issue, IssueSource
from experience.voices import operations
from experience.voices.intake import VoiceIn
from experience.voices.tables import Reading, Voice
from tests.experience.web.staff import Office
from tests.people import PASSWORD

pytestmark = pytest.mark.browser

NEW = 200
SAID = (
    "充值{}元扣了钱不到账，太失望了",
    "第{}次办宽带，师傅很专业，点赞",
    "请问{}号营业厅几点关门",
    "套餐里的{}兆流量用不完能结转吗",
)
#: What a person does with every voice in turn; c goes on to the next.
PRESSES = (("c",), ("2", "c"), ("t", "z", "c"), ("i", "3", "c"), ("c",), ("1", "t", "w", "c"), *([("c",)] * 4))


class Desk:
    """The office behind a port and a triager at it, on two hundred new voices."""

    def __init__(self, office: Office, page: Page, url: str) -> None:
        self.office, self.page, self.url = office, page, url
        self.complaints: list[str] = []
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def settle(self) -> None:
        """Waits until every press has been answered."""
        expect(self.page.locator("[data-saving]")).to_have_count(0, timeout=120_000)

    def current(self) -> str:
        return str(self.page.locator(".is-current").get_attribute("id"))

    def reading(self, row: str) -> Reading:
        with Session(self.office.engine) as session:
            return session.get_one(Reading, int(row.removeprefix("v")))


@pytest.fixture
def desk(own_database: Engine, tmp_path: Path, now: datetime, browser: Browser) -> Iterator[Desk]:
    office = Office(own_database, tmp_path, now)
    with transaction(own_database) as session:
        said = [
            VoiceIn(text=SAID[i % 4].format(i), source="hotline", province="guangdong", at=now - timedelta(minutes=i))
            for i in range(NEW)
        ]
        operations.hear_many(session, said, now=now)
        session.execute(update(Voice).values(fingerprint=0))  # or the list would fold them into four
        operations.read_now(session, session.exec(select(Voice)).all(), now=now)
    server = make_server("127.0.0.1", 0, office.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    made = Desk(office, context.new_page(), f"http://127.0.0.1:{server.server_port}")
    made.page.goto(f"{made.url}/login")
    made.page.fill("#login", "lin")
    made.page.fill("#password", PASSWORD)
    made.page.press("#password", "Enter")
    made.page.wait_for_url(f"{made.url}/")
    made.page.goto(f"{made.url}/voices")
    yield made
    context.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_two_hundred_new_voices_are_triaged_by_keyboard(desk: Desk) -> None:
    desk.press("j")
    rows = desk.page.locator("[data-row]")
    for number in range(NEW):
        desk.press(*PRESSES[number % len(PRESSES)])
        if number + 1 == rows.count() < NEW:  # who is faster than the server sees the list end, and waits
            expect(desk.page.locator("[data-row].is-current")).not_to_have_id(
                rows.nth(number).get_attribute("id") or ""
            )
    desk.settle()
    expect(desk.page.locator("[data-judged]")).to_have_text(str(NEW))
    assert rows.count() == NEW
    with Session(desk.office.engine) as session:
        looked_at = col(Reading.corrected_at).is_not(None)
        assert session.exec(select(func.count()).select_from(Reading).where(looked_at)).one() == NEW
        newest = session.exec(select(Reading).join(Voice).order_by(col(Voice.at).desc())).all()
    assert all(reading.label == "neutral" for reading in newest[1::10])
    assert all(reading.topic == "billing" for reading in newest[2::10])
    assert all(reading.intent == "inquiry" for reading in newest[3::10])
    assert all((reading.label, reading.topic) == ("negative", "mobile_network") for reading in newest[5::10])
    assert desk.complaints == []


def test_focus_and_place_stay_with_the_row_through_every_press(desk: Desk) -> None:
    desk.press("j", "j", "2")
    row = desk.current()
    desk.settle()
    expect(desk.page.locator(f"#{row}.is-current")).to_be_focused()
    desk.press("t", "Escape")
    expect(desk.page.locator(f"#{row}")).to_be_focused()
    desk.press("Enter")
    desk.page.wait_for_url(f"{desk.url}/voices/*")
    desk.page.go_back()
    expect(desk.page.locator(".is-current")).to_have_id(row)


def test_a_press_is_announced_and_undone(desk: Desk) -> None:
    desk.press("j")
    row = desk.current()
    before = desk.reading(row)
    desk.press("3", "i", "4", "j", "j")
    desk.settle()
    expect(desk.page.locator("[data-said]")).to_contain_text("正面")
    desk.press("u")
    desk.settle()
    after = desk.reading(row)
    assert (after.label, after.intent, after.corrected_at) == (before.label, before.intent, None)
    assert desk.current() == row
    expect(desk.page.locator("[data-judged]")).to_have_text("0")


def test_an_issue_is_made_of_a_selection_and_another_joined_without_leaving_the_list(desk: Desk) -> None:
    desk.press("j", "x", "j", "j", "x", "n")
    row = desk.current()
    desk.page.keyboard.type("充值扣款不到账")
    desk.press("Enter")
    expect(desk.page.locator(".voice .tag-link")).to_have_count(2)
    expect(desk.page.locator(".toast-line")).to_contain_text("可以直接派单")
    expect(desk.page.locator(f"#{row}.is-current")).to_be_focused()
    desk.page.reload()
    expect(desk.page.locator(".is-current")).to_have_id(row)
    desk.press("j", "m", "Enter")  # nothing picked: the row one is at
    expect(desk.page.locator(".voice .tag-link")).to_have_count(3)
    with Session(desk.office.engine) as session:
        issue = session.exec(select(Issue)).one()
        assert issue.title == "充值扣款不到账"
        assert session.exec(select(func.count()).select_from(IssueSource)).one() == 3
    assert desk.complaints == []


def test_a_refused_press_is_told_and_the_next_one_goes_on(desk: Desk) -> None:
    desk.page.route("**/reading", lambda route: route.fulfill(status=409, body="<main><h1>别人刚刚改过</h1></main>"))
    desk.press("j", "2")
    expect(desk.page.locator(".toast-line")).to_contain_text("别人刚刚改过")
    desk.page.unroute("**/reading")
    desk.press("j", "2")
    desk.settle()
    expect(desk.page.locator("[data-judged]")).to_have_text("1")
    assert desk.reading(desk.current()).label == "neutral"
