"""Surveys for staff programs: make, publish, move, read the numbers, export."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from flask import Response, stream_with_context
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from analysis.intervals import Interval
from experience.audit.operations import record
from experience.ground.errors import Invalid, NotFound
from experience.ground.i18n import say
from experience.web import door
from experience.web.api.contract import Body, PageQuery, cursor_of, cursor_parts, operation, page
from surveys import operations, queries
from surveys.definition import in_language, parse
from surveys.metrics import UNITS, Figure
from surveys.operations.editing import CODE
from surveys.queries import exporting
from surveys.queries.numbers import DIMENSIONS, Filter
from surveys.queries.report import Report, Score, report
from surveys.tables import Survey

_BEIJING = ZoneInfo("Asia/Shanghai")
Purpose = Literal["transaction", "anomaly", "relationship", "follow_up"]
State = Literal["draft", "open", "paused", "closed"]


class SurveyBody(Body):
    """A new survey. `unit` is the code of the unit that owns it; the caller's own without."""

    code: str = Field(max_length=40, json_schema_extra={"pattern": f"^{CODE.pattern}$"})
    definition: dict[str, Any]
    purpose: Purpose = "transaction"
    unit: str | None = Field(None, max_length=80)


class DraftBody(Body):
    """A changed draft; `draft_version` is the one that was read."""

    definition: dict[str, Any]
    draft_version: int = Field(ge=1, le=2**31 - 1)


class StateBody(Body):
    """Where the survey shall go."""

    state: Literal["open", "paused", "closed"]


class Nothing(Body):
    """An empty object."""


class SurveyAnswer(BaseModel):
    """A survey without its definition. `version` is 0 until it is published."""

    code: str
    title: str
    purpose: Purpose
    state: State
    version: int
    draft_version: int
    created_at: datetime


class SurveyWhole(SurveyAnswer):
    """A survey with its draft and its published versions' fingerprints."""

    definition: dict[str, Any]
    publications: list["PublicationAnswer"]


class PublicationAnswer(BaseModel):
    """A frozen version."""

    survey: str
    version: int
    sha256: str
    published_at: datetime


class SurveyPage(BaseModel):
    """A page of surveys."""

    items: list[SurveyAnswer]
    next: str | None


class SurveysQuery(PageQuery):
    """What the list is narrowed to."""

    state: State | None = None


