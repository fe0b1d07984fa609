"""Rants from other pages and apps: site key and Origin, durable, repeatable, refused clearly."""

from typing import Any

import pytest
from sqlmodel import Session, select

from experience.voices.tables import Voice
from tests.experience.voices.conftest import Web

PATH = "/api/v1/public/voices"
ORIGIN = {"Origin": "http://shop.example"}


def send(web: Web, body: Any, **headers: str) -> Any:
    return web.client.post(PATH, json=body, headers={**ORIGIN, **{k.replace("_", "-"): v for k, v in headers.items()}})


def test_a_rant_from_a_sites_page_is_heard(web: Web, rows: Session) -> None:
    answer = send(web, {"site": "site_demo", "text": "充值不到账", "touchpoint": "web.recharge", "mood": 1})
    assert answer.status_code == 201
    assert answer.headers["Access-Control-Allow-Origin"] == "http://shop.example"
    assert set(answer.json) >= {"code", "receipt"}
    assert rows.exec(select(Voice.code)).one() == answer.json["code"]
    page = web.client.get(f"/v/{answer.json['receipt']}")
    assert page.status_code == 200
    assert "充值不到账" in page.text


def test_the_same_key_gives_the_same_answer(web: Web, rows: Session) -> None:
    body = {"site": "site_demo", "text": "充值不到账"}
    one, other = (send(web, body, Idempotency_Key="k-1") for _ in range(2))
    assert one.json == other.json
    assert len(rows.exec(select(Voice)).all()) == 1
    assert send(web, body | {"text": "另一件事"}, Idempotency_Key="k-1").status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"site": "site_demo"}, 422),
        ({"site": "site_demo", "text": ""}, 422),
        ({"site": "site_demo", "text": "慢" * 5_001}, 422),
        ({"site": "site_demo", "text": "x" * 1_000_000}, 422),
        ({"site": "site_demo", "text": "慢", "mood": 9}, 422),
        ({"site": "site_demo", "text": "慢", "mood": True}, 422),
        ({"site": "site_demo", "text": "慢", "unknown": 1}, 422),
        ({"site": "site_demo", "text": ["慢"]}, 422),
        ({"site": "site_demo", "text": "慢\x00"}, 422),
        ({"site": "nobody", "text": "慢"}, 422),
        ([], 422),
    ],
)
def test_bad_input_is_refused_and_nothing_is_kept(web: Web, rows: Session, body: Any, status: int) -> None:
    answer = send(web, body)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"]
    assert rows.exec(select(Voice)).all() == []


def test_a_foreign_page_is_refused_and_may_not_read_the_answer(web: Web, rows: Session) -> None:
    answer = web.client.post(PATH, json={"site": "site_demo", "text": "慢"}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert rows.exec(select(Voice)).all() == []


def test_the_browsers_question_is_answered_for_known_pages_only(web: Web) -> None:
    asked = web.client.options(PATH, headers=ORIGIN)
    assert asked.headers["Access-Control-Allow-Origin"] == "http://shop.example"
    assert "Idempotency-Key" in asked.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in web.client.options(PATH, headers={"Origin": "null"}).headers


def test_texts_that_are_code_come_back_as_words_only(web: Web, rows: Session) -> None:
    for text in ("'; drop table voice; --", "=cmd()|'/c calc'!A1", "😀😀😀", "<b>粗</b>"):
        assert send(web, {"site": "site_demo", "text": text}).status_code == 201
    assert [v.text for v in rows.exec(select(Voice).order_by(Voice.id))][0].startswith("';")  # type: ignore[arg-type]
