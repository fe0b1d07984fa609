"""Ingest and drain: each event once, counted in every window, masked, and a crash in between changes nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlmodel import Session, select

from experience.measures.tables import Measure
from experience.touchpoints.queries import KnownSite
from probes import event
from probes.operations import drain_next, draining, ingest
from probes.operations.ingesting import Recent, Taken
from probes.spool import Spool
from probes.tables import ProbeEvent
from tests.people import House

SITE = KnownSite("site_demo", frozenset({"http://shop.example"}), "hush")


class Browser:
    """Sends batches to a spool of the test's own."""

    def __init__(self, session: Session, folder: Path, now: datetime) -> None:
        self.session, self.now = session, now
        self.spool, self.recent = Spool(folder), Recent()

    def send(self, *events: dict[str, Any], sitting: str = "s1", sent_at: str = "") -> Taken:
        told = {"site": "site_demo", "session": sitting, "device": "d1", "sent_at": sent_at, "events": list(events)}
        batch = event.batch(msgspec.json.encode(told))
        return ingest(self.session, SITE, batch, self.spool, self.recent, now=self.now)

    def happened(self, id_: str, kind: str = "start", **more: Any) -> dict[str, Any]:
        return {"id": id_, "at": self.now.isoformat(), "touchpoint": "web.recharge", "type": kind, **more}

    def drain(self) -> int:
        count = 0
        while drain_next(self.session, self.now):
            count += 1
        return count


@pytest.fixture
def browser(
    house: House, session: Session, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Browser]:
    monkeypatch.setattr(draining, "spool_folder", lambda: tmp_path)
    return Browser(session, tmp_path, now)


def counted(session: Session, key: str, window: int = 60, province: str = "") -> int:
    rows = select(Measure.n).where(Measure.key == key, Measure.window_seconds == window, Measure.province == province)
    return sum(session.exec(rows))


def test_a_batch_is_judged_event_by_event(browser: Browser) -> None:
    taken = browser.send(
        browser.happened("e1"),
        browser.happened("e2", kind="jump"),
        browser.happened("e3", at="yesterday"),
        browser.happened("e1"),
        {"id": "e4"},
    )
    assert (taken.accepted, taken.duplicate) == (1, 1)
    assert [row["index"] for row in taken.rejected] == [1, 2, 4]
    assert all(row["reason"] for row in taken.rejected)


def test_the_same_event_twice_is_stored_once_even_by_another_process(browser: Browser, session: Session) -> None:
    browser.send(browser.happened("e1"), browser.happened("e2"))
    assert browser.send(browser.happened("e2")).duplicate == 1
    browser.drain()
    browser.recent = Recent()  # another process knows nothing of it
    browser.send(browser.happened("e1"))
    browser.drain()
    assert sorted(session.exec(select(ProbeEvent.event_id))) == ["e1", "e2"]
    assert counted(session, "start") == 2


def test_counts_are_the_same_in_every_window_and_in_the_province(browser: Browser, session: Session) -> None:
    props = {"province": "guangdong"}
    browser.send(*(browser.happened(f"e{n}", "fail", props=props, ms=100.0 * n, code="PAY") for n in range(1, 8)))
    browser.drain()
    assert {counted(session, "fail", window) for window in (60, 300, 3600, 86400)} == {7}
    assert counted(session, "fail", province="guangdong") == 7
    assert counted(session, "code:PAY") == 7
    assert counted(session, "ms") == 7
    assert counted(session, "sessions:3600", 3600) == 1


def test_a_crash_after_the_move_counts_nothing_twice(browser: Browser, session: Session, tmp_path: Path) -> None:
    browser.send(browser.happened("e1"))
    assert drain_next(session, browser.now)
    (taken,) = tmp_path.glob("*.taken")  # the file is still there: the process died before it was removed
    assert not drain_next(session, browser.now)
    assert not taken.exists()
    assert counted(session, "start") == 1


def test_personal_data_never_reaches_the_disk(browser: Browser, tmp_path: Path) -> None:
    browser.send(
        browser.happened("e1", "error", code="call-13800138000", props={"note": "打13800138000", "mail": "a.b@c.cn"})
    )
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"13800138000" not in kept
    assert b"a.b@c.cn" not in kept


def test_an_event_from_long_ago_is_rejected_with_the_reason(browser: Browser) -> None:
    old = (browser.now - timedelta(days=9)).isoformat()
    taken = browser.send(browser.happened("e1", at=old))
    assert "8 days" in taken.rejected[0]["reason"]


def test_a_sender_with_a_wrong_clock_is_understood_by_what_it_says_the_time_is(
    browser: Browser, session: Session
) -> None:
    slow = browser.now - timedelta(days=30)
    told = {**browser.happened("e1"), "at": (slow - timedelta(minutes=1)).isoformat()}
    taken = browser.send(told, sent_at=slow.isoformat())
    assert taken.rejected == []
    browser.drain()
    assert session.exec(select(ProbeEvent.at)).one() == browser.now - timedelta(minutes=1)


def test_more_sessions_than_a_statement_has_parameters_are_counted(session: Session, now: datetime) -> None:
    sender = event.Sender("site_demo", "", "d1", "")
    told = {"id": "e", "at": now.isoformat(), "touchpoint": "web.recharge", "type": "view"}
    one = event.accepted(msgspec.json.encode(told), sender, now)
    assert not isinstance(one, str)
    many = [msgspec.structs.replace(one, id=f"e{n}", session=f"s{n}") for n in range(20_000)]
    assert len(draining._sessions(session, many)) == 40_000


def test_an_absurd_clock_is_no_clock(browser: Browser) -> None:
    old = browser.happened("e1", at="0001-01-02T00:00:00+00:00")
    assert "8 days" in browser.send(old, sent_at="9999-12-31T00:00:00+00:00").rejected[0]["reason"]


def test_a_segment_that_cannot_be_read_is_set_aside_and_the_others_go_on(
    browser: Browser, session: Session, tmp_path: Path
) -> None:
    Spool(tmp_path).append(b"not events")
    browser.send(browser.happened("e1"))
    browser.drain()
    assert counted(session, "start") == 1
    assert len(list(tmp_path.glob("*.unread"))) == 1
