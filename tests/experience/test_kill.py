"""kill -9 of servers and workers, again and again: nothing acknowledged is lost, nothing is done twice.

The moments are drawn from a seeded generator and counted in acknowledged requests or fired marks, not in seconds, so a
slow machine is killed as often as a fast one.
"""

import json
import os
import random
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from experience.ground.store import transaction
from experience.issues.operations import IssueIn, raise_issue
from experience.orders.operations import DispatchIn, dispatch
from experience.organisation.permissions import SYSTEM
from tests.data_journey import SETUP, SURVEY
from tests.running import HOUSE, HUISHENG, Running

START = datetime(2026, 11, 23, 10, 0, tzinfo=timezone(timedelta(hours=8)))
ORIGIN = {"Origin": "http://shop.example"}

pytestmark = pytest.mark.kill


@pytest.fixture
def running(own_database: Engine, tmp_path: Path) -> Iterator[Running]:
    address = own_database.url.render_as_string(hide_password=False).replace("+psycopg", "")
    made = Running(address, tmp_path, START)
    (tmp_path / "setup.yaml").write_text(SETUP, "utf-8")
    made.command("setup", str(tmp_path / "setup.yaml"))
    yield made
    made.stop()


def number(engine: Engine, statement: str, **values: Any) -> int:
    with transaction(engine) as session:
        return int(session.execute(text(statement), values).scalar_one())


