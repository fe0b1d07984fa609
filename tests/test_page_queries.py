"""No page asks the database more often than fifteen times, for any set of roles, on a small demo."""

from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask.testing import FlaskClient
from sqlalchemy import Engine

from bench import pages
from tests.conftest import NOW

#: Routes that show no page of their own: files, numbers for machines, parts of a page, downloads.
NO_PAGES = (
    "/api/", "/collect/", "/static/", "/sdk/", "/probes/static/", "/healthz", "/readyz", "/metrics", "/logout",
    "/demo/tour/state", "/notices/menu", "/issues/alike",
)  # fmt: skip
PARTS = (".csv", ".json", ".svg", ".xlsx", "/progress", "/rejects", "/events", "/similar")
#: Pages no link leads to, or only a row that a small demo lacks.
UNLINKED = {
    "/models/<any(train, back, reread):what>": "takes a form; a reload is led to the models",
    "/orders/bulk": "takes a form; a reload is led to the orders",
    "/desk/<code>/<action>": "a part of the desk, fetched when a row is opened",
    "/s/again/<receipt>": "a small demo may have nobody who is still to answer",
    "/rants/embed": "framed by the sites that embed it; needs a site",
    "/voices/import/<int(max=9223372036854775807):import_id>": "the demo imports nothing",
    "/discovery/runs/<int(max=9223372036854775807):row_id>": "the demo looks for nothing by hand",
}

#: The centre's triager, a coordinator, a designer, the administrator: between them they open every route. One who
#: handles and one who calls back hold little: what they may not open is not offered to them.
PEOPLE = ("lin", "zhou", "he", "admin", "chenbo", "ye")


def test_every_page_is_reached_answers_and_asks_fifteen_times_at_the_most(demo_app: Flask) -> None:
    app, engine = demo_app, demo_app.extensions["huisheng.engine"]
    found = pages.visitors(app, engine, now=NOW, logins=PEOPLE)
    refused, heavy = watched(app)
    reached: set[str | None] = set()
    with pages.counted(engine) as statements:
        app.extensions["statements"] = statements
        for client, starts in found.values():
            walked = pages.crawl(app, client, starts, most=1)
            reached |= {pages.rule_of(app, urlsplit(path).path) for path in walked}
    assert refused == []
    warm = [(who, path) for who, path in heavy if asked(engine, found[who][0], path) > pages.QUERIES]
    assert warm == []
    shown = {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and _is_page(rule.rule)}
    assert sorted(shown - reached - UNLINKED.keys()) == []


def watched(app: Flask) -> tuple[list[tuple[int, str]], list[tuple[str, str]]]:
    """Lists that fill as pages are asked for: what was refused, and who asked the database too often for what."""
    refused: list[tuple[int, str]] = []
    heavy: list[tuple[str, str]] = []

    @app.before_request
    def begin() -> None:
        g.before = len(app.extensions["statements"])

    @app.after_request
    def end(answer: Response) -> Response:
        if answer.status_code >= 400:
            refused.append((answer.status_code, request.full_path))
        elif len(app.extensions["statements"]) - g.before > pages.QUERIES:
            heavy.append((g.user.login if "user" in g else pages.CUSTOMER, request.full_path))
        return answer

    return refused, heavy


def asked(engine: Engine, client: FlaskClient, path: str) -> int:
    """Statements of a page whose process is warm: units, calendars and the like are kept for seconds."""
    client.get(path)
    with pages.counted(engine) as statements:
        client.get(path)
    return len(statements)


def _is_page(rule: str) -> bool:
    return not rule.startswith(NO_PAGES) and not rule.endswith(PARTS) and "/export." not in rule
