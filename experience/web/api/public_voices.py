"""Rants from pages of our sites and from apps: site key and Origin, no cookie."""

import secrets

from pydantic import BaseModel, Field

from experience.ground.config import settings
from experience.organisation.permissions import SYSTEM
from experience.voices import operations
from experience.voices.intake import CONTACT_LIMIT, RANT_LIMIT, VoiceIn
from experience.web import door
from experience.web.api.contract import Body, operation
from experience.web.security import limiter
from experience.web.sites import admitted


class RantBody(Body):
    """What a customer says; nobody has to say who they are."""

    site: str = Field(max_length=80)
    text: str = Field(json_schema_extra={"minLength": 1, "maxLength": RANT_LIMIT})
    touchpoint: str | None = Field(None, max_length=64)
    province: str | None = Field(None, max_length=40)
    product: str | None = Field(None, max_length=64)
    mood: int | None = Field(None, ge=1, le=5, strict=True)
    contact: str | None = Field(None, max_length=CONTACT_LIMIT)
    consent: bool = False


class RantAnswer(BaseModel):
    """`receipt` is the author's secret; `url` is the page that tells what becomes of it."""

    code: str
    receipt: str
    url: str


@operation(
    "POST",
    "/api/v1/public/voices",
    act=None,
    body=RantBody,
    answer=RantAnswer,
    status=201,
    summary="Say something, anonymously",
    statuses=(403,),
    limits=(limiter.limit(lambda: settings().public_rate),),
)
def rant(body: RantBody) -> RantAnswer:
    """Hears a rant; without consent, how to reach its author is not kept."""
    admitted(body.site)
    receipt = secrets.token_urlsafe(24)
    has_consent = body.consent and bool(body.contact)
    said = VoiceIn(
        text=body.text,
        source="rant",
        touchpoint=body.touchpoint or "",
        province=body.province or "",
        product=body.product or "",
        mood=body.mood,
        contact=(body.contact or "") if has_consent else "",
        consent=has_consent,
        receipt=receipt,
        is_for_board=True,
    )
    voice = operations.hear(door.db(), SYSTEM, said, now=door.now())
    return RantAnswer(code=voice.code, receipt=receipt, url=f"/v/{receipt}")
