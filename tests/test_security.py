"""What RELIABILITY.md promises of sessions, forms, headers and other people's text."""

import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Response
from sqlmodel import select

from experience.ground.config import Settings
from experience.ground.errors import Conflict
from experience.ground.i18n import say
from experience.ground.store import transaction
from experience.organisation.operations import issue_token
from experience.organisation.permissions import SYSTEM
from experience.organisation.tables import User
from experience.voices import operations as voices
from experience.voices.intake import VoiceIn
from experience.web import auth, door, rates, security
from tests.experience.web.conftest import office
from tests.experience.web.staff import Office, Staff
from tests.experience.web.test_order_pages import office_scope
from tests.people import PASSWORD

__all__ = ["office"]
PAGES = ("/", "/voices", "/issues", "/orders", "/desk", "/account", "/notices")
HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</script><svg onload=alert(1)>",
    "{{7*7}} ${7*7} <b onmouseover=alert(1)>x</b>",
    "javascript:alert(1)",
)  # fmt: skip
PHONE = "13912345678"


def test_a_form_without_its_token_is_refused(office: Office) -> None:
    lin = office.staff("lin")
    assert lin.client.post("/account/language", data={"locale": "en"}).status_code == 400
    assert lin.client.post("/notices/read").status_code == 400


def test_every_form_of_staff_asks_for_its_token(office: Office) -> None:
    client, open_without = office.staff("admin").client, []
    for rule in office.app.url_map.iter_rules():
        is_public = rule.rule.startswith(("/api/", "/collect/", "/rants", "/v/"))
        if "POST" not in (rule.methods or ()) or is_public:
            continue
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
        path = re.sub(r"<[^>]*>", "1", path)
        if client.post(path).status_code != 400:
            open_without.append(rule.rule)
    assert open_without == []


def test_in_production_cookies_travel_encrypted_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experience.web.auth.settings", lambda: Settings(env="production"))
    with office.app.test_request_context():
        answer = auth.with_cookie(Response(), "key")
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(answer.headers["Set-Cookie"].split("; "))


def test_acting_for_a_colleague_makes_a_new_session(office: Office) -> None:
    zhou, he = office.staff("zhou"), office.staff("he")
    span = {"starts_at": "2026-11-01T00:00", "ends_at": "2026-12-30T00:00"}
    zhou.send("/account", "/account/deputies", login="he", **span)
    old = he.client.get_cookie(door.COOKIE)
    assert old is not None
    with transaction(office.engine) as session:
        user = session.exec(select(User.id).where(User.login == "zhou")).one()
    assert he.send("/account", "/account/act-for", user=str(user)).status_code == 303
    new = he.client.get_cookie(door.COOKIE)
    assert new is not None
    assert new.value != old.value
    he.see("/account")
    thief = Staff(office.app.test_client())
    thief.client.set_cookie(door.COOKIE, old.value)
    thief.see("/account", status=302)


def test_logging_out_everywhere_ends_every_session(office: Office) -> None:
    here, there, other = office.staff("lin"), office.staff("lin"), office.staff("zhou")
    assert here.send("/account", "/account/sessions/end").status_code == 303
    here.see("/account", status=302)
    there.see("/account", status=302)
    other.see("/account")


def test_logging_out_ends_the_session_on_the_server_too(office: Office) -> None:
    lin = office.staff("lin")
    key = lin.client.get_cookie(door.COOKIE)
    assert key is not None
    assert lin.send("/account", "/logout").status_code == 303
    thief = Staff(office.app.test_client())
    thief.client.set_cookie(door.COOKIE, key.value)
    thief.see("/account", status=302)


def _api(office: Office, token: str) -> int:
    return office.app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code


def _token(office: Office, login: str, *scopes: str) -> str:
    with transaction(office.engine) as session:
        return issue_token(session, SYSTEM, login, now=office.now, scopes=scopes)


def test_a_revoked_token_is_worth_nothing_at_once(office: Office) -> None:
    token, lin = _token(office, "lin"), office.staff("lin")
    assert _api(office, token) == 200
    number = re.findall(r"/account/tokens/(\d+)/revoke", lin.see("/account"))[0]
    assert lin.send("/account", f"/account/tokens/{number}/revoke").status_code == 303
    assert _api(office, token) == 401


