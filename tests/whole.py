"""The whole application over a database with the known people and one order in Guangdong; every request is undone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import g
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlmodel import Session, select
from werkzeug.test import TestResponse

from app import create_app
from experience.ground.config import Settings
from experience.ground.store import transaction
from experience.issues import operations as issues
from experience.orders import operations as orders
from experience.orders.operations import DispatchIn
from experience.orders.tables import WorkOrder
from experience.organisation import operations
from experience.organisation.operations import UserIn, issue_token, logins
from experience.organisation.permissions import SYSTEM
from experience.organisation.tables import Login
from experience.voices import operations as voices
from experience.voices.intake import VoiceIn
from experience.web import door, security
from tests.people import PASSWORD, PASSWORD_HASH, PEOPLE, build_house

#: In the voice, the issue and the order of Guangdong, and nowhere else.
MARK = "粤电缆沟机密"
PHONE = "13812345678"


class Whole:
    """The application, who may call it, and what it holds."""

    def __init__(self, engine: Engine, home: Path, now: datetime) -> None:
        self.engine, self.now = engine, now
        url = engine.url.render_as_string(hide_password=False)
        self.app = create_app(Settings(home=home, DATABASE_URL=url, database_pool=2))
        self.app.config["WTF_CSRF_METHODS"] = []  # tokens are tested in test_security
        self.app.before_request(lambda: setattr(g, "now", self.now))
        self.keys: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.facts: dict[str, str] = {}
        with transaction(engine) as session:
            house = build_house(session, now)
            orders.ensure_defaults(session)
            operations.ensure_user(
                session, UserIn("spare", "备", (("hunan", "viewer"),), password_hash=PASSWORD_HASH), now=now
            )
            for login in PEOPLE:
                key = logins.log_in(session, login, PASSWORD, now=now)
                assert key is not None
                self.keys[login], self.tokens[login] = key, issue_token(session, SYSTEM, login, now=now)
            self.tokens["narrowed"] = issue_token(session, SYSTEM, "lin", now=now, scopes=["touchpoints.read"])
            self._fill(session, house)

    def _fill(self, session: Session, house: Any) -> None:
        lin = house.scope("lin")
        told = VoiceIn(f"{MARK}：充值扣了钱没到账，电话{PHONE}", "hotline", "x1", province="guangdong")
        voice = voices.hear(session, lin, told, now=self.now)
        raised = issues.IssueIn(f"{MARK}不到账", 2, "web.recharge", province="guangdong", voices=[voice.id or 0])
        issue = issues.raise_issue(session, lin, raised, now=self.now)
        given = DispatchIn(units=["guangdong"], type="experience", instructions=f"请核查{MARK}")
        orders.dispatch(session, lin, issue.id or 0, given, now=self.now)
        held = session.exec(select(WorkOrder).order_by(WorkOrder.level.desc())).first()  # type: ignore[attr-defined]
        assert held is not None
        self.facts = {"voice": str(voice.id), "issue": issue.code, "order": held.code, "version": str(held.version)}

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Requests inside see one transaction that is rolled back afterwards."""
        with self.engine.connect() as connection:
            outer = connection.begin()
            connection.begin_nested()
            kept, self.app.extensions["huisheng.engine"] = self.app.extensions["huisheng.engine"], connection
            try:
                yield
            finally:
                self.app.extensions["huisheng.engine"] = kept
                outer.rollback()

    def client(self, who: str | None, path: str) -> tuple[FlaskClient, dict[str, str]]:
        """A client as this person: by token for programs, by cookie for pages."""
        client = self.app.test_client()
        if who is None:
            return client, {}
        if path.startswith("/api/") or who not in self.keys:
            return client, {"Authorization": f"Bearer {self.tokens[who]}"}
        client.set_cookie(door.COOKIE, self.keys[who])
        return client, {}

    def ask(self, who: str | None, method: str, path: str, **more: Any) -> TestResponse:
        """This person's request, undone afterwards."""
        client, headers = self.client(who, path)
        with self.undone():
            return client.open(
                path, method=method, buffered=True, headers={**headers, **more.pop("headers", {})}, **more
            )


def make(engine: Engine, home: Path, now: datetime) -> Whole:
    """The whole application, unhurried by rate limits."""
    security.limiter.enabled = False
    whole = Whole(engine, home, now)
    with transaction(engine) as session:  # seen just now, so that no request writes that
        for row in session.exec(select(Login)):
            row.seen_at = now + timedelta(seconds=30)
    return whole