class MetricsQuery(Body):
    """Which answers. `from` and `to` are instants or Beijing days, the last day included."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    by: str = Field("", max_length=20, json_schema_extra={"enum": ["", *DIMENSIONS]})
    since: str = Field("", alias="from", max_length=40)
    until: str = Field("", alias="to", max_length=40)
    version: int | None = Field(None, ge=1, le=2**31 - 1)
    province: str = Field("", max_length=64)
    touchpoint: str = Field("", max_length=64)
    sample: Literal["headline", "anomaly", "all"] = "headline"

    def filter(self) -> Filter:
        """As the queries take it."""
        return Filter(
            since=instant("from", self.since),
            until=instant("to", self.until, last=True),
            version=self.version,
            province=self.province,
            touchpoint=self.touchpoint,
            sample=self.sample,
        )


class ExportQuery(MetricsQuery):
    """Which answers, and as what."""

    format: Literal["csv", "xlsx"] = "csv"


class FigureAnswer(BaseModel):
    """A score or share. `display`: full, grey (n < 30), hidden (n < 5, no value), none (no answers yet)."""

    n: int
    display: str
    value: float | None
    low: float | None
    high: float | None
    mean: float | None = None
    best: float | None = None
    worst: float | None = None


class LiftAnswer(BaseModel):
    """Anomaly − baseline with its interval."""

    value: float
    low: float
    high: float


class ScoreAnswer(FigureAnswer):
    """One scale item. `counts` maps answers to how many gave them; `anomaly` is the biased sample, kept apart."""

    item: str
    metric: str
    kind: str
    unit: str
    title: str
    counts: dict[str, int]
    anomaly: FigureAnswer
    lift: LiftAnswer | None
    by: dict[str, FigureAnswer]


class ChoiceAnswer(BaseModel):
    """How often an option was chosen, under the words shown."""

    item: str
    row: str
    option: str
    text: str
    count: int


class MetricsAnswer(BaseModel):
    """Everything counted, for one filter."""

    survey: str
    scores: list[ScoreAnswer]
    choices: list[ChoiceAnswer]
    response: FigureAnswer
    completion: FigureAnswer
    seen: int
    begun: int
    finished: int
    quarantined: int
    turned_away: int
    left_at: dict[str, int]
    refusals: dict[str, int]


@operation(
    "POST", "/api/v1/surveys", act="surveys.edit", body=SurveyBody, answer=SurveyWhole, status=201, summary="Make"
)
def create(body: SurveyBody) -> SurveyWhole:
    """Makes a survey with its first draft."""
    session, scope = door.db(), door.scope()
    unit_id = queries.owner(session, scope, body.unit)
    made = operations.create(
        session, scope, body.code, body.definition, unit_id=unit_id, purpose=body.purpose, now=door.now()
    )
    return _whole(made)


@operation("GET", "/api/v1/surveys", act="surveys.read", query=SurveysQuery, answer=SurveyPage, summary="List")
def index(query: SurveysQuery) -> dict[str, Any]:
    """Surveys, newest first."""
    after = cursor_parts(query.cursor, int)
    before_id = after[0] if after else None
    found = queries.surveys(
        door.db(), door.scope(), state=query.state or "", before_id=before_id, limit=query.limit + 1
    )
    more = cursor_of(found[query.limit - 1].id) if len(found) > query.limit else None
    return page([_listed(one) for one in found[: query.limit]], more)


@operation("GET", "/api/v1/surveys/<code>", act="surveys.read", answer=SurveyWhole, summary="Read")
def one(code: str) -> SurveyWhole:
    """One survey with its draft."""
    return _whole(queries.survey(door.db(), door.scope(), code))


@operation("PUT", "/api/v1/surveys/<code>", act="surveys.edit", body=DraftBody, answer=SurveyWhole, summary="Edit")
def edit(code: str, body: DraftBody) -> SurveyWhole:
    """Saves a draft; 409 when somebody saved another meanwhile."""
    saved = operations.edit(
        door.db(), door.scope(), code, body.definition, draft_version=body.draft_version, now=door.now()
    )
    return _whole(saved)


@operation(
    "POST",
    "/api/v1/surveys/<code>/publish",
    act="surveys.edit",
    body=Nothing,
    answer=PublicationAnswer,
    status=201,
    summary="Freeze the draft as a version and open it",
)
def publish(code: str, body: Nothing) -> PublicationAnswer:
    """Publishes the draft; 422 with every problem that forbids it."""
    made = operations.publish(door.db(), door.scope(), code, now=door.now())
    return PublicationAnswer(survey=code, version=made.version, sha256=made.sha256, published_at=made.published_at)


@operation(
    "POST",
    "/api/v1/surveys/<code>/state",
    act="surveys.edit",
    body=StateBody,
    answer=SurveyAnswer,
    summary="Pause or close",
)
def move(code: str, body: StateBody) -> SurveyAnswer:
    """Pauses, reopens or closes."""
    return _listed(operations.move(door.db(), door.scope(), code, body.state, now=door.now()))


@operation(
    "GET",
    "/api/v1/surveys/<code>/metrics",
    act="surveys.read",
    query=MetricsQuery,
    answer=MetricsAnswer,
    summary="Scores with intervals, rates, drop-off, refusals",
)
def metrics(code: str, query: MetricsQuery) -> MetricsAnswer:
    """The numbers; the same ones the results page shows."""
    survey = queries.survey(door.db(), door.scope(), code)
    made = report(door.db(), door.scope(), survey, parse(survey.draft), query.filter(), by=query.by)
    return _metrics(code, made)


@operation(
    "GET",
    "/api/v1/surveys/<code>/export",
    act="surveys.read",
    query=ExportQuery,
    answer=Response,
    summary="The filtered answers as csv (UTF-8 with BOM) or xlsx",
    media=("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
)
def export(code: str, query: ExportQuery) -> Response:
    """Exactly the filtered answers; text is masked, formulas are made harmless."""
    survey = queries.survey(door.db(), door.scope(), code)
    return download(survey, query.filter(), query.format)


def download(survey: Survey, wanted: Filter, kind: str) -> Response:
    """The file as an answer."""
    if survey.current_version == 0:
        raise NotFound(say("问卷还没有发布，没有可导出的答卷。"))
    rows = exporting.rows(door.db(), door.scope(), survey, parse(survey.draft), wanted)
    made, mimetype = exporting.WRITERS[kind]
    record(door.db(), door.scope(), "surveys.export", ("survey", survey.code), now=door.now(), detail={"format": kind})
    door.commit()
    answer = Response(stream_with_context(made(rows)), content_type=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="{survey.code}.{kind}"'
    return answer


def instant(field: str, given: str, *, last: bool = False) -> datetime | None:
    """An ISO 8601 instant, or a Beijing day's midnight (the end of that day when `last`). Raises Invalid."""
    if not given:
        return None
    try:
        day = date.fromisoformat(given)
        return datetime.combine(day, time(), _BEIJING) + timedelta(days=1 if last else 0)
    except (ValueError, OverflowError):
        pass
    try:
        return TypeAdapter(AwareDatetime).validate_python(given)
    except ValidationError as error:
        sentence = say("写成 2026-11-23 或 2026-11-23T10:00:00+08:00。")
        raise Invalid(say("时间的写法有误。"), [{"field": field, "sentence": sentence}]) from error


