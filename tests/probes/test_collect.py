"""The collector's door: what it takes, what it refuses and why, and who may read its answers."""

import gzip
import io
import json
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from experience.ground import clock
from probes import event, spool
from probes.web import collect
from probes.web.collect import Collector
from tests.people import House

SHOP = "http://shop.example"


class Body(io.BytesIO):
    """A request's body on a connection that stays open: reading past its end would wait for ever."""

    def read(self, size: int | None = -1) -> bytes:
        left = len(self.getbuffer()) - self.tell()
        assert size is not None
        assert 0 <= size <= left, f"reads {size} bytes where {left} are left"
        return super().read(size)


class Door:
    """Asks a collector as a server would."""

    def __init__(self, collector: Collector, folder: Path, now: datetime) -> None:
        self.collector, self.folder, self.now = collector, folder, now
        self.status, self.headers = 0, {}

    def ask(self, method: str, path: str, raw: bytes = b"", **more: str) -> Any:
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": "text/plain",
            "CONTENT_LENGTH": str(len(raw)),
            "HTTP_HOST": "127.0.0.1:8000",
            "wsgi.url_scheme": "http",
            "wsgi.input": Body(raw),
            **more,
        }
        body = b"".join(self.collector(environ, self._begin))
        return json.loads(body) if body else None

    def _begin(self, status: str, headers: list[tuple[str, str]]) -> None:
        self.status, self.headers = int(status[:3]), dict(headers)

    def send(self, batch: Any, **more: str) -> Any:
        raw = batch if isinstance(batch, bytes) else json.dumps(batch).encode()
        return self.ask("POST", "/collect/v1/events", raw, **more)

    def batch(self, *events: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"site": "site_demo", "session": "s1", "device": "d1", "events": list(events), **more}

    def event(self, id_: str = "e1", **more: Any) -> dict[str, Any]:
        return {"id": id_, "at": self.now.isoformat(), "touchpoint": "web.recharge", "type": "view", **more}

    def kept(self) -> int:
        return sum(1 for path in spool.take(self.folder) for _ in spool.frames(path))


@pytest.fixture
def door(house: House, session: Session, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setattr(clock, "now", lambda: now)
    monkeypatch.setattr(collect, "spool_folder", lambda: tmp_path / "spool")
    connection: Any = session.connection()  # the collector's sessions see what this test made, and are undone with it
    return Door(Collector(connection), tmp_path / "spool", now)


def test_a_batch_sent_by_a_beacon_is_taken_and_on_disk(door: Door) -> None:
    assert door.send(door.batch(door.event())) == {"accepted": 1, "duplicate": 0, "rejected": [], "invitation": None}
    assert door.status == 202
    assert door.kept() == 1


def test_a_body_of_unknown_length_is_read_where_the_server_ends_it(door: Door) -> None:
    raw = json.dumps(door.batch(door.event())).encode()
    ended = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True, "wsgi.input": io.BytesIO(raw)}
    assert door.send(b"", **ended)["accepted"] == 1


