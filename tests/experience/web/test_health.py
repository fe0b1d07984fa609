"""What watchers see: ready without a worker, well only with one, figures for this machine alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, update
from sqlmodel import Session

from experience.ground.store import transaction
from experience.ground.tables import Heartbeat, JobRun
from experience.orders import workdays
from experience.orders.tables import Calendar
from experience.reports import health
from experience.web import door, errors
from experience.web.health import bp


def bare(engine: Engine, now: datetime) -> Flask:
    app = Flask("health")
    door.bind(app, engine)
    app.register_blueprint(bp)
    app.register_error_handler(errors.HuishengError, lambda error: (error.sentence, errors.status_of(error)))

    @app.before_request
    def this_instant() -> None:
        g.now = now

    return app


@pytest.fixture
def client(own_database: Engine, now: datetime) -> Iterator[FlaskClient]:
    with transaction(own_database) as session:
        session.execute(update(Calendar).values(covered_until=(now + 2 * workdays.AHEAD).date()))
    with bare(own_database, now).test_client() as made:
        yield made


def beat(engine: Engine, at: datetime) -> None:
    with transaction(engine) as session:
        session.add(Heartbeat(worker="a:1", started_at=at, beat_at=at))


def test_a_server_is_ready_without_a_worker_but_not_well(client: FlaskClient) -> None:
    assert client.get("/readyz").status_code == 200
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert [c["name"] for c in answer.json["checks"] if not c["ok"]] == ["worker"]


def test_a_server_with_a_living_worker_is_well(client: FlaskClient, own_database: Engine, now: datetime) -> None:
    beat(own_database, now - timedelta(seconds=5))
    assert client.get("/healthz").json == {
        "status": "ok",
        "checks": [
            {"name": c["name"], "ok": True, "detail": c["detail"]} for c in client.get("/healthz").json["checks"]
        ],
    }


def test_a_worker_that_fell_silent_is_noticed(client: FlaskClient, own_database: Engine, now: datetime) -> None:
    beat(own_database, now - timedelta(seconds=21))
    assert client.get("/healthz").status_code == 503


def test_a_failed_job_is_named(session: Session, now: datetime) -> None:
    session.add(JobRun(job="good", started_at=now, finished_at=now, failed_at=now - timedelta(hours=1)))
    session.add(JobRun(job="bad", started_at=now, finished_at=now, failed_at=now, failure="ValueError"))
    session.flush()
    found = {check.name: check for check in health.checks(session, now)}
    assert not found["jobs"].is_well
    assert "bad" in found["jobs"].said
    assert "good" not in found["jobs"].said


def test_a_database_that_is_away_makes_the_server_unready(now: datetime) -> None:
    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1})
    client = bare(engine, now).test_client()
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 503


def test_figures_are_for_this_machine_or_the_token(client: FlaskClient, own_database: Engine, now: datetime) -> None:
    beat(own_database, now - timedelta(seconds=5))
    shown = client.get("/metrics")
    assert shown.status_code == 200
    assert "huisheng_worker_heartbeat_age_seconds 5.0" in shown.text
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 403


def test_the_token_opens_the_figures_from_elsewhere(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from experience.ground.config import settings  # noqa: PLC0415

    monkeypatch.setattr(settings(), "metrics_token", "s3cret")
    elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
    good, bad = {"Authorization": "Bearer s3cret"}, {"Authorization": "Bearer guess"}
    assert client.get("/metrics", environ_base=elsewhere, headers=good).status_code == 200
    assert client.get("/metrics", environ_base=elsewhere, headers=bad).status_code == 403


def test_a_calendar_is_ill_once_new_deadlines_reach_beyond_it(session: Session, now: datetime) -> None:
    today = now.astimezone(ZoneInfo("Asia/Shanghai")).date()
    session.execute(update(Calendar).values(covered_until=today + workdays.REACHED))
    calendar = {check.name: check for check in health.checks(session, now)}["calendar"]
    assert calendar.is_well
    session.execute(update(Calendar).values(covered_until=today + workdays.REACHED - timedelta(days=1)))
    calendar = {check.name: check for check in health.checks(session, now)}["calendar"]
    assert not calendar.is_well
    assert "cn-office" in calendar.said
