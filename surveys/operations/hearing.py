"""What was said in a response becomes voices; they are read later, by the clock."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from experience.organisation.permissions import SYSTEM
from experience.voices.operations import VoiceIn, hear
from surveys import conditions
from surveys.answers import utterances
from surveys.definition import SurveyDefinition


def hear_response(
    session: Session,
    survey: SurveyDefinition,
    answers: Mapping[str, Any],
    facts: conditions.Facts,
    row: Mapping[str, Any],
    *,
    now: datetime,
) -> list[int]:
    """The ids of the voices heard in a stored response; `row` is the response's own."""
    return [
        hear(
            session,
            SYSTEM,
            VoiceIn(
                text=one.text,
                source="survey",
                external_id=f"{row['code']}:{one.item}",
                at=now,
                touchpoint=row["touchpoint"],
                province=row["province"],
                customer_id=row["customer_id"],
                device=row["device"],
                response_id=row["id"],
            ),
            now=now,
        ).id
        or 0
        for one in utterances(survey, answers, facts, row["lang"])
    ]