class Killer:
    """Kills the server after every few acknowledgements, sometimes with all its processes, and starts it again."""

    def __init__(self, running: Running, *words: str, seed: int = 7) -> None:
        self.running, self.words, self.kills = running, words, 0
        self.chance = random.Random(seed)
        self.left = self.chance.randint(6, 18)
        running.start(*words)

    def acknowledged(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.kill()
            self.left = self.chance.randint(6, 18)

    def kill(self) -> None:
        process = self.running.process
        assert process is not None
        if self.chance.random() < 0.5:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.send_signal(signal.SIGKILL)  # the others must notice by themselves, or the port stays taken
        process.wait()
        self.kills += 1
        self.running.start(*self.words)


def insist(killer: Killer, path: str, body: Any, status: int, key: str) -> Any:
    """Sends until it is acknowledged, as a client does that keeps what was not; half of them are sent once more."""
    for _ in range(50):
        try:
            answer = killer.running.ask("POST", path, body, **ORIGIN, Idempotency_Key=key)
        except OSError:
            continue
        assert answer.status == status, f"{path}: {answer.status} {answer.text}"
        return answer.json()
    raise AssertionError(f"{path} was never acknowledged")


def cut_off(killer: Killer, path: str, body: Any, key: str) -> None:
    """Sends a request and kills the server before reading the answer: stored or not, it must not count twice."""
    data = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", f"Idempotency-Key: {key}"]
    lines += [f"Origin: {ORIGIN['Origin']}", f"Content-Length: {len(data)}", "Connection: close", "", ""]
    import socket  # noqa: PLC0415

    with socket.create_connection(("127.0.0.1", killer.running.port)) as connection:
        connection.sendall("\r\n".join(lines).encode() + data)
        killer.kill()


def send_all(killer: Killer, requests: list[tuple[str, Any, int]]) -> list[Any]:
    """Sends every request until acknowledged; every sixteenth is first cut off in the middle by a kill."""
    answers = []
    for place, (path, body, status) in enumerate(requests):
        key = f"key-{place}"
        if place % 16 == 9:
            cut_off(killer, path, body, key)
        answers.append(insist(killer, path, body, status, key))
        killer.acknowledged()
        if place % 2:
            assert insist(killer, path, body, status, key) == answers[-1] or path.startswith("/collect")
    return answers


def test_nothing_acknowledged_is_lost_and_nothing_counts_twice(running: Running, own_database: Engine) -> None:
    killer = Killer(running)
    answering = f"/api/v1/public/surveys/{published(running)}/responses"
    batches = [events(20) for _ in range(20)]
    sent: list[tuple[str, Any, int]] = [("/collect/v1/events", collected(batch), 202) for batch in batches]
    sent += [(answering, {"version": 1, "answers": {"q1": 4 + n % 2}}, 201) for n in range(20)]
    rant = {"site": "site_demo", "touchpoint": "web.recharge"}
    sent += [("/api/v1/public/voices", {**rant, "text": f"第{n}次充值失败，钱扣了"}, 201) for n in range(20)]
    killer.chance.shuffle(sent)
    receipts = [answer["receipt"] for answer in send_all(killer, sent) if "receipt" in answer]
    killer.kill()
    running.tick()
    assert killer.kills >= 6
    stored = "select count(*) from probe_event where event_id = any(:ids)"
    assert number(own_database, stored, ids=[e["id"] for batch in batches for e in batch]) == 400
    assert (
        number(own_database, "select sum(n) from measure where key = 'fail' and window_seconds = 60 and province = ''")
        == 400
    )
    assert number(own_database, "select count(*) from response") == 20
    assert number(own_database, "select count(*) from voice where source = 'rant'") == 20
    assert len(set(receipts)) == 40
    for receipt in killer.chance.sample(receipts, 5):
        assert running.ask("GET", f"/v/{receipt}").status == 200


def events(count: int) -> list[dict[str, Any]]:
    return [
        {"id": uuid.uuid4().hex, "at": START.isoformat(), "touchpoint": "web.recharge", "type": "fail", "ms": n}
        for n in range(count)
    ]


def collected(batch: list[dict[str, Any]]) -> dict[str, Any]:
    device = uuid.uuid4().hex
    return {
        "site": "site_demo",
        "sent_at": START.isoformat(),
        "session": device,
        "device": device,
        "events": batch,
    }


def published(running: Running) -> str:
    token = running.command("token", "lin").stdout.decode().split()[-1]
    definition = {**SURVEY, "distribution": {"channels": ["link"], "triggers": []}}
    for path, body in (
        ("/api/v1/surveys", {"code": "recharge", "definition": definition}),
        ("/api/v1/surveys/recharge/publish", {}),
    ):
        answer = running.ask("POST", path, body, token=token, Idempotency_Key=uuid.uuid4().hex)
        assert answer.status == 201, answer.text
    return "recharge"


def workers(running: Running, count: int) -> list["subprocess.Popen[bytes]"]:
    return [
        subprocess.Popen([str(HUISHENG), "worker"], env=running.environment(), cwd=HOUSE, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]


def fire_under_kills(running: Running, left: Callable[[], int], *, seed: int) -> int:
    """Lets three workers fire what is due, killing one after every few rows, until nothing is left. Counts kills."""
    chance, kills = random.Random(seed), 0
    crew = workers(running, 3)
    at_next_kill = left() - chance.randint(8, 20)
    deadline = datetime.now(tz=START.tzinfo) + timedelta(seconds=50)
    try:
        while (now_left := left()) and datetime.now(tz=START.tzinfo) < deadline:
            if now_left <= at_next_kill:
                victim = crew.pop(chance.randrange(len(crew)))
                victim.kill()
                victim.wait()
                crew += workers(running, 1)
                kills += 1
                at_next_kill = now_left - chance.randint(8, 20)
    finally:
        for process in crew:
            process.kill()
            process.wait()
    assert left() == 0
    return kills


def dispatched(engine: Engine, count: int, at: datetime) -> None:
    """Orders dispatched so long ago that most of their marks are due."""
    for n in range(count):
        with transaction(engine) as session:
            told = IssueIn(title=f"充值不到账 {n}", severity=2, touchpoint="web.recharge", province="guangdong")
            issue = raise_issue(session, SYSTEM, told, now=at)
            wanted = DispatchIn(units=["guangdong"], type="complaint", instructions="请核查并回复客户")
            dispatch(session, SYSTEM, issue.id or 0, wanted, now=at)


def test_every_mark_fires_once_whatever_is_killed(running: Running, own_database: Engine) -> None:
    dispatched(own_database, 90, (START - timedelta(days=10)).astimezone(UTC))
    due = "clock_mark where due_at <= :now"
    all_due = number(own_database, f"select count(*) from {due}", now=START)
    assert all_due >= 270

    def left() -> int:
        return number(own_database, "select count(*) from work_order where next_due_at <= :now", now=START)

    kills = fire_under_kills(running, left, seed=11)
    assert kills >= 3
    assert number(own_database, f"select count(*) from {due} and fired_at is null", now=START) == 0
    fired = number(own_database, "select count(*) from clock_mark where fired_at is not null")
    rung = "from order_step, jsonb_array_elements(detail->'marks') mark where action = 'mark'"
    assert number(own_database, f"select count(*) {rung}") == fired
    assert number(own_database, f"select count(distinct (order_id, mark)) {rung}") == fired
    assert running.command("verify", check=False).returncode == 0
