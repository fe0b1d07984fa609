"""The public API of surveys: what the widget talks to, and what any program may use. No cookies."""

import hashlib
from typing import Any

from flask import request
from pydantic import BaseModel, Field

from experience.ground.config import settings
from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.web import door
from experience.web.api.contract import Body, operation
from experience.web.security import limiter
from surveys import operations
from surveys.operations import SubmitIn
from surveys.web import origins

#: Keys of at least this length are taken to be nobody else's.
LONG_KEY = 16

PUBLIC = "/api/v1/public/surveys/<code>"
Place = Field("", max_length=64, pattern=r"^[\w.\-]*$")
LIMITED = [limiter.limit(lambda: settings().public_rate)]


class PublicSurvey(BaseModel):
    """A survey as a customer's program needs it; `definition` is `cx-survey/1` without its private parts."""

    survey: str
    version: int
    definition: dict[str, Any]


class SiteQuery(Body):
    """The embedding site's key, so that its page's origin can be checked."""

    site: str | None = Field(None, max_length=100)


class Answers(Body):
    """A response. `answers` maps item ids to values in the shape of their type; `partial` keeps it for later."""

    token: str | None = Field(None, min_length=10, max_length=1000)
    version: int | None = Field(None, ge=1, le=2**31 - 1)
    answers: dict[str, Any] = Field(max_length=2000)
    inactive: dict[str, Any] = Field(default={}, max_length=2000)
    partial: bool = False
    lang: str = Field("", pattern=r"^([a-z]{2}(-[A-Z]{2})?)?$")
    seconds: float | None = Field(None, ge=0, lt=1e7, allow_inf_nan=False)
    channel: str = Field("api", pattern=r"^(popover|inline|link|qr|api)$")
    touchpoint: str = Place
    province: str = Place
    device: str = Place
    url: dict[str, str] = Field(default={}, max_length=20)


class Stored(BaseModel):
    """What was stored; `receipt` opens `/v/<receipt>`, where its author sees what became of it."""

    response: str
    receipt: str
    ending: str


class TokenBody(Body):
    """The display token of an invitation."""

    token: str = Field(min_length=10, max_length=1000)


class Done(BaseModel):
    """Done."""

    ok: bool = True


@operation("GET", PUBLIC, act=None, query=SiteQuery, answer=PublicSurvey, summary="一份问卷", statuses=(403, 404))
def survey(code: str, query: SiteQuery) -> PublicSurvey:
    """The survey's current version."""
    origins.check(query.site)
    _, out = operations.current(door.db(), code)
    return PublicSurvey(survey=code, version=out.version, definition=dict(out.public))


@operation(
    "POST",
    f"{PUBLIC}/responses",
    act=None,
    body=Answers,
    query=SiteQuery,
    answer=Stored,
    status=201,
    summary="交一份答卷；用 Idempotency-Key 可安全重试",
    idempotent=False,  # the response row keeps the key itself: one table less to write at every answer
    keeps_key=True,
    statuses=(403, 404, 409, 422, 429),
    limits=LIMITED,
)
def respond(code: str, body: Answers, query: SiteQuery) -> Stored:
    """Stores the answers once, whatever is sent twice."""
    origins.check(query.site)
    said = SubmitIn(
        answers=body.answers,
        version=body.version,
        token=body.token,
        key=_key(request.headers.get("Idempotency-Key")),
        is_partial=body.partial,
        inactive=body.inactive,
        lang=body.lang,
        seconds=body.seconds,
        channel=body.channel,
        touchpoint=body.touchpoint,
        province=body.province,
        device=body.device,
        url=body.url,
    )
    try:
        done = operations.submit(door.db(), code, said, now=door.now())
    except operations.KeyReused as error:  # as everywhere in the API
        raise Invalid(say("这个 Idempotency-Key 已用于另一个请求，请为新的请求换一个。")) from error
    return Stored(response=done.response_code, receipt=done.receipt, ending=done.ending)


@operation(
    "POST",
    f"{PUBLIC}/shown",
    act=None,
    body=TokenBody,
    query=SiteQuery,
    answer=Done,
    summary="问卷已展示（可见一半以上、满一秒）",
    idempotent=False,
    statuses=(403, 404, 409, 422, 429),
    limits=LIMITED,
)
def shown(code: str, body: TokenBody, query: SiteQuery) -> Done:
    """Notes that the survey was seen; 409 when the invitation was taken back."""
    origins.check(query.site)
    operations.shown(door.db(), code, body.token, now=door.now())
    return Done()


@operation(
    "POST",
    f"{PUBLIC}/dismissed",
    act=None,
    body=TokenBody,
    query=SiteQuery,
    answer=Done,
    summary="客户关闭了问卷",
    idempotent=False,
    statuses=(403, 404, 409, 422, 429),
    limits=LIMITED,
)
def dismissed(code: str, body: TokenBody, query: SiteQuery) -> Done:
    """Notes that the survey was closed unanswered."""
    origins.check(query.site)
    operations.dismiss(door.db(), code, body.token, now=door.now())
    return Done()


def _key(given: str | None) -> str | None:
    """The client's key; a short one, which others may choose too, is told apart by where it came from."""
    if given is None or not 0 < len(given) < LONG_KEY:
        return given
    return f"{given}.{hashlib.blake2b(str(request.remote_addr).encode(), digest_size=8).hexdigest()}"
