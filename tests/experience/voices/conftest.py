"""The public pages and the API of voices and issues, on a database of the test's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import Babel
from sqlalchemy import Engine
from sqlmodel import Session

from experience.ground import config
from experience.ground.store import transaction
from experience.web import assembly, door, errors, security
from tests.people import build_house


@dataclass
class Web:
    """A client, its application, the engine underneath, and tokens by login."""

    app: Flask
    client: FlaskClient
    engine: Engine
    tokens: dict[str, str]

    def bearer(self, login: str, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[login]}", **more}


@pytest.fixture
def web(own_database: Engine, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Web:
    """Nobody waits for other rooms' pages here: only what the public pages and these operations stand on."""
    chosen = config.Settings(home=tmp_path, secret_key="for-tests", public_rate="10000 per minute", _env_file=None)
    for module in ("experience.web.rants", "experience.web.api.public_voices"):
        monkeypatch.setattr(f"{module}.settings", lambda: chosen)
    monkeypatch.setattr("experience.web.door.clock.now", lambda: now)
    app = Flask("experience.web", static_folder="static", template_folder="templates")
    app.url_map.strict_slashes = False
    security.install(app, chosen)
    Babel(app, default_locale="zh", default_timezone="Asia/Shanghai", locale_selector=assembly.language)
    errors.install(app)
    door.bind(app, own_database)
    app.context_processor(assembly._shared)
    for name in ("kit", "rants", "receipts", "sites"):
        app.register_blueprint(import_module(f"experience.web.{name}").bp)
    assembly.register_operations(app, "experience.web.api", ("voices", "issues", "public_voices"))
    with transaction(own_database) as session:
        house = build_house(session, now)
        tokens = {login: house.token(login) for login in ("lin", "zhou", "wang", "privacy", "viewer", "analyst")}
    return Web(app, app.test_client(), own_database, tokens)


@pytest.fixture
def rows(web: Web) -> Iterator[Session]:
    """A session of its own beside the web's, to look at what was kept."""
    with Session(web.engine) as made:
        yield made
