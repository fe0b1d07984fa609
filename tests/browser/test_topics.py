"""Topics in Chromium: narrow the map, open a cell, and the list shows as many voices as the cell said."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine
from werkzeug.serving import make_server

from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM
from experience.voices import operations
from experience.voices.intake import VoiceIn
from tests.browser.test_staff_day import Desk
from tests.experience.web.staff import Office

pytestmark = pytest.mark.browser

SAID = (
    ("充值话费扣了钱不到账，太失望了", "guangdong"),
    ("话费账单多扣了二十元，客服说不清", "guangdong"),
    ("营业厅排队太久没人管", "hunan"),
)


@pytest.fixture
def desk(own_database: Engine, tmp_path: Path, now: datetime, browser: Browser) -> Iterator[Desk]:
    office = Office(own_database, tmp_path, now)
    with transaction(own_database) as session:
        told = [
            VoiceIn(text, "hotline", province=province, touchpoint="web.recharge", at=now - timedelta(days=day))
            for day in range(12)
            for text, province in SAID
        ]
        voices = [operations.hear(session, SYSTEM, one, now=now) for one in told]
        operations.read_now(session, voices, now=now)
    server = make_server("127.0.0.1", 0, office.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Desk(office, browser, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_cell_opens_as_many_voices_as_it_says(desk: Desk) -> None:
    lin = desk.sit("lin")
    lin.goto(f"{desk.url}/topics?days=7")
    expect(lin.locator("#map canvas")).to_be_visible()
    lin.select_option("select[name=touchpoint]", "web.recharge")
    lin.wait_for_url("**touchpoint=web.recharge**")
    assert "days=7" in lin.url
    cell = lin.locator("#grid tr", has_text="广东").locator("td.heat a").first
    count = cell.inner_text().lstrip("▲▼")
    assert count == "14"
    cell.click()
    expect(lin.locator("[data-total]")).to_have_attribute("data-total", count)
    expect(lin.locator("[data-total]")).to_contain_text(f"共 {count} 条")
    lin.click("text=看这个主题的走势")
    expect(lin.locator("h1")).to_have_text("资费账单")
    expect(lin.locator("#volume canvas")).to_be_visible()
    lin.set_viewport_size({"width": 390, "height": 800})
    for path in ("/topics", "/topics/billing"):
        lin.goto(desk.url + path)
        assert lin.evaluate("document.documentElement.scrollWidth") <= 390, path
    assert desk.complaints == []
