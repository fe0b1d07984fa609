"""Put the web application together: protections, languages, errors, and every page and operation of this package."""

import importlib
from typing import Any

from flask import Flask, g, request
from flask_babel import Babel
from sqlalchemy import Engine

from experience.ground.config import Settings
from experience.web import door, errors, saying, security
from experience.web.api import contract

LANGUAGES = ("zh", "en")
_TAGS = {"zh": "zh-CN", "en": "en"}
#: Page modules of this package, each with a `bp`.  # register here
PAGES = (
    "kit", "auth", "home", "imports", "exports", "voices", "topics", "topic_files", "issues", "orders", "desk",
    "supervision", "notices", "rants", "receipts", "sites", "health", "account", "admin", "audit", "discovery",
    "lexicon", "learning", "models", "admin_loop", "admin_policies",
)  # fmt: skip
#: Modules of operations; importing one registers it.  # register here
OPERATIONS = (
    "me", "voices", "issues", "orders", "notices", "customers", "audit", "units", "public_voices", "openapi",
)  # fmt: skip


def make(chosen: Settings, engine: Engine) -> Flask:
    """The application with everything of `experience`; surveys and probes register theirs afterwards."""
    app = Flask("experience.web", static_folder="static", template_folder="templates")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False  # a redirect is no answer of the API
    security.install(app, chosen)
    Babel(app, default_locale="zh", default_timezone="Asia/Shanghai", locale_selector=language)
    saying.install(app)
    errors.install(app)
    door.bind(app, engine)
    app.context_processor(_shared)
    for name in PAGES:
        app.register_blueprint(importlib.import_module(f"experience.web.{name}").bp)
    register_operations(app, "experience.web.api", OPERATIONS)
    return app


def register_operations(app: Flask, package: str, modules: tuple[str, ...]) -> None:
    """Imports the modules, which registers their operations, and mounts those not mounted yet."""
    for name in modules:
        importlib.import_module(f"{package}.{name}")
    contract.mount(app)


def language() -> str:
    """The reader's language: asked for now, chosen in the account, or the browser's wish; Chinese otherwise."""
    asked = request.args.get("lang", "")[:2] or request.cookies.get("hs_lang", "")[:2]
    if asked in LANGUAGES:
        return asked
    if "caller" in g and g.caller.locale[:2] in LANGUAGES:
        return str(g.caller.locale[:2])
    return request.accept_languages.best_match(LANGUAGES, "zh") or "zh"


def _shared() -> dict[str, Any]:
    return {"lang": _TAGS[language()], "now": door.now()}
