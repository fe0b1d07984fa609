"""A heap of voices becomes a topic in Chromium, and the next voice reads so."""

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import Engine
from sqlmodel import Session, col, select
from werkzeug.serving import make_server

from experience.discovery.tables import Cluster, DiscoveryRun
from experience.ground.store import transaction
from experience.readers.operations.current import forget
from experience.voices import operations
from experience.voices.intake import VoiceIn
from experience.voices.tables import Reading, Voice
from tests.browser.test_staff_day import Desk
from tests.experience.web.staff import Office

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(own_database: Engine, tmp_path: Path, now: datetime, browser: Browser) -> Iterator[Desk]:
    """The office behind a port, with three heaps."""
    office = Office(own_database, tmp_path, now)
    with transaction(own_database) as session:
        operations.hear_many(session, [VoiceIn("爱心驿站的饮水机空了", "app", at=now)], now=now)
        operations.read_next(session, now)
        ids = [id or 0 for id in session.exec(select(Voice.id))]
        run = DiscoveryRun(kind="clusters", asked_at=now, state="done", narrowed={"days": 28}, looked_at=40)
        session.add(run)
        session.flush()
        session.add_all(
            Cluster(
                run_id=run.id or 0, name=name, size=size, share=size / 40, tightness=0.6, negative_share=0.5,
                words=[name], voice_ids=ids,
            )
            for name, size in (("爱心驿站", 20), ("歇脚喝水", 9), ("客服", 5))
        )  # fmt: skip
    server = make_server("127.0.0.1", 0, office.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Desk(office, browser, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()
    forget()


def test_two_heaps_are_merged_by_keyboard_and_made_a_topic_of(desk: Desk, now: datetime) -> None:
    lin = desk.sit("lin")
    lin.goto(f"{desk.url}/discovery/clusters")
    for key in ("j", "x", "j", "x", "m"):
        lin.keyboard.press(key)
    expect(lin.locator("h1")).to_have_text("爱心驿站")
    expect(lin.locator(".page-head")).to_contain_text("29 条原声")
    lin.select_option("[name=code]", "store")
    lin.get_by_role("button", name="提升为主题").click()
    expect(lin.locator(".note-good")).to_contain_text("营业厅 / 爱心驿站")
    with transaction(desk.office.engine) as session:
        operations.hear_many(session, [VoiceIn("爱心驿站几点关门", "app", at=now)], now=now)
        operations.read_next(session, now)
    with Session(desk.office.engine) as session:
        newest = session.exec(select(Reading).order_by(col(Reading.voice_id).desc()).limit(1)).one()
    assert (newest.topic, newest.topics[0]["detail"]) == ("store", "爱心驿站")
    assert not desk.complaints
