"""What was said in a response becomes voices, read later by the clock; what cannot wait becomes an issue at once."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from experience.issues import lifecycle
from experience.issues.operations import IssueIn, join, raise_issue
from experience.issues.tables import Issue
from experience.learning import weak
from experience.learning.operations import note_score
from experience.organisation.permissions import SYSTEM
from experience.voices.operations import VoiceIn, hear
from surveys import conditions
from surveys.answers import Utterance, utterances
from surveys.definition import SurveyDefinition, in_language

SAME_TROUBLE = timedelta(days=7)  # grave answers about one place within this belong to one issue
TITLE_WORDS = 40


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
    said = utterances(survey, answers, facts, row["lang"])
    voices = [_heard(session, one, row, now) for one in said]
    score = next(((kind, float(value)) for kind, value in _scores(survey, answers)), None)
    if score is not None:
        note_score(session, voices, *score)
    severity = min((one.severity for one in said if one.severity is not None), default=None)
    if severity is not None:
        _raise(session, survey, said[0].text, voices, row, severity=severity, now=now)
    return voices


def _scores(survey: SurveyDefinition, answers: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Scales and marks that say whether the customer is content, in the order answered."""
    for name, value in answers.items():
        kind = survey.item[name].type if "." not in name else ""
        if kind in weak.metrics():
            yield kind, value


def _heard(session: Session, one: Utterance, row: Mapping[str, Any], now: datetime) -> int:
    voice = VoiceIn(
        text=one.text,
        source="survey",
        external_id=f"{row['code']}:{one.item}",
        at=now,
        touchpoint=row["touchpoint"],
        province=row["province"],
        customer_id=row["customer_id"],
        device=row["device"],
        response_id=row["id"],
    )
    return hear(session, SYSTEM, voice, now=now).id or 0


def _raise(
    session: Session,
    survey: SurveyDefinition,
    text: str,
    voices: Sequence[int],
    row: Mapping[str, Any],
    *,
    severity: int,
    now: datetime,
) -> None:
    """A candidate issue for staff to judge, or more evidence for the one that is open about the same place."""
    known = session.exec(
        select(Issue.code)
        .where(
            Issue.origin == "survey",
            Issue.touchpoint == row["touchpoint"],
            Issue.province == row["province"],
            col(Issue.state).in_(lifecycle.LIVE),
            Issue.opened_at > now - SAME_TROUBLE,
        )
        .order_by(col(Issue.id).desc())
        .limit(1)
    ).first()
    if known is not None:
        join(session, SYSTEM, known, voices, now=now)
        return
    title = f"{in_language(survey.title, survey.default_lang)}：{text}"[:TITLE_WORDS]
    told = IssueIn(
        title=title,
        severity=severity,
        touchpoint=row["touchpoint"],
        province=row["province"],
        voices=voices,
        origin="survey",
        is_candidate=True,
    )
    raise_issue(session, SYSTEM, told, now=now)
