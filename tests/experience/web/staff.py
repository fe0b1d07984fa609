"""A member of staff at their browser, without the browser: logged in, forms sent with their tokens."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from experience.ground.config import Settings
from experience.ground.store import transaction
from experience.orders import operations as orders
from experience.organisation.operations import logins
from experience.web import assembly, door
from tests.people import PASSWORD, build_house

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_ONCE = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass
class Staff:
    """One person's session with the pages."""

    client: FlaskClient

    def see(self, path: str, *, status: int = 200) -> str:
        """The page's HTML."""
        answer = self.client.get(path)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:2000]}"
        return answer.text

    def send(self, page: str, to: str, /, **fields: Any) -> TestResponse:
        """Sends a form as it stands on `page`, to an address: with its CSRF token and its one-time token."""
        html = self.see(page)
        tokens = {"csrf_token": _TOKEN.findall(html)[0]}
        once = _ONCE.findall(html)
        if once:
            tokens["form_token"] = once[0]
        return self.client.post(to, data={**tokens, **fields})


class Office:
    """The pages over one database, at one instant."""

    def __init__(self, engine: Engine, home: Path, now: datetime) -> None:
        self.engine, self.now = engine, now
        with transaction(engine) as session:
            build_house(session, now)
            orders.ensure_defaults(session)
        self.app = assembly.make(Settings(home=home), engine)
        self.app.before_request(lambda: setattr(door.g, "now", self.now))

    def staff(self, login: str) -> Staff:
        """This person, logged in."""
        with transaction(self.engine) as session:
            key = logins.log_in(session, login, PASSWORD, now=self.now)
        assert key is not None
        client = self.app.test_client()
        client.set_cookie(door.COOKIE, key)
        return Staff(client)
