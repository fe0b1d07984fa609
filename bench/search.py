"""The list and the search of a million voices: in the queries, over the API, and as pages; `huisheng bench search`.

    huisheng bench million && huisheng bench search --database million

Every case is asked as the centre and as one province, folded as the page shows it. Exits with 1 when a p95 misses.
"""

import argparse
import os
import re
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

from sqlalchemy import Engine
from sqlmodel import Session, select

from bench.http import free_port, huisheng, server
from bench.load import Connection, quantile
from bench.million import database
from experience.ground import clock, store
from experience.ground.store import transaction
from experience.organisation import credentials
from experience.organisation.queries import scope_of
from experience.organisation.tables import Login, User
from experience.voices import queries
from experience.voices.queries import Filters
from experience.web import door

TARGET_MS, ROUNDS, DEEP = 200, 12, 12
LOGINS = {"centre": "lin", "province": "zhou"}
WORDS = {
    "common": "宽带",
    "commonest": "客服",
    "thousands": "携号转网",
    "hundreds": "天通卫星",
    "rare": "量子密话",
    "unknown": "月球基站",
    "two words": "宽带 退款",
    "five words": "客服 宽带 断网 维修 态度",
    "phrase": "“没人管”",
    "three characters": "网速慢",
    "one character": "卡",
    "without": "宽带 -断网",
    "only without": "-宽带",
    "two rare": "校园网 量子密话",
    "two topics": "发票 信号",
    "traditional": "網絡 信號",
}
NARROWED: dict[str, dict[str, str]] = {
    "topic": {"topic": "store"},
    "label": {"label": "positive"},
    "urgency": {"urgency": "3"},
    "touchpoint": {"touchpoint": "app.sim"},
    "province": {"province": "guangdong"},
    "source": {"source": "store"},
    "product": {"product": "iot"},
    "intent": {"intent": "suggestion"},
}
SERVE = [str(Path(sys.executable).with_name("huisheng")), "serve", "--no-worker", "--port"]


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked, as the page's address says it; `pages` are turned first."""

    name: str
    asked: dict[str, str]
    pages: int = 0

    @property
    def filters(self) -> Filters:
        """The same for the query."""
        told: dict[str, Any] = {**self.asked}
        since, until = told.pop("from", ""), told.pop("to", "")
        if "urgency" in told:
            told["urgency"] = int(told["urgency"])
        return Filters(**told, since=_day(since), until=_day(until))


def _day(written: str) -> datetime | None:
    return datetime.fromisoformat(f"{written}T00:00:00+08:00") if written else None


def cases(now: datetime) -> Iterator[Case]:
    """Words from common to unknown, each filter with a common word, filters alone, deep pages."""
    for name, q in WORDS.items():
        yield Case(name, {"q": q})
        yield Case(f"{name}, newest", {"q": q, "sort": "newest"})
    last_year = {"from": _back(now, 430), "to": _back(now, 400)}
    periods = {"last week": {"from": _back(now, 7)}, "a month": last_year, "long ago": {"to": _back(now, 400)}}
    for name, more in (NARROWED | periods).items():
        yield Case(f"common + {name}", {"q": "宽带", **more})
        yield Case(f"common + {name}, newest", {"q": "宽带", "sort": "newest", **more})
        yield Case(f"{name} alone", more)
    unlikely = {"label": "positive", "urgency": "3"}
    yield Case("urgent praise", unlikely)
    yield Case("common + urgent praise", {"q": "宽带", **unlikely})
    yield Case("unlikely five", {**unlikely, "topic": "store", "source": "weibo", "touchpoint": "app.sim"})
    yield Case("everything", {})
    yield Case("everything, deep", {}, DEEP)
    yield Case("common, deep", {"q": "宽带", "sort": "newest"}, DEEP)
    yield Case("common, 6 pages on", {"q": "宽带"}, 6)
    yield Case("topic, deep", {"topic": "billing"}, DEEP)


def _back(now: datetime, days: int) -> str:
    return f"{now - timedelta(days=days):%Y-%m-%d}"


@dataclass
class Asker:
    """A way to ask: gives the next cursor, if any."""

    name: str
    ask: Callable[[Case, str], str | None]


def timed(asker: Asker, case: Case) -> list[float]:
    """Milliseconds of each round, after the pages before it were turned once."""
    cursor = ""
    for _ in range(case.pages):
        cursor = asker.ask(case, cursor) or cursor
    asker.ask(case, cursor)
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        asker.ask(case, cursor)
        found.append((time.perf_counter() - began) * 1000)
    return found


