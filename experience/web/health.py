"""`/healthz`, `/readyz` and `/metrics`: for load balancers, watchers and Prometheus."""

import hmac
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, jsonify, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from experience.ground.config import settings
from experience.ground.errors import Forbidden
from experience.ground.i18n import say
from experience.reports import health
from experience.web import door

bp = Blueprint("health", __name__)

_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


@bp.get("/readyz")
def readyz() -> Any:
    """200 when requests can be answered: the database is there."""
    try:
        door.db().execute(text("select 1"))
    except (OperationalError, PoolTimeout):
        return jsonify(status="failing"), 503
    return jsonify(status="ok")


@bp.get("/healthz")
def healthz() -> Any:
    """200 when the whole installation is well, the background worker included; otherwise 503 and what is wrong."""
    try:
        found = health.checks(door.db(), door.now())
    except (OperationalError, PoolTimeout):
        return jsonify(
            status="failing", checks=[{"name": "database", "ok": False, "detail": say("连不上数据库。")}]
        ), 503
    is_well = all(check.is_well for check in found)
    return jsonify(health.as_json(found)), 200 if is_well else 503


@bp.get("/metrics")
def metrics() -> Response:
    """Figures for Prometheus, to this machine or to who holds HUISHENG_METRICS_TOKEN."""
    _demand_watcher()
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Figures())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _demand_watcher() -> None:
    """Raises Forbidden for strangers. A proxy makes everybody local: what was forwarded needs the token."""
    token = settings().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return
    is_forwarded = any(name in request.headers for name in _FORWARDED)
    if is_forwarded or not ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 - an unknown address
        raise Forbidden(say("指标只给本机，或持有 HUISHENG_METRICS_TOKEN 的监控程序。"))


class _Figures:
    """The house's own figures, read when they are asked for."""

    def collect(self) -> Iterable[Metric]:
        """Gauges of the moment, and the last run of each job."""
        for name, value in health.figures(door.db(), door.now()).items():
            yield GaugeMetricFamily(f"huisheng_{name}", name.replace("_", " "), value=value)
        kinds = {
            "started": GaugeMetricFamily("huisheng_job_started_seconds", "when the job last started", labels=["job"]),
            "duration": GaugeMetricFamily(
                "huisheng_job_duration_seconds", "how long its last run took", labels=["job"]
            ),
            "handled": GaugeMetricFamily("huisheng_job_handled", "rows its last run handled", labels=["job"]),
            "failed": GaugeMetricFamily("huisheng_job_failed", "whether its last run failed", labels=["job"]),
        }
        for run in health.job_runs(door.db()):
            has_failed = bool(run.failed_at and run.finished_at and run.failed_at >= run.finished_at)
            kinds["started"].add_metric([run.job], run.started_at.timestamp())
            kinds["duration"].add_metric([run.job], run.duration_seconds)
            kinds["handled"].add_metric([run.job], run.handled)
            kinds["failed"].add_metric([run.job], float(has_failed))
        yield from kinds.values()
