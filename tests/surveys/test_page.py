"""The survey page without JavaScript, and the public API beside it."""

import re
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlmodel import Session, select

from experience.ground.config import Settings
from experience.ground.store import transaction
from experience.touchpoints.tables import Site
from experience.web.assembly import make
from surveys import web
from surveys.tables import Answer, Response
from tests.surveys.samples import published


@pytest.fixture
def app(own_database: Engine, now: datetime) -> Flask:
    with transaction(own_database) as session:
        session.add(Site(key="site_demo", name="网厅", origins=["http://shop.example"], secret="hush"))
        published(session, now)
    made = make(Settings(secret_key="a key for tests"), own_database)
    web.register(made)
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client(use_cookies=False)


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the form, as a browser would send them."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))


def test_the_page_asks_shows_what_comes_next_and_thanks(client: FlaskClient, own_database: Engine) -> None:
    first = client.get("/s/recharge").text
    assert "您对本次办理满意吗" in first
    assert "较长时间" in first
    assert 'name="a.q2"' not in first
    second = client.post("/s/recharge", data={**fields(first), "a.q1": "2"})
    assert second.status_code == 200
    assert 'name="a.q2"' in second.text
    sent = {**fields(second.text), "a.q1": "2", "a.q2": ["o_slow"], "a.q3": "一直转圈"}
    done = client.post("/s/recharge", data=sent)
    assert done.status_code == 303
    thanks = client.get(done.headers["Location"]).text
    assert re.search(r'href="/v/[\w-]{20,}"', thanks)
    again = client.post("/s/recharge", data=sent)
    assert again.headers["Location"] == done.headers["Location"]
    with Session(own_database) as session:
        assert len(session.exec(select(Response)).all()) == 1
        assert set(session.exec(select(Answer.item))) == {"q1", "q2", "q3"}


def test_what_is_missing_is_marked_and_what_was_typed_stays(client: FlaskClient) -> None:
    first = client.get("/s/recharge").text
    refused = client.post("/s/recharge", data=fields(first))
    assert refused.status_code == 422
    assert "这道题需要回答" in refused.text
    sent = {
        **fields(first),
        "shown": "q1 q2 q3",
        "a.q1": "1",
        "a.q3": "<script>alert(1)</script>",
        "a.q2": ["o_slow", "o_none"],
    }
    kept = client.post("/s/recharge", data=sent)
    assert kept.status_code == 422
    assert "&lt;script&gt;alert(1)" in kept.text


def test_the_page_speaks_to_nobody_it_does_not_know(client: FlaskClient) -> None:
    assert client.get("/s/nowhere").status_code == 404
    assert client.get("/s/again/nobodys-receipt").status_code == 404
    assert client.get("/s/recharge?token=forged.token").status_code == 422


def respond(client: FlaskClient, body: Any, **headers: str) -> Any:
    return client.post("/api/v1/public/surveys/recharge/responses", json=body, headers=headers)


def test_the_api_stores_and_repeats_the_receipt(client: FlaskClient) -> None:
    first = respond(client, {"answers": {"q1": 5}}, **{"Idempotency-Key": "key-of-a-client"})
    again = respond(client, {"answers": {"q1": 5}}, **{"Idempotency-Key": "key-of-a-client"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    other = respond(client, {"answers": {"q1": 1}}, **{"Idempotency-Key": "key-of-a-client"})
    assert other.status_code == 422
    assert "Idempotency-Key" in other.json["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"answers": {"q1": 9}}, 422),
        ({"answers": {"q1": 5, "q2": ["o_slow"]}}, 422),
        ({"answers": {"q1": 5}, "version": 7}, 409),
        ({"answers": {"q1": 5}, "token": "x" * 40}, 422),
        ({"answers": {"q1": 5}, "more": 1}, 422),
        ({"answers": []}, 422),
        ({}, 422),
        ([], 422),
    ],
)
def test_bad_answers_are_refused_as_problems(client: FlaskClient, body: Any, status: int) -> None:
    refused = respond(client, body)
    assert refused.status_code == status
    assert refused.content_type == "application/problem+json"


def test_only_pages_of_known_sites_may_answer(client: FlaskClient) -> None:
    assert respond(client, {"answers": {"q1": 5}}, Origin="http://evil.example").status_code == 403
    known = respond(client, {"answers": {"q1": 5}}, Origin="http://shop.example")
    assert known.status_code == 201
    assert known.headers["Access-Control-Allow-Origin"] == "http://shop.example"
    wrong_site = client.post("/api/v1/public/surveys/recharge/responses?site=none", json={"answers": {"q1": 5}})
    assert wrong_site.status_code == 403


def test_the_script_is_sent_once_and_says_its_charset(client: FlaskClient) -> None:
    first = client.get("/sdk/survey.js", headers={"Accept-Encoding": "gzip"})
    assert first.content_type == "text/javascript; charset=utf-8"
    assert first.headers["Content-Encoding"] == "gzip"
    again = client.get("/sdk/survey.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
