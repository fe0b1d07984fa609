"""A wrong label put right in Chromium; a model trained and promoted on the running server; the sentence read right."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine
from sqlmodel import select

from experience.ground.store import transaction
from experience.orders import operations as orders
from experience.voices import operations
from experience.voices.intake import VoiceIn
from experience.voices.tables import Voice
from tests.people import PASSWORD, build_house
from tests.running import Running

pytestmark = pytest.mark.browser

#: Read as praise by the shipped model: the mockery is in what is meant, not in a word.
MISREAD = "报修三天换来一句在路上，这路真长"
OTHERS = ("充值一百元没有到账，已经两个小时了", "请问营业厅周日几点开门", "宽带师傅很专业，半小时就装好了")


def say(engine: Engine, *texts: str, now: datetime) -> None:
    with transaction(engine) as session:
        said = [
            VoiceIn(text=text, source="hotline", province="guangdong", at=now - timedelta(minutes=i))
            for i, text in enumerate(texts)
        ]
        operations.hear_many(session, said, now=now)


@pytest.fixture
def house(own_database: Engine, tmp_path: Path, now: datetime) -> Iterator[Running]:
    with transaction(own_database) as session:
        build_house(session, now)
        orders.ensure_defaults(session)
    say(own_database, MISREAD, *OTHERS, now=now - timedelta(hours=1))
    with transaction(own_database) as session:
        operations.read_now(session, session.exec(select(Voice)).all(), now=now)
    url = own_database.url.render_as_string(hide_password=False)
    running = Running(url, tmp_path / "home", now).start("--host", "127.0.0.1")  # with its worker
    yield running
    running.stop()


def test_what_is_put_right_is_read_right_by_the_next_model(
    house: Running, own_database: Engine, now: datetime, page: Page
) -> None:
    page.goto(f"{house.url}/login")
    page.fill("#login", "analyst")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(f"{house.url}/")
    page.goto(f"{house.url}/voices")
    row = page.locator(".voice", has_text="这路真长").first
    expect(row).to_have_attribute("data-told", "正面，宽带电视，表扬")
    for key in ("j", "1", "i", "1", "c"):
        page.keyboard.press(key)
    expect(row).to_have_attribute("data-told", "负面，宽带电视，投诉")
    expect(page.locator("[data-saving]")).to_have_count(0)
    page.goto(f"{house.url}/models")
    page.get_by_role("button", name="重新训练").click()
    expect(page.get_by_text("正在训练")).to_be_visible()
    expect(page.get_by_text("已过门槛")).to_be_visible(timeout=120_000)
    page.locator(".candidate").get_by_role("button", name="启用").click()
    page.get_by_role("dialog").get_by_role("button", name="启用").click()
    expect(page.get_by_text("从现在起由它研读")).to_be_visible()
    expect(page.get_by_role("button", name="用现在的模型重读")).to_be_visible()
    say(own_database, MISREAD, now=now)
    page.goto(f"{house.url}/voices")
    again = page.locator(".voice:not(.is-judged)", has_text="这路真长")
    for _ in range(20):  # the worker looks every two seconds
        if again.locator(".senti").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(again).to_have_attribute("data-told", "负面，宽带电视，投诉")
