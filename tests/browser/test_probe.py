"""The probe on somebody else's page: strict policy, unload, no network, masking, and the question after a failure."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from probes import event
from probes.web.sdk import script
from surveys import library
from surveys.web.bundle import widget

HOST = "http://shop.example"
SERVICE = "http://feedback.example"
POLICY = f"default-src 'none'; script-src {HOST} {SERVICE}; connect-src {SERVICE}; style-src 'none'"
PAGE = f"""<!doctype html><html lang=zh-CN><body><main data-hs-touchpoint="web.recharge">
<form id=pay data-hs-step="pay"><input id=number><button id=go>充值</button></form>
<section id=ok data-hs-success hidden>完成</section></main><a href="{HOST}/elsewhere">别处</a>
<script src="{HOST}/boot.js"></script>
<script src="{SERVICE}/sdk/v1.js" data-site="site_demo" data-province="guangdong" defer></script></body></html>"""
BOOT = """window.hs = window.hs || function () { (window.hs.q = window.hs.q || []).push(arguments); };
window.faults = [];
addEventListener("securitypolicyviolation", (e) => faults.push(e.violatedDirective));
addEventListener("submit", (e) => e.preventDefault());"""
DEFINITION = {
    name: part
    for name, part in library.templates()["recharge"].definition.items()
    if name not in ("distribution", "actions")
}

pytestmark = pytest.mark.browser


class Service:
    """A collector that remembers what it was sent."""

    def __init__(self) -> None:
        self.batches: list[dict[str, Any]] = []
        self.is_up, self.invites, self.config = True, False, {"enabled": True, "sample": 1.0}

    def answer(self, route: Route) -> None:
        allowed = {"Access-Control-Allow-Origin": HOST}
        url = route.request.url
        if "/sdk/" in url:
            made = script().text if url.endswith("/v1.js") else widget().text
            route.fulfill(body=made, content_type="text/javascript; charset=utf-8", headers=allowed)
        elif not self.is_up:
            route.abort()
        elif "/config" in url:
            route.fulfill(body=json.dumps(self.config), content_type="application/json", headers=allowed)
        elif url.endswith("/collect/v1/events"):
            self.batches.append(json.loads(route.request.post_data or "{}"))
            route.fulfill(status=202, body=self._told(), content_type="application/json", headers=allowed)
        else:
            route.fulfill(status=201, body="{}", content_type="application/json", headers=allowed)

    def _told(self) -> str:
        invitation = None
        if self.invites and any(one["type"] == "fail" for one in self.batches[-1]["events"]):
            invitation = {
                "token": "token-1", "survey": "recharge", "version": 1, "url": f"{SERVICE}/s/recharge",
                "definition": DEFINITION, "snapshot": {"ctx": {}, "probe": {}, "tag": {}, "url": {}},
            }  # fmt: skip
        return json.dumps({"accepted": 1, "duplicate": 0, "rejected": [], "invitation": invitation})

    def events(self) -> list[dict[str, Any]]:
        return [one for batch in self.batches for one in batch["events"]]

    def types(self) -> list[str]:
        return [one["type"] for one in self.events()]


@pytest.fixture
def service(context: BrowserContext) -> Iterator[Service]:
    made, policy = Service(), {"Content-Security-Policy": POLICY}
    context.set_default_timeout(8_000)
    context.route(f"{SERVICE}/**", made.answer)
    context.route(f"{HOST}/**", lambda route: route.fulfill(body=PAGE, content_type="text/html", headers=policy))
    context.route(f"{HOST}/boot.js", lambda route: route.fulfill(body=BOOT, content_type="text/javascript"))
    yield made
    context.unroute_all(behavior="ignoreErrors")


def until(page: Page, is_so: Any) -> None:
    """Lets the page run until the service has seen it."""
    for _ in range(160):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not happen in 8 seconds")


def test_a_recharge_is_told_step_by_step_under_the_strictest_policy(page: Page, service: Service) -> None:
    page.goto(f"{HOST}/")
    page.locator("#go").click()
    page.evaluate("document.getElementById('ok').hidden = false")
    until(page, lambda: "success" in service.types())
    told = [kind for kind in service.types() if kind in ("view", "start", "step", "success")]
    assert told == ["view", "start", "step", "success"]
    batch = service.batches[0]
    assert batch["site"] == "site_demo"
    assert batch["session"]
    assert batch["device"]
    assert all(one["touchpoint"] == "web.recharge" for one in service.events())
    assert all(one["type"] in event.TYPES and one["props"]["province"] == "guangdong" for one in service.events())
    assert page.evaluate("faults") == []


def test_what_happened_survives_leaving_the_page(page: Page, service: Service) -> None:
    page.goto(f"{HOST}/")
    page.locator("#number").click()
    page.goto(f"{HOST}/elsewhere")
    until(page, lambda: "abandon" in service.types())


def test_without_a_network_events_wait_and_keep_their_ids(page: Page, service: Service) -> None:
    page.goto(f"{HOST}/")
    until(page, lambda: "view" in service.types())
    service.is_up = False
    page.evaluate("hs('fail', 'PAY_TIMEOUT', {touchpoint: 'web.recharge', ms: 12000})")
    page.wait_for_function("(localStorage.getItem('hs_queue') || '').includes('PAY_TIMEOUT')")
    waiting = page.evaluate("JSON.parse(localStorage.getItem('hs_queue')).map((item) => item.e.id)")
    service.is_up = True
    page.goto(f"{HOST}/elsewhere")
    until(page, lambda: "fail" in service.types())
    assert set(waiting) <= {one["id"] for one in service.events()}
    page.wait_for_function("!localStorage.getItem('hs_queue')")


def test_a_failure_is_asked_about_once_the_task_has_ended(page: Page, service: Service) -> None:
    service.invites = True
    page.goto(f"{HOST}/")
    page.locator("#number").click()
    page.evaluate("hs('fail', 'PAY_TIMEOUT', {ms: 12000})")
    expect(page.get_by_role("dialog", name="充值体验")).to_be_visible()
    assert page.evaluate("faults") == []


def test_numbers_and_addresses_never_leave_the_page(page: Page, service: Service) -> None:
    page.goto(f"{HOST}/")
    page.locator("#number").fill("13800138000")
    page.evaluate("hs('event', 'note', {props: {said: 'call 138 0013 8000 or a.b@example.com', n: 13800138000}})")
    until(page, lambda: "custom" in service.types())
    sent = json.dumps(service.batches)
    assert not [personal for personal in ("13800138000", "138 0013", "example.com") if personal in sent]


def test_the_switch_in_the_configuration_silences_it(page: Page, service: Service) -> None:
    service.config = {"enabled": False}
    page.goto(f"{HOST}/")
    page.evaluate("hs('fail', 'PAY_TIMEOUT')")
    page.wait_for_timeout(1_500)
    assert service.batches == []


def test_the_script_does_not_grow() -> None:
    assert len(script().gzipped) <= 6.75 * 1024  # the aim is 6 KiB
