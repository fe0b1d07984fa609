"""Every page in Chromium on a phone: the browser complains of nothing, no script is refused, nothing is too wide."""

from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from bench import pages
from experience.web import door
from tests.browser.conftest import served
from tests.conftest import NOW

pytestmark = pytest.mark.browser

#: A triager, a designer, a coordinator and the administrator open every route there is between them.
PEOPLE = ("lin", "he", "zhou", "admin")
#: Who handles holds little, so pages that others saw look different: all of theirs are opened again.
HANDLER = "chenbo"
WIDTH = 390
#: Fewer pages than this were not the whole product.
LEAST = 70


def test_no_page_complains_or_is_wider_than_a_phone(demo_app: Flask, browser: Browser) -> None:
    complaints: list[str] = []
    wide: list[tuple[str, str, int]] = []
    planned = plan(demo_app)
    with served(demo_app) as url:
        for who, (key, paths) in planned.items():
            page = sit(browser, url, key, complaints)
            for path in paths:
                answer = page.goto(f"{url}{path}", wait_until="load")
                assert answer is not None
                assert answer.status < 400, (who, path)
                width = page.evaluate("document.documentElement.scrollWidth")
                if width > WIDTH:
                    wide.append((who, path, width))
            page.context.close()
    assert complaints == []
    assert wide == []
    assert sum(len(paths) for _, paths in planned.values()) >= LEAST


def plan(app: Flask) -> dict[str, tuple[str, list[str]]]:
    """Who -> their log-in key and the pages they open; a route is opened by the first who can."""
    found: dict[str, tuple[str, list[str]]] = {}
    opened: set[str | None] = set()
    engine = app.extensions["huisheng.engine"]
    for who, (client, starts) in pages.visitors(app, engine, now=NOW, logins=(*PEOPLE, HANDLER)).items():
        cookie = client.get_cookie(door.COOKIE)
        by_rule = {pages.rule_of(app, urlsplit(path).path): path for path in pages.crawl(app, client, starts, most=1)}
        fresh = [path for rule, path in by_rule.items() if who == HANDLER or rule not in opened]
        found[who] = (cookie.value if cookie else "", fresh)
        opened |= by_rule.keys()
    return found


def sit(browser: Browser, url: str, key: str, complaints: list[str]) -> Page:
    """A phone of this person; what its browser complains of is kept with the page's address."""
    context = browser.new_context(locale="zh-CN", viewport={"width": WIDTH, "height": 844})
    if key:
        context.add_cookies([{"name": door.COOKIE, "value": key, "url": url}])
    page = context.new_page()
    page.on("console", lambda m: complaints.append(f"{page.url} {m.text}") if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(f"{page.url} {error}"))
    return page
