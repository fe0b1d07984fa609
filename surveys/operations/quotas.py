"""Quotas: counted by one statement each, never beyond their limit however many answer at once."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from surveys import conditions
from surveys.definition import SurveyDefinition
from surveys.eligibility import Setting
from surveys.tables import QuotaTaken


def turned_away(
    session: Session, survey_id: int, survey: SurveyDefinition, answers: Mapping[str, Any], here: Setting
) -> str | None:
    """Takes a place in every quota this response falls under; the ending of the first that was full, if one was."""
    facts = {**here.facts(), "a": answers}
    for quota in survey.quotas:
        if conditions.holds(quota.when, facts) and not _take(session, survey_id, quota.id, quota.limit):
            return quota.then
    return None


def _take(session: Session, survey_id: int, quota: str, limit: int) -> bool:
    counted = (
        insert(QuotaTaken)
        .values(survey_id=survey_id, quota=quota, taken=1)
        .on_conflict_do_update(
            index_elements=["survey_id", "quota"],
            set_={"taken": QuotaTaken.taken + 1},
            where=col(QuotaTaken.taken) < limit,
        )
        .returning(col(QuotaTaken.taken))
    )
    return session.execute(counted).scalar() is not None
