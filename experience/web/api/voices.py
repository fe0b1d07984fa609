"""Customers' voices for programs: hear, find, correct, unmask."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from analysis.topics import TOPICS
from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.learning.operations import judge
from experience.voices import operations, queries
from experience.voices.intake import TEXT_LIMIT, VoiceIn
from experience.voices.queries import Filters, Heard
from experience.voices.tables import Reading
from experience.web import door
from experience.web.api.contract import Body, PageQuery, operation

_BEIJING = ZoneInfo("Asia/Shanghai")
Label = Literal["negative", "neutral", "positive"]
#: A row's id as PostgreSQL can hold it.
RowId = Annotated[int, Field(ge=1, lt=2**63)]


class VoiceBody(Body):
    """One utterance. `customer` is the operator's own pseudonymous id; source and external_id make it once."""

    text: str = Field(json_schema_extra={"minLength": 1, "maxLength": TEXT_LIMIT})
    source: str = Field(min_length=1, max_length=40)
    touchpoint: str | None = Field(None, max_length=64)
    product: str | None = Field(None, max_length=64)
    province: str | None = Field(None, max_length=40)
    customer: str | None = Field(None, max_length=128)
    at: AwareDatetime | None = None
    external_id: str | None = Field(None, max_length=200)


class ReadingAnswer(BaseModel):
    """What was read, as `huisheng analyse` prints it; `is_corrected` when a person put it right."""

    sentiment: float
    label: Label
    confidence: float
    topics: list[dict[str, Any]]
    aspects: list[dict[str, Any]]
    keywords: list[str]
    urgency: int
    urgency_reasons: list[str]
    intent: str
    evidence: list[dict[str, Any]]
    abstains: bool
    model: str
    is_corrected: bool


class VoiceAnswer(BaseModel):
    """One voice; `text` is masked. `times` tells how often it was said when the list is folded."""

    id: int
    code: str
    text: str
    source: str
    touchpoint: str
    product: str
    province: str
    at: datetime
    mood: int | None
    board_state: str
    times: int = 1
    found: list[tuple[int, int]] = Field(default=[], description="Where the words searched for stand in the text")
    reading: ReadingAnswer | None


class VoicePage(BaseModel):
    """A page of voices."""

    items: list[VoiceAnswer]
    next: str | None


