"""What people wrote, with what was read in it."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy
from sqlalchemy import and_
from sqlmodel import Session, col

from analysis.normalise import mask
from experience.organisation.permissions import Scope
from experience.voices.tables import Reading, Voice
from surveys.queries.numbers import Filter, counted
from surveys.tables import Answer, Publication, Response, Survey


@dataclass(frozen=True, slots=True)
class Said:
    """One written answer, masked; the reading is there once the voice was read."""

    item: str
    text: str
    at: datetime
    province: str
    touchpoint: str
    voice_id: int | None
    sentiment: float | None
    label: str
    topics: tuple[str, ...]


def newest(session: Session, scope: Scope, survey: Survey, wanted: Filter, *, limit: int) -> list[Said]:
    """The newest written answers."""
    is_said_here = and_(col(Voice.response_id) == col(Response.id), col(Voice.text) == col(Answer.text))
    rows = session.execute(
        sqlalchemy.select(
            col(Answer.item), col(Answer.text), col(Response.at), col(Response.province), col(Response.touchpoint),
            col(Voice.id), col(Voice.masked), col(Reading.sentiment), col(Reading.label), col(Reading.topics),
        )
        .join(Response, col(Response.id) == col(Answer.response_id))
        .join(Publication, col(Publication.id) == col(Response.publication_id))
        .outerjoin(Voice, is_said_here)
        .outerjoin(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(*counted(scope, survey, wanted), ~col(Answer.is_inactive), col(Answer.kind) == "text")
        .order_by(col(Response.at).desc(), col(Response.id).desc(), col(Answer.item))
        .limit(limit)
    )  # fmt: skip
    return [
        Said(
            item=item,
            text=masked or mask(text),
            at=at,
            province=province,
            touchpoint=touchpoint,
            voice_id=voice_id,
            sentiment=sentiment,
            label=label or "",
            topics=tuple(topic["name"] for topic in topics or [] if "name" in topic),
        )
        for item, text, at, province, touchpoint, voice_id, masked, sentiment, label, topics in rows
    ]