def _listed(survey: Survey) -> SurveyAnswer:
    return SurveyAnswer.model_validate(_common(survey))


def _common(survey: Survey) -> dict[str, Any]:
    return {
        "code": survey.code,
        "title": survey.title,
        "purpose": survey.purpose,
        "state": survey.state,
        "version": survey.current_version,
        "draft_version": survey.draft_version,
        "created_at": survey.created_at,
    }


def _whole(survey: Survey) -> SurveyWhole:
    frozen = [
        {"survey": survey.code, "version": row.version, "sha256": row.sha256, "published_at": row.published_at}
        for row in queries.publications(door.db(), survey)
    ]
    return SurveyWhole.model_validate({**_common(survey), "definition": survey.draft, "publications": frozen})


def _metrics(code: str, made: Report) -> MetricsAnswer:
    return MetricsAnswer(
        survey=code,
        scores=[_score(score) for score in made.scores],
        choices=[
            ChoiceAnswer(item=one.item, row=one.row, option=one.option, text=one.text, count=one.count)
            for one in made.choices
        ],
        response=_figure(made.response),
        completion=_figure(made.completion),
        seen=made.flow.seen,
        begun=made.flow.begun,
        finished=made.flow.finished,
        quarantined=made.flow.quarantined,
        turned_away=made.flow.turned_away,
        left_at=dict(made.left_at),
        refusals=dict(made.refusals),
    )


def _score(score: Score) -> ScoreAnswer:
    return ScoreAnswer(
        item=score.item.id,
        metric=score.item.metric or "",
        kind=score.item.type,
        unit=UNITS[score.item.type],
        title=in_language(score.item.title, "zh-CN"),
        counts={str(answer): count for answer, count in score.counts.items()},
        anomaly=_figure(score.anomaly),
        lift=_lift(score.lift),
        by={name: _figure(figure) for name, figure in score.groups.items()},
        **_numbers(score.figure),
    )


def _figure(figure: Figure) -> FigureAnswer:
    return FigureAnswer(**_numbers(figure))


def _numbers(figure: Figure) -> Mapping[str, Any]:
    names = ("n", "display", "value", "low", "high", "mean", "best", "worst")
    return {name: getattr(figure, name) for name in names}


def _lift(found: Interval | None) -> LiftAnswer | None:
    return LiftAnswer(value=found.value, low=found.low, high=found.high) if found else None