def test_tokens_of_a_disabled_account_stay_worthless_when_it_is_enabled(office: Office) -> None:
    token, admin = _token(office, "zhou"), office.staff("admin")
    for what in ("disable", "enable"):
        assert admin.send("/admin/users/zhou", f"/admin/users/zhou/{what}").status_code == 303
        assert _api(office, token) == 401


def test_a_password_set_by_an_administrator_ends_tokens_and_sessions(office: Office) -> None:
    token, zhou = _token(office, "zhou"), office.staff("zhou")
    office.staff("admin").send("/admin/users/zhou", "/admin/users/zhou/password")
    assert _api(office, token) == 401
    zhou.see("/account", status=302)


@pytest.mark.parametrize("path", ["/account/tokens", "/account/deputies", "/account/password", "/account/sessions/end"])
def test_a_narrowed_token_does_not_widen_itself(office: Office, path: str) -> None:
    office.app.config["WTF_CSRF_METHODS"] = []  # a program can fetch a form's token as well as anybody
    headers = {"Authorization": f"Bearer {_token(office, 'lin', 'touchpoints.read')}"}
    form = {"name": "more", "login": "zhou", "starts_at": "2026-11-01T00:00", "ends_at": "2026-12-30T00:00"}
    assert office.app.test_client().post(path, headers=headers, data=form).status_code == 403


@pytest.mark.parametrize("body", [{"do_not_ask": "true"}, {"do_not_ask": 1}, {"tier": 5}, {"attributes": {"a": []}}])
def test_a_body_says_its_types(office: Office, body: dict[str, object]) -> None:
    headers = {"Authorization": f"Bearer {_token(office, 'analyst')}"}
    answer = office.app.test_client().put("/api/v1/customers/c1", headers=headers, json=body)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"].split(".")[0] in body
    english = office.app.test_client().put(
        "/api/v1/customers/c1", headers=headers | {"Accept-Language": "en"}, json=body
    )
    assert english.json["errors"][0]["message"].isascii()


@pytest.mark.parametrize("raw", [b'{"attributes": {"a": 1e999}}', b'{"attributes": {"a": NaN}}', b"1" * 6000])
def test_numbers_without_end_are_refused(office: Office, raw: bytes) -> None:
    headers = {"Authorization": f"Bearer {_token(office, 'analyst')}", "Content-Type": "application/json"}
    assert office.app.test_client().put("/api/v1/customers/c1", headers=headers, data=raw).status_code in (400, 422)


@pytest.mark.parametrize("name", ["a.svg", "a.html", "a.csv.exe"])
def test_a_picture_or_a_page_is_no_file_of_voices(office: Office, name: str) -> None:
    file = (io.BytesIO(b"<svg onload=alert(1)>"), name)
    assert office.staff("analyst").send("/voices/import", "/voices/import", file=file).status_code == 422


def test_the_name_of_an_upload_breaks_no_header(office: Office, tmp_path: Path) -> None:
    told = {"name": "a\r\nX-Evil: 1.csv", "folder": tmp_path, "source": "", "mapping": {}, "now": office.now}
    with transaction(office.engine) as session:
        assert voices.upload(session, SYSTEM, io.BytesIO(b"x"), **told).file_name == "aX-Evil: 1.csv"


def test_a_conflicts_page_tells_the_state_and_leads_back(office: Office) -> None:
    @office.app.get("/issues/refused")
    def refused() -> None:
        raise Conflict(say("问题已关闭。"), {"state": "solved", "version": 4})

    client = office.staff("lin").client
    text = client.get("/issues/refused", headers={"Referer": "http://localhost/issues/W1?x=1"})
    assert text.status_code == 409
    assert "已解决" in text.text
    assert 'href="/issues/W1?x=1"' in text.text
    for elsewhere in (
        "http://evil.example/issues",
        "http://localhost//evil.example",
        "javascript://localhost/%0aalert(1)",
    ):
        answer = client.get("/issues/refused", headers={"Referer": elsewhere}).text
        assert "evil" not in answer
        assert "javascript" not in answer


def test_a_failure_shows_a_number_and_no_trace(office: Office) -> None:
    @office.app.get("/issues/broken")
    def broken() -> None:
        raise RuntimeError("secret of the house")

    answer = office.staff("lin").client.get("/issues/broken")
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in answer.text
    assert not re.search("secret of the house|Traceback|RuntimeError", answer.text)


