"""Answers and order actions over HTTP beside a bare Flask + SQLModel insert: same database, same server, same minute.

The three take turns in short rounds, so that what slows the machine slows all of them; the ratio of the medians counts.
"""

import itertools
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlmodel import Session, select

from bench.load import Load, post, quantile
from experience.ground import migrate, postgres, store
from experience.ground.clock import now
from tests.data_journey import SETUP, SURVEY

SECONDS, ROUNDS, CLIENTS = 1.0, 8, 4
ORDERS = 2500
TARGETS = {"answer": 0.6, "accept": 0.5}
_HOUSE = Path(__file__).parent.parent
_HUISHENG = str(Path(sys.executable).with_name("huisheng"))
_BARE = (
    "from experience.cli import serving; import sys;"
    "serving.serve('bench.bare:create_app', serving.Options('127.0.0.1', int(sys.argv[1]), 1, runs_worker=False))"
)


@contextmanager
def database() -> Iterator[str]:
    """A fresh database on the configured server, dropped afterwards."""
    given = make_url(postgres.url())
    name = f"bench_{secrets.token_hex(4)}"
    admin = create_engine(given.set(drivername="postgresql+psycopg", database="postgres"), poolclass=NullPool)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"create database {name}"))
        try:
            yield given.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(text(f"drop database {name} with (force)"))


@contextmanager
def server(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    """A server process, from its first answer on."""
    process = subprocess.Popen([*command, str(port)], env=environment, cwd=_HOUSE)
    try:
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10).close()
                break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def huisheng(environment: dict[str, str], *words: str) -> str:
    """What a command prints."""
    done = subprocess.run([_HUISHENG, *words], env=environment, cwd=_HOUSE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def published(port: int, token: str) -> str:
    """A survey that is open to everybody with its link."""
    definition = {**SURVEY, "distribution": {"channels": ["link"], "triggers": []}}
    for path, body in (
        ("/api/v1/surveys", {"code": "bench", "definition": definition}),
        ("/api/v1/surveys/bench/publish", {}),
    ):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}",
            json.dumps(body).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {token}",
                "Idempotency-Key": uuid.uuid4().hex,
            },
        )
        urllib.request.urlopen(request, timeout=30).close()
    return "bench"


def dispatched(engine: Engine, count: int) -> list[tuple[str, int]]:
    """Code and version of so many fresh orders to Guangdong."""
    from experience.issues import operations as issues  # noqa: PLC0415 - slow to import, needed here alone
    from experience.orders import operations as orders  # noqa: PLC0415
    from experience.orders.tables import WorkOrder  # noqa: PLC0415
    from experience.organisation.permissions import SYSTEM  # noqa: PLC0415

    made: list[tuple[str, int]] = []
    while len(made) < count:
        with Session(engine) as session:
            for _ in range(100):
                told = issues.IssueIn(title="充值不到账", severity=2, touchpoint="web.recharge", province="guangdong")
                issue = issues.raise_issue(session, SYSTEM, told, now=now())
                wanted = orders.DispatchIn(units=["guangdong"], type="complaint", instructions="请核查并回复客户")
                orders.dispatch(session, SYSTEM, issue.id, wanted, now=now())
            session.commit()
            rows = session.exec(select(WorkOrder.code, WorkOrder.version).where(WorkOrder.state == "dispatched")).all()
            made = [(code, version) for code, version in rows]
    return made


def loads(bare: int, ours: int, tokens: dict[str, str], orders: list[tuple[str, int]]) -> list[Load]:
    """The three kinds of request."""
    numbers = itertools.count()
    waiting = iter(orders)

    def insert() -> bytes:
        body = {"code": uuid.uuid4().hex, "text": "充值很方便，谢谢", "score": 5}
        return post("/answers", body)

    def answer() -> bytes:
        body = {"version": 1, "answers": {"q1": 4 + next(numbers) % 2}}
        key = uuid.uuid4().hex
        return post("/api/v1/public/surveys/bench/responses", body, Idempotency_Key=key)

    def accept() -> bytes | None:
        code, version = next(waiting, ("", 0))
        if not code:
            return None
        body = {"action": "accept", "version": version}
        sent = {"Authorization": f"Bearer {tokens['zhou']}", "Idempotency_Key": uuid.uuid4().hex}
        return post(f"/api/v1/orders/{code}/actions", body, **sent)

    return [Load("bare", bare, insert), Load("answer", ours, answer), Load("accept", ours, accept)]


def main(arguments: list[str]) -> None:
    """Prints rates and ratios; exits with 1 when a ratio misses its target."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    bare, ours = free_port(), free_port()
    with ExitStack() as stack:
        address = stack.enter_context(database())
        home = stack.enter_context(tempfile.TemporaryDirectory())
        environment = os.environ | {
            "DATABASE_URL": address,
            "HUISHENG_HOME": home,
            "HUISHENG_PUBLIC_RATE": "10000000 per minute",
        }
        engine = store.engine(address)
        stack.callback(engine.dispose)
        migrate.upgrade(engine)
        Path(home, "setup.yaml").write_text(SETUP, "utf-8")
        huisheng(environment, "setup", f"{home}/setup.yaml")
        tokens = {login: huisheng(environment, "token", login).split()[-1] for login in ("lin", "zhou")}
        orders = dispatched(engine, ORDERS)
        stack.enter_context(server([_HUISHENG, "serve", "--no-worker", "--port"], ours, environment))
        stack.enter_context(server([sys.executable, "-c", _BARE], bare, environment))
        published(ours, tokens["lin"])
        asked = loads(bare, ours, tokens, orders)
        for number in range(rounds + 1):
            for load in asked:
                load.round(SECONDS, CLIENTS)
                if number == 0:  # the first round warms up
                    load.rates.clear()
                    load.times.clear()
    sys.exit(show(asked))


def show(asked: list[Load]) -> int:
    """The table; 1 when a target is missed."""
    yardstick = statistics.median(asked[0].rates)
    missed = 0
    sys.stdout.write(f"{'':<8}{'per second':>11}{'p50 ms':>9}{'p95 ms':>9}{'of bare':>9}{'target':>8}\n")
    for load in asked:
        rate = statistics.median(rate for rate in load.rates if rate)
        p50, p95 = (quantile(load.times, share) * 1000 for share in (0.5, 0.95))
        target = TARGETS.get(load.name)
        missed |= target is not None and rate / yardstick < target
        shown = f"{target:>8}" if target else ""
        sys.stdout.write(f"{load.name:<8}{rate:>11.0f}{p50:>9.1f}{p95:>9.1f}{rate / yardstick:>9.2f}{shown}\n")
    return int(missed)
