"""Issues for programs: raise, find, change, close, merge."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.issues import lifecycle, operations, queries
from experience.issues.tables import Issue
from experience.voices.intake import invalid, province_code
from experience.web import door
from experience.web.api.contract import Body, PageQuery, operation
from experience.web.api.voices import RowId, VoiceAnswer, instant, shown

State = Literal["candidate", "open", "dispatched", "solved", "dismissed", "merged", "live"]
Severity = Annotated[int, Field(ge=1, le=4)]
#: Voices named in one request, and shown with one issue.
VOICES = 500
SHOWN_VOICES = 50


class IssueBody(Body):
    """Something wrong. Without `severity` the suggested one is taken; topic and province come from the voices."""

    title: str = Field(min_length=2, max_length=120)
    severity: Severity | None = None
    touchpoint: str = Field("", max_length=64)
    topic: str = Field("", max_length=40)
    product: str = Field("", max_length=64)
    province: str = Field("", max_length=40)
    summary: str = Field("", max_length=4000)
    stage: Literal["", "design", "build", "launch", "run"] = ""
    voices: list[RowId] = Field(default=[], max_length=VOICES)


class IssueChange(Body):
    """What changes; what is absent stays. `state` closes or reopens and needs a `reason`; `voices` are added."""

    version: int | None = Field(None, ge=1, lt=2**31)
    title: str | None = Field(None, min_length=2, max_length=120)
    summary: str | None = Field(None, max_length=4000)
    severity: Severity | None = None
    touchpoint: str | None = Field(None, max_length=64)
    topic: str | None = Field(None, max_length=40)
    product: str | None = Field(None, max_length=64)
    province: str | None = Field(None, max_length=40)
    stage: Literal["", "design", "build", "launch", "run"] | None = None
    state: Literal["open", "dismissed", "solved"] | None = None
    reason: str = Field("", max_length=500)
    merge_into: str | None = Field(None, max_length=40)
    voices: list[RowId] = Field(default=[], max_length=VOICES)


class IssueAnswer(BaseModel):
    """One issue; `allowed` are the acts its state knows. `voices` are the newest that the caller may see."""

    code: str
    title: str
    summary: str
    state: str
    severity: int
    severity_reason: str
    touchpoint: str
    topic: str
    product: str
    province: str
    origin: str
    stage: str
    opened_at: datetime
    closed_at: datetime | None
    close_reason: str
    merged_into: str | None = None
    version: int
    allowed: list[str]
    voice_count: int
    voices: list[VoiceAnswer] = []


class IssuePage(BaseModel):
    """A page of issues."""

    items: list[IssueAnswer]
    next: str | None


class IssuesQuery(PageQuery):
    """What the list is narrowed to; `state=live` is every state that still has work."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    state: State | None = None
    severity: int | None = Field(None, ge=1, le=4)
    touchpoint: str = Field("", max_length=64)
    topic: str = Field("", max_length=40)
    province: str = Field("", max_length=40)
    unit: str = Field("", max_length=80)
    origin: str = Field("", max_length=40)
    q: str = Field("", max_length=100)
    since: str = Field("", alias="from", max_length=40)
    until: str = Field("", alias="to", max_length=40)


@operation(
    "POST", "/api/v1/issues", act="issues.triage", body=IssueBody, answer=IssueAnswer, status=201, summary="Raise",
    statuses=(404,),
)  # fmt: skip
def raise_issue(body: IssueBody) -> IssueAnswer:
    """Raises an issue from voices."""
    told = operations.IssueIn(**body.model_dump() | {"province": _province(body.province)})
    issue = operations.raise_issue(door.db(), door.scope(), told, now=door.now())
    return _whole(issue)


@operation("GET", "/api/v1/issues", act="issues.read", query=IssuesQuery, answer=IssuePage, summary="Find issues")
def index(query: IssuesQuery) -> IssuePage:
    """Issues newest first."""
    filters = queries.Filters(
        state=query.state or "",
        severity=query.severity,
        touchpoint=query.touchpoint,
        topic=query.topic,
        province=query.province,
        unit=query.unit,
        origin=query.origin,
        q=query.q,
        since=instant(query.since, "from"),
        until=instant(query.until, "to", is_end=True),
    )
    found, following = queries.page(door.db(), door.scope(), filters, cursor=query.cursor or "", limit=query.limit)
    return IssuePage(items=[_told(issue, n) for issue, n in found], next=following)


@operation("GET", "/api/v1/issues/<code>", act="issues.read", answer=IssueAnswer, summary="One issue")
def one(code: str) -> IssueAnswer:
    """One issue with the newest of its voices."""
    return _whole(queries.by_code(door.db(), door.scope(), code))


@operation(
    "PATCH", "/api/v1/issues/<code>", act="issues.triage", body=IssueChange, answer=IssueAnswer, summary="Change",
    statuses=(409,),
)  # fmt: skip
def change(code: str, body: IssueChange) -> IssueAnswer:
    """Changes fields, adds voices, then closes, reopens or merges; all of it or nothing."""
    db, scope, now = door.db(), door.scope(), door.now()
    if body.state and body.merge_into:
        raise Invalid(say("关闭和合并只能选一样。"))
    given = body.model_dump(exclude_unset=True, exclude={"version", "state", "reason", "merge_into", "voices"})
    fields = {name: value for name, value in given.items() if value is not None}
    if body.province is not None:
        fields["province"] = _province(body.province)
    issue = operations.change(db, scope, code, fields, version=body.version, now=now)
    if body.voices:
        issue = operations.join(db, scope, code, body.voices, now=now)
    if body.merge_into:
        issue = operations.merge(db, scope, code, body.merge_into, now=now)
    elif body.state and body.state != issue.state:
        issue = _enter(issue, body)
    return _whole(issue)


def _province(told: str) -> str:
    """The code of a province given by code or by name. Raises Invalid: under another none would see the issue."""
    code = province_code(told)
    if told.strip() and not code:
        raise invalid("province", say("省份不认识：请用代码（如 guangdong）或名称（如 广东）。"))
    return code


def _enter(issue: Issue, body: IssueChange) -> Issue:
    db, scope, now = door.db(), door.scope(), door.now()
    if body.state == "dismissed":
        return operations.dismiss(db, scope, issue.code, body.reason, now=now)
    if body.state == "solved":
        return operations.solve(db, scope, issue.code, body.reason, now=now)
    if issue.state == "candidate":
        return operations.accept(db, scope, issue.code, now=now)
    return operations.reopen(db, scope, issue.code, body.reason, now=now)


def _whole(issue: Issue) -> IssueAnswer:
    assert issue.id is not None
    told = _told(issue, len(queries.voice_ids(door.db(), issue.id)))
    told.voices = [shown(heard) for heard in queries.voices_of(door.db(), door.scope(), issue.id, limit=SHOWN_VOICES)]
    if issue.merged_into_id is not None:
        told.merged_into = door.db().get_one(Issue, issue.merged_into_id).code
    return told


def _told(issue: Issue, voice_count: int) -> IssueAnswer:
    kept = {name: getattr(issue, name) for name in IssueAnswer.model_fields if hasattr(issue, name)}
    return IssueAnswer(**kept, allowed=sorted(lifecycle.ACTS[issue.state]), voice_count=voice_count)