def test_a_wrong_password_is_in_the_audit(office: Office) -> None:
    security.limiter.reset()
    Staff(office.app.test_client()).send("/login", "/login", login="lin", password="wrong-one")
    assert "log_in_refused" in office.staff("leader").see("/audit?act=log_in_refused")


def test_a_log_in_makes_a_new_session_and_a_careful_cookie(office: Office) -> None:
    keys = []
    for _ in range(2):
        stranger = Staff(office.app.test_client())
        stranger.client.set_cookie(door.COOKIE, "planted")
        answer = stranger.send("/login", "/login", login="lin", password=PASSWORD)
        cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith(door.COOKIE))
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        keys.append(cookie.split(";")[0])
    assert len({*keys, f"{door.COOKIE}=planted"}) == 3


@pytest.mark.parametrize("path", PAGES)
def test_pages_carry_a_strict_policy_and_no_inline_script(office: Office, path: str) -> None:
    answer = office.staff("lin").client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    for attributes in re.findall(r"<script([^>]*)>", answer.text):
        assert "src=" in attributes or "application/json" in attributes or "nonce=" in attributes
    assert not re.search(r"<[^>]+\son\w+\s*=", answer.text)
    assert not re.search(r"<[^>]+\sstyle\s*=", answer.text)


def test_many_log_ins_from_one_address_are_held_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "monotonic", lambda: 30.0)  # twelve slow log-ins may cross into the next minute
    security.limiter.reset()
    stranger = Staff(office.app.test_client())
    answers = [stranger.send("/login", "/login", login=f"nobody{n}", password="x") for n in range(12)]
    security.limiter.reset()
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_wrong_passwords_for_one_account_make_it_wait(office: Office) -> None:
    security.limiter.reset()
    stranger = Staff(office.app.test_client())
    for _ in range(5):
        assert stranger.send("/login", "/login", login="lin", password="wrong-one").status_code == 422
    security.limiter.reset()
    assert stranger.send("/login", "/login", login="lin", password=PASSWORD).status_code == 429
    office.now += timedelta(minutes=1)
    security.limiter.reset()
    assert stranger.send("/login", "/login", login="lin", password=PASSWORD).status_code == 303


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)"]
)
def test_a_log_in_leads_nowhere_else(office: Office, where: str) -> None:
    security.limiter.reset()
    stranger = Staff(office.app.test_client())
    answer = stranger.send("/login", "/login", login="lin", password=PASSWORD, next=where)
    assert answer.headers["Location"] == "/"


def test_fields_nobody_asked_for_change_nothing(office: Office) -> None:
    lin = office.staff("lin")
    lin.send("/account", "/account/language", locale="en", is_active="", login="root", password_hash="x", role="admin")
    with transaction(office.engine) as session:
        user = session.exec(select(User).where(User.login == "lin")).one()
        assert (user.locale, user.is_active) == ("en", True)
    lin.see("/admin", status=403)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_customer_writes_stays_text(office: Office, text: str) -> None:
    with transaction(office.engine) as session:
        told = VoiceIn(f"充值没到账 {text}", "hotline", "h1", province="guangdong")
        voice = voices.hear(session, office_scope(office, "lin"), told, now=office.now)
        voices.read_next(session, office.now)
        place = f"/voices/{voice.id}"
    for page in (place, "/voices", "/voices?q=alert"):
        html = office.staff("lin").see(page)
        assert "<script>alert" not in html
        assert not re.search(r"<[^>]+\son(error|load|mouseover)\s*=", html)
        assert not re.search(r"<(img|svg)[^>]*alert", html)
        assert 'href="javascript:' not in html


def test_no_phone_number_leaves_without_the_right_to_see_it(office: Office) -> None:
    with transaction(office.engine) as session:
        told = VoiceIn(f"请打我电话{PHONE}，充值没到账", "hotline", "p1", province="guangdong")
        voice = voices.hear(session, office_scope(office, "lin"), told, now=office.now)
    lin = office.staff("lin")
    for path in ("/voices", f"/voices/{voice.id}", "/voices/export.csv", "/"):
        assert PHONE not in lin.see(path)
    assert PHONE not in lin.see("/audit", status=403)
    assert PHONE not in office.staff("privacy").see("/audit")
