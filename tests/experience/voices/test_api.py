"""The API of voices keeps to the contract and to the caller's province."""

from typing import Any

import pytest
from sqlmodel import Session, select

from experience.learning.tables import Correction
from tests.experience.voices.conftest import Web


def hear(web: Web, login: str = "lin", **more: Any) -> Any:
    body = {"text": "充值话费扣了钱不到账，请回电13800138000", "source": "hotline", **more}
    return web.client.post("/api/v1/voices", json=body, headers=web.bearer(login))


def listed(web: Web, query: str = "", login: str = "lin") -> list[Any]:
    answer = web.client.get(f"/api/v1/voices{query}", headers=web.bearer(login))
    assert answer.status_code == 200, answer.text
    return list(answer.json["items"])


def test_a_voice_is_answered_with_its_reading(web: Web) -> None:
    answer = hear(web, touchpoint="web.recharge", province="guangdong", customer="C-1", external_id="T-1",
                  at="2026-11-20T08:00:00+08:00")  # fmt: skip
    assert answer.status_code == 201
    assert "13800138000" not in answer.text
    assert {"id", "text", "source", "touchpoint", "province", "at", "reading"} <= set(answer.json)
    reading = answer.json["reading"]
    assert set(reading) >= {
        "sentiment", "label", "confidence", "topics", "aspects", "keywords", "urgency", "intent", "evidence", "model"
    }  # fmt: skip
    assert reading["label"] == "negative"
    assert hear(web, external_id="T-1").json["id"] == answer.json["id"]


def test_lists_are_found_by_words_label_and_place(web: Web) -> None:
    hear(web, province="guangdong", touchpoint="web.recharge")
    hear(web, text="营业厅态度很好", province="hunan", source="store")
    assert [v["province"] for v in listed(web, "?q=充值&label=negative")] == ["guangdong"]
    assert [v["source"] for v in listed(web, "?unit=hunan")] == ["store"]
    assert len(listed(web, "?from=2026-11-23&to=2026-11-23")) == 2
    assert listed(web, "?from=2026-11-24") == []
    assert listed(web, "?q=充值")[0]["found"]


def test_another_province_sees_nothing(web: Web) -> None:
    voice = hear(web, province="guangdong").json["id"]
    assert listed(web, "?q=充值", "wang") == listed(web, login="wang") == []
    assert web.client.get(f"/api/v1/voices/{voice}", headers=web.bearer("wang")).status_code == 404
    assert hear(web, "zhou").json["province"] == "guangdong"
    assert hear(web, "zhou", province="hunan").status_code == 403


def test_pages_follow_one_another(web: Web) -> None:
    for number in range(5):
        hear(web, text=f"第{number}次反映信号差")
    first = web.client.get("/api/v1/voices?limit=3", headers=web.bearer("lin")).json
    second = web.client.get(f"/api/v1/voices?limit=3&cursor={first['next']}", headers=web.bearer("lin")).json
    assert (len(first["items"]), len(second["items"]), second["next"]) == (3, 2, None)


def test_a_correction_shows_and_wins(web: Web) -> None:
    voice = hear(web).json["id"]
    body = {"label": "neutral", "topic": "app"}
    answer = web.client.patch(f"/api/v1/voices/{voice}/reading", json=body, headers=web.bearer("analyst"))
    assert answer.status_code == 200
    assert (answer.json["reading"]["label"], answer.json["reading"]["topics"][0]["code"]) == ("neutral", "app")
    assert answer.json["reading"]["is_corrected"]
    assert listed(web, "?label=neutral&topic=app")[0]["id"] == voice
    assert (
        web.client.patch(f"/api/v1/voices/{voice}/reading", json=body, headers=web.bearer("viewer")).status_code == 403
    )
    wrong = web.client.patch(f"/api/v1/voices/{voice}/reading", json={"topic": "x"}, headers=web.bearer("analyst"))
    assert wrong.status_code == 422


def test_a_correction_is_kept_to_learn_from(web: Web, rows: Session) -> None:
    voice = hear(web).json["id"]
    path = f"/api/v1/voices/{voice}/reading"
    answer = web.client.patch(path, json={"intent": "inquiry"}, headers=web.bearer("analyst"))
    assert answer.json["reading"]["intent"] == "inquiry"
    kept = rows.exec(select(Correction)).one()
    assert (kept.voice_id, kept.origin, kept.model_intent, kept.intent) == (voice, "stream", "complaint", "inquiry")
    assert (kept.label, kept.topic) == (None, None)
    assert web.client.patch(path, json={}, headers=web.bearer("analyst")).status_code == 422


def test_the_words_as_said_are_for_those_with_the_right_and_a_reason(web: Web) -> None:
    path = f"/api/v1/voices/{hear(web).json['id']}/unmask"
    reason = {"reason": "回访核实退款情况"}
    assert web.client.post(path, json=reason, headers=web.bearer("lin")).status_code == 403
    assert web.client.post(path, json={"reason": ""}, headers=web.bearer("privacy")).status_code == 422
    assert "13800138000" in web.client.post(path, json=reason, headers=web.bearer("privacy")).json["text"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?limit=0", 422), ("?limit=201", 422), ("?limit=x", 422), ("?cursor=zzz", 422), ("?label=angry", 422),
        ("?from=yesterday", 422), ("?nonsense=1", 422), ("?urgency=9", 422), ("?q=" + "长" * 201, 422),
        ("?q='%26<->", 200), ("?unit=nowhere", 200), ("?cursor=WyIyMDI2LTExLTIzIiwgMV0", 422),
    ],
)  # fmt: skip
def test_strange_queries_are_refused_clearly(web: Web, query: str, status: int) -> None:
    assert web.client.get(f"/api/v1/voices{query}", headers=web.bearer("lin")).status_code == status


@pytest.mark.parametrize("number", ["0", "99999999999999999999999", str(2**63)])
def test_a_number_no_voice_can_have_is_not_found(web: Web, number: str) -> None:
    assert web.client.get(f"/api/v1/voices/{number}", headers=web.bearer("lin")).status_code == 404
    answer = web.client.patch(f"/api/v1/voices/{number}/reading", json={"label": "neutral"}, headers=web.bearer("lin"))
    assert answer.status_code == 404


def test_fifty_copies_fold_into_one(web: Web) -> None:
    for number in range(12):
        hear(web, text="校园网一到晚上就掉线，客服推来推去，谁来管管", external_id=str(number))
    assert [voice["times"] for voice in listed(web, "?fold=true")] == [12]
