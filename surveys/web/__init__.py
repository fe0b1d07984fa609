"""The surveys' doors: customers' pages and API, the studio, the staff API."""

from flask import Flask

from experience.web.assembly import register_operations
from experience.web.receipts import know_answers
from experience.web.security import csrf
from surveys.web import pages, studio
from surveys.web.receipts import answered

#: Modules of operations; importing one registers it.
OPERATIONS = ("public_api", "api")


def register(app: Flask) -> None:
    """Gives the application the surveys' pages and operations."""
    csrf.exempt(pages.bp)  # no cookie is involved on customers' pages, so there is nothing to forge
    app.register_blueprint(pages.bp)
    app.register_blueprint(studio.bp)
    register_operations(app, "surveys.web", OPERATIONS)
    know_answers(app, answered)
