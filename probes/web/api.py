"""Touchpoints, their indicators and anomalies, for programs."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from experience.ground.errors import Invalid, NotFound
from experience.ground.i18n import say
from experience.touchpoints import queries as touchpoints
from experience.web import door
from experience.web.api.contract import Body, PageQuery, cursor_of, cursor_parts, operation, page
from probes import queries
from probes.operations import dismiss, make_issue


class TouchpointList(BaseModel):
    """Every touchpoint in the order of the journey map."""

    items: list[dict[str, Any]]
    next: str | None


class IndicatorsQuery(Body):
    """A stretch of time and the width of its windows. `from` defaults to a day before `to`, which defaults to now."""

    start: str | None = Field(None, alias="from", max_length=40)
    end: str | None = Field(None, alias="to", max_length=40)
    step: Literal["minute", "5min", "hour", "day", "60", "300", "3600", "86400", "1m", "5m", "1h", "1d"] = "hour"
    province: str = Field("", max_length=40)


class Indicators(BaseModel):
    """The series."""

    touchpoint: str
    step: str
    points: list[dict[str, Any]]


class AnomaliesQuery(PageQuery):
    """What is wanted."""

    touchpoint: str = Field("", max_length=64)
    state: Literal["", "open", "closed", "dismissed"] = ""


class AnomalyPage(BaseModel):
    """One page of anomalies."""

    items: list[dict[str, Any]]
    next: str | None


_BEIJING = ZoneInfo("Asia/Shanghai")
_STEPS = {
    "60": "minute",
    "1m": "minute",
    "300": "5min",
    "5m": "5min",
    "3600": "hour",
    "1h": "hour",
    "86400": "day",
    "1d": "day",
}


@operation(
    "GET", "/api/v1/touchpoints", act="touchpoints.read", query=PageQuery, answer=TouchpointList, summary="Touchpoints"
)
def all_touchpoints(query: PageQuery) -> dict[str, Any]:
    """The map's touchpoints."""
    found = [touchpoints.told(one) for one in touchpoints.touchpoints(door.db())]
    parts = cursor_parts(query.cursor, int)
    first = parts[0] if parts else 0
    rest = cursor_of(first + query.limit) if first + query.limit < len(found) else None
    return page(found[first : first + query.limit], rest)


@operation(
    "GET",
    "/api/v1/touchpoints/<code>/indicators",
    act="touchpoints.read",
    query=IndicatorsQuery,
    answer=Indicators,
    summary="A touchpoint's series",
)
def indicators(code: str, query: IndicatorsQuery) -> dict[str, Any]:
    """One point a window."""
    if touchpoints.touchpoint(door.db(), code) is None:
        raise NotFound(say("没有触点 %(code)s。", code=code[:64]))
    end = _instant("to", query.end) or door.now() + timedelta(minutes=1)
    start = _instant("from", query.start) or end - timedelta(days=1)
    step = _STEPS.get(query.step, query.step)
    found = queries.points(door.db(), door.scope(), code, start=start, end=end, step=step, province=query.province)
    return {"touchpoint": code, "step": step, "points": [point.told() for point in found]}


def _instant(name: str, text: str | None) -> datetime | None:
    """An instant, or a day (its Beijing midnight)."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise Invalid(
            say("时间要写成 ISO 8601，例如 2026-11-23T10:00:00+08:00。"), [{"field": name, "sentence": say("格式不对")}]
        ) from error
    found = found if found.tzinfo else found.replace(tzinfo=_BEIJING)
    if not datetime(2000, 1, 2, tzinfo=UTC) < found < datetime(2100, 1, 1, tzinfo=UTC):
        raise Invalid(say("时间超出范围。"), [{"field": name, "sentence": say("格式不对")}])
    return found


@operation(
    "GET", "/api/v1/anomalies", act="touchpoints.read", query=AnomaliesQuery, answer=AnomalyPage, summary="Anomalies"
)
def anomalies(query: AnomaliesQuery) -> dict[str, Any]:
    """Newest first."""
    found = queries.anomalies(
        door.db(),
        door.scope(),
        touchpoint=query.touchpoint,
        state=query.state,
        after=_after(query.cursor),
        limit=query.limit + 1,
    )
    shown = found[: query.limit]
    rest = cursor_of(shown[-1].started_at, shown[-1].id) if len(found) > query.limit else None
    return page([queries.told(one) for one in shown], rest)


def _after(cursor: str | None) -> tuple[datetime, int] | None:
    parts = cursor_parts(cursor, str, int)
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(str(parts[0]))
        if at.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        return at, int(parts[1])
    except ValueError as error:
        raise Invalid(say("翻页标记无效，请从第一页重新开始。")) from error


class JudgedAnomaly(BaseModel):
    """What became of it."""

    code: str
    state: str
    issue: str | None = None


@operation(
    "POST", "/api/v1/anomalies/<code>/dismiss", act="anomalies.judge", answer=JudgedAnomaly, summary="Not an anomaly"
)
def dismiss_anomaly(code: str) -> JudgedAnomaly:
    """Staff say it is none."""
    known = dismiss(door.db(), door.scope(), code, now=door.now())
    return JudgedAnomaly(code=known.code, state=known.state)


@operation(
    "POST",
    "/api/v1/anomalies/<code>/issue",
    act="issues.triage",
    answer=JudgedAnomaly,
    status=201,
    summary="Make an issue of it",
)
def issue_of_anomaly(code: str) -> JudgedAnomaly:
    """The issue it has or gets."""
    issue = make_issue(door.db(), door.scope(), code, now=door.now())
    return JudgedAnomaly(code=code, state=issue.state, issue=issue.code)