def by_query(engine: Engine, login: str) -> Asker:
    """Through the query itself, as the page asks it."""
    with Session(engine) as session:
        scope = scope_of(session, session.exec(select(User).where(User.login == login)).one(), clock.now())

    def ask(case: Case, cursor: str) -> str | None:
        with Session(engine) as session:
            return queries.page(session, scope, case.filters, cursor=cursor, limit=40, is_folded=True).next

    return Asker("query", ask)


def browser(engine: Engine, port: int, login: str) -> Callable[[str], bytes]:
    """Gives the body of a path as this user: logged in for pages, with a token for the API."""
    key, connection = secrets.token_urlsafe(32), Connection(port)
    with transaction(engine) as session:
        user = session.exec(select(User.id).where(User.login == login)).one()
        now = clock.now()
        session.add(Login(key_hash=credentials.digest(key), user_id=user or 0, created_at=now, seen_at=now))

    environment = {**os.environ, "DATABASE_URL": engine.url.set(drivername="postgresql").render_as_string(False)}
    token = huisheng(environment, "token", login).split()[-1]

    def get(path: str) -> bytes:
        who = f"Authorization: Bearer {token}" if path.startswith("/api") else f"Cookie: {door.COOKIE}={key}"
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{who}\r\n\r\n"
        status, body = connection.ask(head.encode())
        if status != 200:
            raise RuntimeError(f"{path}: {status} {body[:300].decode(errors='replace')}")
        return body

    return get


def next_page(body: bytes) -> str | None:
    """The cursor of the next page that an answer of the API, or a page, tells."""
    told = body.rpartition(b'"next":')[2].strip(b' "}\n') if body.startswith(b"{") else b""
    if told or body.startswith(b"{"):
        return None if told == b"null" else told.decode()
    _, found, rest = body.rpartition(b"cursor=")
    return unquote(re.split(rb'["&]', rest)[0].decode()) if found else None


def over_http(engine: Engine, port: int, login: str) -> list[Asker]:
    """As a program and as a browser of this user would."""
    get = browser(engine, port, login)

    def way(name: str, path: str, **more: str) -> Asker:
        def ask(case: Case, cursor: str) -> str | None:
            return next_page(
                get(f"{path}?{urlencode({**case.asked, **more, **({'cursor': cursor} if cursor else {})})}")
            )

        return Asker(name, ask)

    return [way("api", "/api/v1/voices", limit="40", fold="true"), way("page", "/voices")]


def main(arguments: list[str]) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="huisheng bench search", description=__doc__)
    parser.add_argument("--database", default="million")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--no-http", action="store_true")
    chosen = parser.parse_args(arguments)
    url, port = database(chosen.database), free_port()
    engine = store.engine(url)
    asked = [case for case in cases(clock.now()) if chosen.only in case.name]
    with ExitStack() as stack:
        if not chosen.no_http:
            environment = {**os.environ, "DATABASE_URL": url.replace("+psycopg", "")}
            stack.enter_context(server(SERVE, port, environment))
        sys.exit(
            show(
                asked,
                lambda login: [by_query(engine, login), *([] if chosen.no_http else over_http(engine, port, login))],
            )
        )


def show(asked: list[Case], askers: Callable[[str], list[Asker]]) -> int:
    """The table; 1 when a p95 misses the target."""
    worst, missed, every = 0.0, 0, list[float]()
    sys.stdout.write(f"{'p50 / p95 ms':<34}")
    for who, login in LOGINS.items():
        ways = askers(login)
        sys.stdout.write(f"\n{who + ':':<34}" + "".join(f"{way.name:>16}" for way in ways) + "\n")
        for case in asked:
            line = f"  {case.name:<32}"
            for way in ways:
                times = timed(way, case)
                p95 = quantile(times, 0.95)
                every += times
                worst, missed = max(worst, p95), missed + (p95 > TARGET_MS)
                line += f"{statistics.median(times):>8.0f}{p95:>6.0f}{'!' if p95 > TARGET_MS else ' '} "
            sys.stdout.write(line.rstrip() + "\n")
            sys.stdout.flush()
    sys.stdout.write(
        f"all p95 {quantile(every, 0.95):.0f} ms, worst p95 {worst:.0f} ms, {missed} beyond {TARGET_MS} ms\n"
    )
    return 1 if missed else 0
