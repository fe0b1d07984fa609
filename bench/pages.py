"""Every page on the data there is: server time, queries, and the bytes of a first visit over the wire."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, func
from sqlmodel import Session, col, select
from werkzeug.exceptions import HTTPException

from bench.load import quantile
from experience.cli.serving import settle
from experience.cli.store import ready_engine
from experience.ground import clock
from experience.issues.tables import IssueSource
from experience.orders.tables import Effect, FollowUp
from experience.organisation import credentials
from experience.organisation.tables import Grant, Login, Unit, User
from experience.voices import intake
from experience.voices.tables import Voice
from experience.web import door
from experience.web.compress import Compressed
from surveys.tables import Survey

ROUNDS, SAMPLES = 12, 2
CUSTOMER, STAFF_DOORS = "customer", ("/login", "/demo/tour")
TIME_MS, QUERIES, STAFF_KB, PUBLIC_KB = 100, 15, 400, 60
_LINK = re.compile(r'<a\s[^>]*?href="([^"#]+)"')
_ASSET = re.compile(r'<(?:script|img|source)\s[^>]*?src="([^"]+)"|<link\s[^>]*?href="([^"]+)"[^>]*>')
_STYLE = re.compile(r'rel="(?:stylesheet|icon|modulepreload|preload|manifest)"')


@dataclass
class Page:
    """What was measured of one page."""

    who: str
    path: str
    times: list[float] = field(default_factory=list)
    queries: int = 0
    wire: int = 0

    @property
    def is_public(self) -> bool:
        """Whether it is a customer's page; the staff's door and the tour are open to all, too."""
        return self.who == CUSTOMER and not self.path.startswith(STAFF_DOORS)

    @property
    def failures(self) -> list[str]:
        """Which targets it misses."""
        limit = PUBLIC_KB if self.is_public else STAFF_KB
        return [
            name
            for name, is_missed in (
                ("time", quantile(self.times, 0.95) * 1000 > TIME_MS),
                ("queries", self.queries > QUERIES),
                ("weight", self.wire > limit * 1024),
            )
            if is_missed
        ]


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements run within."""
    seen: list[str] = []

    def note(*given: Any) -> None:
        seen.append(given[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def logged_in(app: Flask, engine: Engine, login: str, *, now: datetime) -> FlaskClient:
    """A browser of this user."""
    key = secrets.token_urlsafe(32)
    with Session(engine) as session:
        user = session.exec(select(User.id).where(User.login == login)).one()
        session.add(Login(key_hash=credentials.digest(key), user_id=user or 0, created_at=now, seen_at=now))
        session.commit()
    client = app.test_client()
    client.set_cookie(door.COOKIE, key)
    return client


def people(engine: Engine) -> list[str]:
    """One login for every set of roles at every kind of unit; a short login where there are several."""
    roles = func.string_agg(col(Grant.role).distinct(), "+")
    held = (
        select(Unit.kind, User.login, roles)
        .join(Grant, col(Grant.unit_id) == Unit.id)
        .join(User, col(User.id) == Grant.user_id)
        .where(col(User.is_active))
        .group_by(col(Unit.kind), col(User.login))
        .order_by(col(Unit.kind), func.length(User.login), col(User.login))
    )
    with Session(engine) as session:
        chosen: dict[tuple[str, str], str] = {}
        for kind, login, its_roles in session.exec(held).all():
            chosen.setdefault((kind, its_roles), login)
    return list(chosen.values())


def rule_of(app: Flask, path: str) -> str | None:
    """The route behind a path, or None when it is no page of ours."""
    try:
        rule, _ = app.url_map.bind("localhost").match(path, method="GET", return_rule=True)
    except HTTPException:
        return None
    return None if rule.rule.startswith(("/static", "/api", "/collect", "/logout", "/metrics")) else str(rule.rule)


def crawl(app: Flask, client: FlaskClient, starts: list[str], *, most: int = SAMPLES) -> list[str]:
    """Pages that can be reached by links, at most a few of each route."""
    queue, seen, samples, found = deque(starts), set(starts), dict[str, int](), list[str]()
    while queue:
        path = queue.popleft()
        rule = rule_of(app, urlsplit(path).path)
        if rule is None or samples.get(rule, 0) >= most:
            continue
        answer = client.get(path)
        if answer.status_code != 200 or answer.mimetype != "text/html":  # noqa: PLR2004
            answer.close()  # a download is not read to its end
            continue
        samples[rule] = samples.get(rule, 0) + 1
        found.append(path)
        for link in _LINK.findall(answer.text):
            there = urljoin(path, link.replace("&amp;", "&"))
            if there.startswith("/") and there not in seen:
                seen.add(there)
                queue.append(there)
    return found


def measure(page: Page, client: FlaskClient, engine: Engine) -> Page:
    """Asks a few times, counts the statements of a warm one, weighs a first visit."""
    client.get(page.path)
    settle()  # as the server does when it starts
    with counted(engine) as statements:
        answer = client.get(page.path)
    page.queries = len(statements)
    for _ in range(ROUNDS):
        began = time.perf_counter()
        client.get(page.path)
        page.times.append(time.perf_counter() - began)
    assets = {
        script or link
        for script, link, whole in ((*match.groups(), match.group(0)) for match in _ASSET.finditer(answer.text))
        if script or _STYLE.search(whole)
    }
    local = {asset for asset in assets if asset.startswith("/")}
    page.wire = sum(weight(client, path.replace("&amp;", "&")) for path in {page.path, *local})
    return page


def weight(client: FlaskClient, path: str) -> int:
    """Bytes of an answer as they travel, headers included."""
    answer = client.get(path, headers={"Accept-Encoding": "gzip"})
    head = sum(len(name) + len(value) + 4 for name, value in answer.headers)
    return head + len(answer.get_data())


def first_page_seconds() -> float:
    """From the command to the first answered page, as `make run` waits for it on a database that is filled."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port = tried.getsockname()[1]
    began = time.perf_counter()
    program = [str(Path(sys.executable).with_name("huisheng")), "serve", "--port", str(port)]
    server = subprocess.Popen(program, stderr=subprocess.DEVNULL, env=os.environ)
    try:
        while time.perf_counter() - began < 120:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=10).close()
            except OSError:
                time.sleep(0.02)
            else:
                return time.perf_counter() - began
        raise RuntimeError("the server did not answer within two minutes")
    finally:
        server.terminate()
        server.wait()


def measured(app: Flask, engine: Engine) -> list[Page]:
    """All pages of a customer, of the centre and of a province."""
    app.wsgi_app = Compressed(app.wsgi_app)  # type: ignore[method-assign]
    return [
        measure(Page(who, path), client, engine)
        for who, (client, starts) in visitors(app, engine, now=clock.now()).items()
        for path in crawl(app, client, starts)
    ]


def visitors(
    app: Flask, engine: Engine, *, now: datetime, logins: Sequence[str] = ()
) -> dict[str, tuple[FlaskClient, list[str]]]:
    """Who looks -> their browser, and the pages from which links lead to all others; `logins` instead of everybody."""
    public = ["/login", "/rants", "/demo/hall", "/demo/tour", *survey_pages(engine), *receipt_pages(engine)]
    staff = {login: (logged_in(app, engine, login, now=now), ["/"]) for login in logins or people(engine)}
    return {CUSTOMER: (app.test_client(), public), **staff}


def receipt_pages(engine: Engine) -> list[str]:
    """What became of a word whose issue has an effect and of one whose author is asked again, by new receipts."""
    told = (
        select(IssueSource.row)
        .join(Effect, col(Effect.issue_id) == col(IssueSource.issue_id))
        .where(IssueSource.kind == "voice", col(Effect.verdict) == "better")
    )
    asked = select(FollowUp.voice_id).where(FollowUp.state == "invited")
    paths = []
    with Session(engine) as session:
        for rows, shapes in ((told, ("/v/{}",)), (asked, ("/v/{}", "/s/again/{}"))):
            voice = session.exec(select(Voice).where(col(Voice.id).in_(rows)).order_by(col(Voice.id)).limit(1)).first()
            if voice is not None:
                receipt = secrets.token_urlsafe(18)
                voice.receipt_hash = intake.digest(receipt)
                session.commit()
                paths += [shape.format(receipt) for shape in shapes]
    return paths


def survey_pages(engine: Engine) -> list[str]:
    """Pages of two published surveys, and where they end."""
    with Session(engine) as session:
        codes = session.exec(select(Survey.code).order_by(Survey.code).limit(SAMPLES)).all()
    return [path for code in codes for path in (f"/s/{code}", f"/s/{code}/thanks")]


def main(arguments: list[str]) -> None:
    """Prints the table; with `--json` as JSON. Exits with 1 when a page misses a target."""
    from app import create_app  # noqa: PLC0415

    engine = ready_engine()
    app = create_app()
    pages = measured(app, app.extensions["huisheng.engine"])
    engine.dispose()
    until_first = first_page_seconds()
    if "--json" in arguments:
        rows = [as_json(page) for page in pages]
        sys.stdout.write(json.dumps({"first_page_seconds": until_first, "pages": rows}, ensure_ascii=False) + "\n")
    else:
        show(pages, until_first)
    sys.exit(1 if any(page.failures for page in pages) else 0)


def as_json(page: Page) -> dict[str, Any]:
    """A page's figures."""
    return {
        "who": page.who,
        "path": page.path,
        "p50_ms": round(quantile(page.times, 0.5) * 1000, 2),
        "p95_ms": round(quantile(page.times, 0.95) * 1000, 2),
        "queries": page.queries,
        "wire_bytes": page.wire,
        "misses": page.failures,
    }


def show(pages: list[Page], until_first: float) -> None:
    """The table for people."""
    out = sys.stdout.write
    out(f"{'who':<10}{'p50 ms':>8}{'p95 ms':>8}{'queries':>9}{'KB':>7}  page\n")
    for page in pages:
        p50, p95 = (quantile(page.times, share) * 1000 for share in (0.5, 0.95))
        missed = f"   <- {', '.join(page.failures)}" if page.failures else ""
        out(f"{page.who:<10}{p50:>8.1f}{p95:>8.1f}{page.queries:>9}{page.wire / 1024:>7.0f}  {page.path}{missed}\n")
    out(f"targets: p95 {TIME_MS} ms, {QUERIES} queries, {PUBLIC_KB} KB for customers and {STAFF_KB} KB for staff\n")
    out(f"first page {until_first:.1f} s after the start\n")
