"""What RELIABILITY.md promises of sessions, forms, headers and other people's text."""

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from experience.ground.store import transaction
from experience.organisation.tables import User
from experience.voices import operations as voices
from experience.voices.intake import VoiceIn
from experience.web import door, security
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


def test_many_log_ins_from_one_address_are_held_back(office: Office) -> None:
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