def test_a_question_that_cannot_be_decided_never_costs_the_events(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ConnectionError("the database went away")

    monkeypatch.setattr(collect, "fire", fails)
    told = door.send(door.batch(door.event()))
    assert (door.status, told["accepted"], told["invitation"]) == (202, 1, None)
    assert door.kept() == 1


def test_a_page_of_the_site_may_read_the_answer_and_another_may_not(door: Door) -> None:
    door.send(door.batch(door.event()), HTTP_ORIGIN=SHOP)
    assert (door.status, door.headers["Access-Control-Allow-Origin"]) == (202, SHOP)
    told = door.send(door.batch(door.event("e2")), HTTP_ORIGIN="http://thief.example")
    assert door.status == 403
    assert "没有登记" in told["detail"]
    assert "Access-Control-Allow-Origin" not in door.headers
    assert door.kept() == 1


def test_a_browser_may_ask_first(door: Door) -> None:
    door.ask("OPTIONS", "/collect/v1/events", HTTP_ORIGIN=SHOP)
    assert (door.status, door.headers["Access-Control-Allow-Methods"]) == (204, "GET, POST, OPTIONS")
    door.ask("OPTIONS", "/collect/v1/events", HTTP_ORIGIN="http://thief.example")
    assert "Access-Control-Allow-Origin" not in door.headers


DEEP = b"[" * 100_000 + b"]" * 100_000
NASTY = {
    "nothing": (b"", 400),
    "no JSON": (b"{", 400),
    "no UTF-8": (b'{"site":"\xff\xfe","events":[]}', 400),
    "a list": (b"[]", 422),
    "a wrong type": (b'{"site":"site_demo","events":"all"}', 422),
    "a site with half a surrogate": (b'{"site":"site_demo\\ud800","events":[]}', 403),
    "a site nobody knows": (b'{"site":"nobody","events":[]}', 403),
    "no end of brackets": (b'{"site":"site_demo","events":[' + DEEP + b"]}", 400),
    "a time of a customer beyond all numbers": (
        b'{"site":"site_demo","events":[],"customer":{"id":"c","sig":"s","ts":' + b"9" * 9000 + b"}}",
        (202, 422),
    ),
    "too many events": (b'{"site":"site_demo","events":[' + b",".join([b"{}"] * 201) + b"]}", 422),
}


@pytest.mark.parametrize("name", NASTY)
def test_what_cannot_be_read_is_refused_in_words(door: Door, name: str) -> None:
    raw, status = NASTY[name]
    told = door.send(raw)
    assert door.status in (status if isinstance(status, tuple) else (status,)), told
    assert door.kept() == 0
    if door.status >= 400:
        assert door.headers["Content-Type"] == "application/problem+json"
        assert told["detail"]


ODD = (
    {"props": {"deep": json.loads("[" * 900 + "]" * 900)}},
    {"props": {"long": "x" * 3000}},
    {"code": 10**70},
    {"code": 10**4200},
    {"ms": -1},
    {"ms": 1e300},
    {"at": "2026-02-30T00:00:00Z"},
    {"at": "2026-11-23T10:00:00"},
    {"at": "0001-01-01T00:00:00+14:00"},
    {"type": "sneeze"},
    {"touchpoint": "a b"},
    {"touchpoint": ""},
    {"id": ""},
    {"id": "x" * 65},
    {"step": {"a": 1}},
    {"ok": "yes"},
)


def test_odd_events_are_rejected_one_by_one_and_the_good_one_stays(door: Door) -> None:
    events = [
        door.event(f"odd{number}", **odd) if "id" not in odd else door.event() | odd for number, odd in enumerate(ODD)
    ]
    told = door.send(door.batch(door.event("good"), *events))
    assert (door.status, told["accepted"]) == (202, 1)
    assert [row["index"] for row in told["rejected"]] == list(range(1, len(ODD) + 1))
    assert all(row["reason"] for row in told["rejected"])


def test_half_an_emoji_is_told_and_the_events_around_it_stay(door: Door) -> None:
    cut = door.event("cut", props={"words": "扣款失败\ud83d", "whole": "😀"})
    told = door.send(door.batch(door.event("first"), cut, door.event("\ude00"), door.event("last")))
    assert (door.status, told["accepted"]) == (202, 3)
    assert [row["index"] for row in told["rejected"]] == [2]


def test_a_body_too_long_is_refused_before_it_is_read(door: Door) -> None:
    told = door.send(b"x" * (256 * 1024 + 1))
    assert door.status == 413
    assert "256 KiB" in told["detail"]


def test_a_small_parcel_that_unpacks_to_a_giant_is_refused(door: Door) -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packed.compress(b" " * 50_000_000) + packed.flush()
    door.send(bomb, HTTP_CONTENT_ENCODING="gzip")
    assert door.status == 413
    door.send(gzip.compress(json.dumps(door.batch(door.event())).encode()), HTTP_CONTENT_ENCODING="gzip")
    assert door.status == 202
    door.send(b"not gzip at all", HTTP_CONTENT_ENCODING="gzip")
    assert door.status == 400


@pytest.mark.parametrize("length", ["-1", "1e3", "²", "many"])
def test_a_length_that_is_no_number_is_refused(door: Door, length: str) -> None:
    door.send(b"", CONTENT_LENGTH=length)
    assert door.status == 400


@pytest.mark.parametrize(
    ("method", "path", "kind", "status"),
    [
        ("GET", "/collect/v1/events", "text/plain", 405),
        ("POST", "/collect/v1/config", "text/plain", 405),
        ("POST", "/collect/v2/events", "text/plain", 404),
        ("POST", "/collect/v1/events", "application/xml", 415),
    ],
)
def test_a_wrong_way_in_is_told(door: Door, method: str, path: str, kind: str, status: int) -> None:
    door.ask(method, path, b"{}", CONTENT_TYPE=kind)
    assert door.status == status
    assert door.headers["Content-Type"] == "application/problem+json"
    assert ("Allow" in door.headers) == (status == 405)


def test_the_configuration_is_not_sent_again_while_it_is_the_same(door: Door) -> None:
    told = door.ask("GET", "/collect/v1/config?site=site_demo", HTTP_ORIGIN=SHOP)
    assert told["enabled"] is True
    door.ask("GET", "/collect/v1/config?site=site_demo", HTTP_ORIGIN=SHOP, HTTP_IF_NONE_MATCH=door.headers["ETag"])
    assert (door.status, door.headers["Access-Control-Allow-Origin"]) == (304, SHOP)
    tag = door.headers["ETag"]
    for known in (f"W/{tag}", f'"other", W/{tag}', "*"):  # as a browser asks for what it got by gzip
        door.ask("GET", "/collect/v1/config?site=site_demo", HTTP_IF_NONE_MATCH=known)
        assert door.status == 304, known
    door.ask("GET", "/collect/v1/config?site=site_demo", HTTP_IF_NONE_MATCH='"other"')
    assert door.status == 200
    door.ask("GET", "/collect/v1/config?site=nobody")
    assert door.status == 403


def test_half_an_emoji_costs_no_other_event() -> None:
    raw = b'{"site":"site_demo","events":[{"id":"a\\ud83d"},{"id":"\\ud83d\\ude00 \\\\ud83d"}]}'
    assert [bytes(one) for one in event.batch(raw).events] == [
        b'{"id":"a\\ufffd"}',
        b'{"id":"\\ud83d\\ude00 \\\\ud83d"}',
    ]
