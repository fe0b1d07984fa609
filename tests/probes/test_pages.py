"""The staff pages of probes: the map, one touchpoint, anomalies, triggers; what a province sees of them."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM
from experience.organisation.tables import Unit
from probes import web as probes_web
from probes.tables import Anomaly, Firing, Trigger
from surveys import operations as surveys
from surveys import web as surveys_web
from tests.data_journey import SURVEY
from tests.experience.web.staff import Office
from tests.probes.test_simulation import store
from tests.probes.test_triggers import PLACE, happened
from tests.probes.test_watch import Day

RULE = {
    "name": "支付失败三次就问", "touchpoint": PLACE, "survey": "asks", "type": "event", "event": "fail", "count": "3",
    "within_seconds": "600", "sample": "100", "hourly_cap": "50", "is_active": "y",
}  # fmt: skip


@pytest.fixture
def office(own_database: Engine, tmp_path: Path, now: datetime) -> Office:
    """The pages with a survey, a day of events and an anomaly in Guangdong."""
    made = Office(own_database, tmp_path, now)
    surveys_web.register(made.app)
    probes_web.register(made.app)
    with transaction(own_database) as session:
        centre = session.exec(select(Unit.id).where(Unit.kind == "centre")).one()
        told = SURVEY | {"distribution": {"channels": ["popover"]}}
        surveys.create(session, SYSTEM, "asks", told, unit_id=centre or 0, now=now)
        surveys.publish(session, SYSTEM, "asks", now=now)
        Day(session, now - timedelta(minutes=30)).goes_on(6, 0.3)
        past = [
            happened(now - timedelta(minutes=n), session=f"s{n % 5}", device=f"d{n % 5}") for n in reversed(range(45))
        ]
        store(session, past)
    return made


def code(office: Office) -> str:
    with transaction(office.engine) as session:
        return session.exec(select(Anomaly.code)).one()


def test_the_qr_code_is_an_image_that_browsers_draw(office: Office) -> None:
    drawn = office.staff("designer").client.get("/surveys/asks/qr.svg")
    assert drawn.mimetype == "image/svg+xml"
    assert 'xmlns="http://www.w3.org/2000/svg"' in drawn.text


def test_the_map_shows_what_is_wrong_and_what_is_missing(office: Office) -> None:
    page = office.staff("lin").see("/touchpoints")
    assert "网厅充值" in page
    assert "没有事件" in page  # the bill page has sent nothing
    assert "未提问" in page


def test_a_touchpoint_shows_its_series_funnel_codes_and_anomalies(office: Office) -> None:
    page = office.staff("lin").see(f"/touchpoints/{PLACE}")
    assert code(office) in page
    assert "PAY" in page
    office.staff("lin").see("/touchpoints/nowhere", status=404)


def test_an_anomaly_is_explained_and_becomes_an_issue(office: Office) -> None:
    lin, path = office.staff("lin"), f"/anomalies/{code(office)}"
    assert "广东" in lin.see(path)
    answer = lin.send(path, f"{path}/issue")
    assert answer.status_code == 303
    assert "W2026" in answer.headers["Location"]
    assert answer.headers["Location"] in lin.see(path)


def test_a_province_reads_no_other_provinces_part(office: Office) -> None:
    page = office.staff("wang").see(f"/anomalies/{code(office)}")
    assert "guangdong" not in page
    assert "广东" not in page
    listed = office.staff("wang").see("/anomalies")
    assert "广东" not in listed.split("<tbody", 1)[-1]


def test_a_rule_is_tried_on_the_past_saved_stopped_and_started(office: Office) -> None:
    designer = office.staff("designer")
    tried = designer.send("/triggers/new", "/triggers/simulate", **RULE)
    assert tried.status_code == 200
    assert "会邀约" in tried.text
    assert "支付失败三次就问" in tried.text  # what was typed is kept
    with transaction(office.engine) as session:
        assert session.exec(select(Trigger)).all() == []
        assert session.exec(select(Firing)).all() == []
    assert designer.send("/triggers/new", "/triggers/new", **RULE).status_code == 303
    assert "支付失败三次就问" in designer.see("/triggers")
    with transaction(office.engine) as session:
        made = session.exec(select(Trigger)).one()
        assert made.when == {"type": "event", "event": "fail", "count": 3, "within_seconds": 600}
        assert made.sample_class == "anomaly"
    daily = {**RULE, "sample_class": "baseline"}
    assert designer.send(f"/triggers/{made.id}", f"/triggers/{made.id}", **daily).status_code == 303
    with transaction(office.engine) as session:
        assert session.exec(select(Trigger.sample_class)).one() == "baseline"
    assert designer.send("/triggers", f"/triggers/{made.id}/stop").status_code == 303
    with transaction(office.engine) as session:
        assert not session.exec(select(Trigger.is_active)).one()


@pytest.mark.parametrize("wrong", [{"name": ""}, {"survey": "none"}, {"count": "x"}, {"sample": "900"}])
def test_a_rule_that_cannot_work_is_told_and_what_was_typed_stays(office: Office, wrong: dict[str, str]) -> None:
    designer = office.staff("designer")
    for to in ("/triggers/new", "/triggers/simulate"):
        answer = designer.send("/triggers/new", to, **{**RULE, **wrong})
        assert answer.status_code == 422
        assert 'value="50"' in answer.text


def test_only_designers_try_rules(office: Office) -> None:
    assert office.staff("zhou").client.post("/triggers/simulate", data=RULE).status_code in (400, 403)
