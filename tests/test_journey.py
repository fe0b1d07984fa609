"""One customer's trouble travels the whole way: seventeen steps over HTTP, through time, on the real parts."""

import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine

from tests.data_journey import SETUP, SURVEY
from tests.running import Answer, Running

BEIJING = timezone(timedelta(hours=8))
START = datetime(2026, 11, 23, 10, 0, tzinfo=BEIJING)  # a Monday
ORIGIN = {"Origin": "http://shop.example"}
DEVICE = "device-of-chen"


@pytest.fixture
def house(own_database: Engine, tmp_path: Path) -> Iterator["House"]:
    running = Running(own_database.url.render_as_string(hide_password=False).replace("+psycopg", ""), tmp_path, START)
    made = House(running)
    yield made
    running.stop()


class House:
    """The journey's people: each asks with a token of their own."""

    def __init__(self, running: Running) -> None:
        self.run = running
        file = running.home / "setup.yaml"
        file.write_text(SETUP, "utf-8")
        running.command("setup", str(file))
        self.tokens = {
            login: running.command("token", login).stdout.decode().strip().splitlines()[-1]
            for login in ("lin", "zhou", "heng", "wang")
        }
        running.start()

    def ask(self, who: str, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = self.run.ask(method, f"/api/v1{path}", body, token=self.tokens[who], Idempotency_Key=uuid.uuid4().hex)
        assert answer.status == status, f"{who} {method} {path}: {answer.status} {answer.text}"
        return answer.json()

    def act(self, who: str, code: str, action: str, *, status: int = 200, **fields: Any) -> Any:
        version = self.ask(who, "GET", f"/orders/{code}")["version"]
        return self.ask(
            who, "POST", f"/orders/{code}/actions", {"action": action, "version": version, **fields}, status=status
        )

    def public(self, path: str, body: Any, *, status: int) -> Any:
        answer = self.run.ask("POST", path, body, **ORIGIN, Idempotency_Key=uuid.uuid4().hex)
        assert answer.status == status, f"{path}: {answer.status} {answer.text}"
        return answer.json()

    def send_events(self, events: list[dict[str, Any]], session: str = "") -> Any:
        batch = {
            "site": "site_demo",
            "sent_at": self.run.at.isoformat(),
            "session": session or uuid.uuid4().hex,
            "device": DEVICE if session else uuid.uuid4().hex,
            "events": events,
        }
        return self.public("/collect/v1/events", batch, status=202)

    def recharges(self, start: datetime, *, hours: int, share: float) -> None:
        """Twelve recharges an hour from `start`, of which this share succeed."""
        events: list[dict[str, Any]] = []
        for minute in range(0, hours * 60, 5):
            at = (start + timedelta(minutes=minute)).isoformat()
            ok = (minute // 5 % 10) < share * 10
            for kind in ("start", "success" if ok else "fail"):
                events.append(event(kind, at))
        for first in range(0, len(events), 200):
            self.send_events(events[first : first + 200])


def event(kind: str, at: str, **more: Any) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "at": at,
        "touchpoint": "web.recharge",
        "type": kind,
        "props": {"province": "guangdong"},
        **more,
    }


def publish(house: House) -> str:
    made = house.ask("lin", "POST", "/surveys", {"code": "recharge", "definition": SURVEY}, status=201)
    house.ask("lin", "POST", f"/surveys/{made['code']}/publish", {}, status=201)
    return str(made["code"])


def sense_and_ask(house: House, survey: str) -> dict[str, Any]:
    """Steps 1 to 5: the recharge fails, the customer is invited."""
    house.recharges(START - timedelta(days=3), hours=72, share=1.0)
    house.recharges(START - timedelta(hours=1), hours=1, share=0.2)
    house.run.tick()
    points = house.ask("lin", "GET", f"/touchpoints/web.recharge/indicators?from={day(-1)}&to={day(1)}&step=hour")[
        "points"
    ]
    assert sum(point["fail"] for point in points) >= 8
    anomalies = house.ask("lin", "GET", "/anomalies")["items"]
    assert [a["touchpoint"] for a in anomalies] == ["web.recharge"]
    answer = house.send_events(
        [event("fail", START.isoformat(), code="PAY_TIMEOUT", ms=9000)], session="session-of-chen"
    )
    assert answer["accepted"] == 1
    assert answer["invitation"]["survey"] == survey
    return dict(answer["invitation"])


def day(offset: int) -> str:
    return (START + timedelta(days=offset)).strftime("%Y-%m-%d")


def answer_and_rant(house: House, invitation: dict[str, Any]) -> tuple[str, list[str]]:
    """Steps 6 and 7: the survey is answered, others rant; returns the answer's receipt and the rants' codes."""
    answers = {"q1": 1, "q2": ["o_lost"], "q3": "充值100元钱扣了，话费一直没到账，客服电话打不通，太失望了"}
    body = {"token": invitation["token"], "version": invitation["version"], "answers": answers}
    made = house.public(f"/api/v1/public/surveys/{invitation['survey']}/responses", body, status=201)
    codes = []
    for text in ("网厅充值扣了钱不到账，已经两个小时了", "充值失败，钱没退，打客服也没人管，气死了"):
        rant = {"site": "site_demo", "text": text, "touchpoint": "web.recharge", "mood": 1}
        codes.append(house.public("/api/v1/public/voices", rant, status=201)["code"])
    return made["receipt"], codes


def read_and_raise(house: House) -> str:
    """Steps 8 and 9: the voices are read in Chinese and become an issue."""
    house.run.tick()
    voices = house.ask("lin", "GET", "/voices?q=充值&label=negative")["items"]
    assert len(voices) == 3
    assert {voice["reading"]["topics"][0]["code"] for voice in voices} == {"billing"}
    assert all(voice["reading"]["evidence"] for voice in voices)
    issue = {
        "title": "网厅充值扣款不到账",
        "severity": 2,
        "touchpoint": "web.recharge",
        "province": "guangdong",
        "voices": [voice["id"] for voice in voices],
    }
    return str(house.ask("lin", "POST", "/issues", issue, status=201)["code"])


def dispatch(house: House, issue: str) -> tuple[str, str]:
    """Steps 10 and 11: the centre dispatches, the province accepts and splits it to its department."""
    order = house.ask(
        "lin",
        "POST",
        f"/issues/{issue}/dispatch",
        {"unit": "guangdong", "type": "complaint", "instructions": "核查支付回调，联系客户退款"},
        status=201,
    )
    assert order["state"] == "dispatched"
    assert {clock["kind"] for clock in order["clocks"]} >= {"accept", "resolve"}
    house.act("zhou", order["code"], "accept")
    child = house.act("zhou", order["code"], "dispatch", unit="guangdong.network", instructions="查接口日志")
    child_code = child["children"][0]["code"] if isinstance(child["children"][0], dict) else child["children"][0]
    assert resolve_due(house.ask("zhou", "GET", f"/orders/{child_code}")) < resolve_due(order)
    house.act("heng", child_code, "accept")
    return order["code"], child_code


def resolve_due(order: dict[str, Any]) -> datetime:
    return next(datetime.fromisoformat(clock["due_at"]) for clock in order["clocks"] if clock["kind"] == "resolve")


def fired(order: dict[str, Any]) -> list[tuple[str, int]]:
    return [
        (clock["kind"], mark["level"]) for clock in order["clocks"] for mark in clock["marks"] if mark.get("fired_at")
    ]


def chase(house: House, code: str) -> None:
    """Step 12: near the deadline the system urges, exactly once."""
    order = house.ask("zhou", "GET", f"/orders/{code}")
    resolve = next(clock for clock in order["clocks"] if clock["kind"] == "resolve")
    late = max(datetime.fromisoformat(mark["due_at"]) for mark in resolve["marks"] if mark["level"] == 80)
    house.run.tick(late + timedelta(minutes=1))
    once = house.ask("zhou", "GET", f"/orders/{code}")
    assert ("resolve", 50) in fired(once)
    assert ("resolve", 80) in fired(once)
    house.run.tick(late + timedelta(minutes=2))
    again = house.ask("zhou", "GET", f"/orders/{code}")
    assert len(again["steps"]) == len(once["steps"])


def reply_and_confirm(house: House, order: str, child: str) -> None:
    """Step 13: department and province reply, the centre sends it back once, then confirms."""
    reply = {
        "note": "回调超时导致，已补单退款并逐一联系客户",
        "cause": "system",
        "measure": "扩容支付回调队列",
        "contacted": True,
    }
    house.act("heng", child, "reply", **reply)
    house.act("zhou", child, "confirm")
    house.act("zhou", order, "submit", **reply)
    house.act("zhou", order, "approve_internal")
    house.act("lin", order, "reject", reason="请补充退款凭证")
    house.act("zhou", order, "submit", **reply)
    house.act("zhou", order, "approve_internal")
    confirmed = house.act("lin", order, "confirm", score=90)
    assert confirmed["state"] == "callback"


def follow_up_link(house: House, receipt: str) -> str:
    """Step 14: the customer is asked again; the link waits on the receipt page."""
    house.run.tick()
    page = receipt_page(house, receipt)
    found = re.search(r'href="(?:https?://[^/"]+)?(/s/[^"]+)"', page.text)
    assert found, page.text
    return found.group(1).replace("&amp;", "&")


def receipt_page(house: House, receipt: str) -> Answer:
    path = receipt if receipt.startswith("/") else f"/v/{receipt}"
    page = house.run.ask("GET", re.sub(r"^https?://[^/]+", "", path))
    assert page.status == 200
    return page


def test_a_trouble_travels_from_probe_to_effect(house: House) -> None:
    survey = publish(house)
    invitation = sense_and_ask(house, survey)
    receipt, rants = answer_and_rant(house, invitation)
    issue = read_and_raise(house)
    order, child = dispatch(house, issue)
    house.ask("wang", "GET", f"/orders/{order}", status=404)
    chase(house, order)
    house.run.move_to(START + timedelta(hours=5))
    reply_and_confirm(house, order, child)
    link = follow_up_link(house, receipt)
    answer_recheck(house, link, solved="yes")
    house.run.tick(START + timedelta(days=4))
    archived = house.ask("lin", "GET", f"/orders/{order}")
    assert archived["state"] == "archived"
    house.run.move_to(START + timedelta(days=6))
    house.recharges(START + timedelta(days=1), hours=100, share=1.0)
    house.run.move_to(START + timedelta(days=21))
    house.run.tick()
    effect = next(e for e in house.ask("lin", "GET", f"/orders/{order}")["effects"] if e["key"] == "success_rate")
    assert effect["after_value"] > effect["before_value"]
    assert effect["low"] is not None
    assert "成效" in receipt_page(house, receipt).text or "改善" in receipt_page(house, receipt).text
    assert house.ask("wang", "GET", "/voices?q=充值")["items"] == []
    house.run.command("verify")
    assert rants


def answer_recheck(house: House, link: str, *, solved: str) -> None:
    """Step 15: through the page that works without JavaScript, as a browser would post it."""
    page = house.run.ask("GET", link)
    assert page.status == 200
    form = FirstForm(page.text)
    chosen = {**form.hidden, form.radios("o_" + solved): "o_" + solved, form.radios("5"): "5"}
    sent = house.run.ask(
        "POST", form.action or link, urlencode(chosen).encode(), Content_Type="application/x-www-form-urlencoded"
    )
    assert sent.status == 200, sent.text
    assert "/v/" in sent.text or "receipt" in sent.text or "回声" in sent.text


class FirstForm(HTMLParser):
    """The first form of a page: where it goes, its hidden fields, its choices."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action, self.hidden, self._choices = "", {}, []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form" and not self.action:
            self.action = told.get("action") or ""
        if tag == "input" and told.get("type") == "hidden" and told.get("name"):
            self.hidden[told["name"]] = told.get("value") or ""
        if tag == "input" and told.get("type") == "radio":
            self._choices.append((told.get("name"), told.get("value")))

    def radios(self, value: str) -> str:
        """The name of the group that offers this value."""
        return next(name for name, offered in self._choices if name and offered == value)
