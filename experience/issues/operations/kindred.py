"""Keep each issue's telling words true, by which similar ones are found."""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col

from experience.issues.kinship import words_of
from experience.issues.lifecycle import LIVE
from experience.issues.tables import Issue, IssueSource, IssueWords
from experience.voices.tables import Reading

#: Issues in one step, and voices of each that are looked at.
BATCH, LOOKED_AT = 20, 60


def word_next(session: Session, now: datetime) -> bool:
    """Makes the words of some issues that have none, were changed, or got evidence; whether there were any."""
    newer = exists().where(col(IssueSource.issue_id) == col(Issue.id), col(IssueSource.id) > col(IssueWords.source_id))
    waiting = (
        select(Issue)
        .outerjoin(IssueWords, col(IssueWords.issue_id) == col(Issue.id))
        .where(
            or_(
                col(IssueWords.issue_id).is_(None),
                col(IssueWords.version) != col(Issue.version),
                col(Issue.state).in_(LIVE) & newer,  # no other issue gets evidence
            )
        )
        .order_by(col(Issue.id))
        .limit(BATCH)
        .with_for_update(of=Issue.__table__, skip_locked=True)  # type: ignore[attr-defined]
    )
    issues = session.scalars(waiting).all()
    if issues:
        rows = [_row(session, issue, now) for issue in issues]
        upsert = insert(IssueWords)
        anew = {name: upsert.excluded[name] for name in ("words", "version", "source_id", "made_at")}
        session.execute(upsert.values(rows).on_conflict_do_update(index_elements=["issue_id"], set_=anew))
    return bool(issues)


def _row(session: Session, issue: Issue, now: datetime) -> dict[str, Any]:
    evidence = col(IssueSource.issue_id) == issue.id
    last = session.scalar(select(func.max(col(IssueSource.id))).where(evidence))
    spoken = session.scalars(
        select(col(Reading.keywords))
        .join(IssueSource, (col(IssueSource.row) == col(Reading.voice_id)) & (col(IssueSource.kind) == "voice"))
        .where(evidence)
        .order_by(col(IssueSource.id).desc())
        .limit(LOOKED_AT)
    ).all()
    return {
        "issue_id": issue.id,
        "words": list(words_of(issue.title, spoken)),
        "version": issue.version,
        "source_id": last or 0,
        "made_at": now,
    }