class VoicesQuery(PageQuery):
    """What the list is narrowed to. `from` and `to` are instants or Beijing days, the last day included."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    q: str = Field("", max_length=200, description='Words, all wanted; "in quotes" exactly so; -word not at all')
    topic: str = Field("", max_length=40)
    label: Label | None = None
    urgency: int | None = Field(None, ge=0, le=3, description="At least this urgent")
    intent: str = Field("", max_length=40)
    touchpoint: str = Field("", max_length=64)
    unit: str = Field("", max_length=80)
    province: str = Field("", max_length=40)
    source: str = Field("", max_length=40)
    product: str = Field("", max_length=64)
    since: str = Field("", alias="from", max_length=40)
    until: str = Field("", alias="to", max_length=40)
    sort: Literal["", "relevance", "newest"] = Field("", description="relevance unless told otherwise when q is given")
    fold: bool = Field(False, description="Show what was said again within a week once")
    unsure: bool = Field(False, description="Only those the model was not sure of and nobody has looked at")


class ReadingBody(Body):
    """What a person puts right."""

    label: Label | None = None
    topic: str | None = Field(None, max_length=40, json_schema_extra={"enum": [None, *TOPICS]})
    intent: Literal["complaint", "suggestion", "inquiry", "praise", "other"] | None = None


class UnmaskBody(Body):
    """Why the words as they were said must be seen."""

    reason: str = Field(min_length=4, max_length=200)


class UnmaskAnswer(BaseModel):
    """The words as they were said and how to reach their author."""

    id: int
    text: str
    contact: str


@operation("POST", "/api/v1/voices", act="voices.hear", body=VoiceBody, answer=VoiceAnswer, status=201, summary="Hear")
def hear(body: VoiceBody) -> VoiceAnswer:
    """Hears a voice and reads it at once."""
    said = VoiceIn(**{name: value for name, value in body.model_dump().items() if value is not None})
    voice = operations.hear(door.db(), door.scope(), said, now=door.now())
    if voice.read_at is None:
        operations.read_now(door.db(), [voice], now=door.now())
    return shown(queries.one(door.db(), door.scope(), voice.id or 0))


@operation("GET", "/api/v1/voices", act="voices.read", query=VoicesQuery, answer=VoicePage, summary="Find voices")
def index(query: VoicesQuery) -> VoicePage:
    """Voices newest first, or the best matches first when words are searched for."""
    filters = Filters(
        q=query.q,
        topic=query.topic,
        label=query.label or "",
        urgency=query.urgency,
        intent=query.intent,
        touchpoint=query.touchpoint,
        unit=query.unit,
        province=query.province,
        source=query.source,
        product=query.product,
        since=instant(query.since, "from"),
        until=instant(query.until, "to", is_end=True),
        is_unsure=query.unsure,
        sort=query.sort,
    )
    found = queries.page(
        door.db(), door.scope(), filters, cursor=query.cursor or "", limit=query.limit, is_folded=query.fold
    )
    return VoicePage(items=[shown(heard) for heard in found.items], next=found.next)


@operation("GET", "/api/v1/voices/<int:voice_id>", act="voices.read", answer=VoiceAnswer, summary="One voice")
def one(voice_id: int) -> VoiceAnswer:
    """One voice with its reading."""
    return shown(queries.one(door.db(), door.scope(), voice_id))


@operation(
    "PATCH",
    "/api/v1/voices/<int:voice_id>/reading",
    act="voices.correct",
    body=ReadingBody,
    answer=VoiceAnswer,
    summary="Correct label, topic or intent",
)
def correct(voice_id: int, body: ReadingBody) -> VoiceAnswer:
    """Puts a reading right; it becomes training data."""
    told = body.model_dump()
    if not any(told.values()):
        raise Invalid(say("请给出要更正的情感（label）、主题（topic）或意图（intent）。"))
    judge(door.db(), door.scope(), voice_id, now=door.now(), **told)
    return shown(queries.one(door.db(), door.scope(), voice_id))


@operation(
    "POST",
    "/api/v1/voices/<int:voice_id>/unmask",
    act="voices.unmask",
    body=UnmaskBody,
    answer=UnmaskAnswer,
    summary="See the words as they were said",
    idempotent=False,
)
def unmask(voice_id: int, body: UnmaskBody) -> UnmaskAnswer:
    """The unmasked words; the reason goes into the audit."""
    voice = operations.unmask(door.db(), door.scope(), voice_id, body.reason, now=door.now())
    return UnmaskAnswer(id=voice_id, text=voice.text, contact=voice.contact)


def shown(heard: Heard) -> VoiceAnswer:
    """A voice as the contract prints it."""
    voice = heard.voice
    assert voice.id is not None
    return VoiceAnswer(
        id=voice.id,
        code=voice.code,
        text=voice.masked,
        source=voice.source,
        touchpoint=voice.touchpoint,
        product=voice.product,
        province=voice.province,
        at=voice.at,
        mood=voice.mood,
        board_state=voice.board_state,
        times=heard.times,
        found=list(heard.found),
        reading=_reading(heard.reading),
    )


def _reading(reading: Reading | None) -> ReadingAnswer | None:
    if reading is None:
        return None
    kept = {name: getattr(reading, name) for name in ReadingAnswer.model_fields if name != "is_corrected"}
    return ReadingAnswer(**kept, is_corrected=reading.corrected_at is not None)


def instant(written: str, field: str, *, is_end: bool = False) -> datetime | None:
    """An ISO instant, or a Beijing day's beginning (its end with `is_end`); None for ''. Raises Invalid otherwise."""
    if not written:
        return None
    try:
        if len(written) == len("2026-11-22"):
            midnight = datetime.combine(date.fromisoformat(written), time(), _BEIJING)
            return midnight + timedelta(days=1) if is_end else midnight
        told = datetime.fromisoformat(written.replace(" ", "+"))  # an unescaped + arrives as a blank
        return told if told.tzinfo else told.replace(tzinfo=_BEIJING)
    except (ValueError, OverflowError) as error:
        sentence = say("应是日期或 ISO 8601 时间，如 2026-11-22 或 2026-11-22T08:00:00+08:00。")
        raise Invalid(sentence, [{"field": field, "sentence": sentence}]) from error
