"""Reads beside a list of voices: which issues they prove, which issues they may join, what touchpoints are called."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from experience.issues.lifecycle import LIVE
from experience.issues.queries import visible
from experience.issues.tables import Issue, IssueSource
from experience.organisation.permissions import Scope
from experience.touchpoints.tables import Touchpoint


@dataclass(frozen=True, slots=True)
class IssueName:
    """An issue by its code and title."""

    code: str
    title: str


def issues_of(session: Session, scope: Scope, voice_ids: Sequence[int]) -> dict[int, list[IssueName]]:
    """Voice id -> the issues it proves that this caller may see."""
    rows = session.execute(
        select(col(IssueSource.row), col(Issue.code), col(Issue.title))
        .join(Issue, col(Issue.id) == col(IssueSource.issue_id))
        .where(col(IssueSource.kind) == "voice", col(IssueSource.row).in_(voice_ids))
        .where(col(Issue.state) != "merged", visible(scope))
        .order_by(col(Issue.id).desc())
    )
    made: dict[int, list[IssueName]] = defaultdict(list)
    for voice_id, code, title in rows:
        made[voice_id].append(IssueName(code, title))
    return made


def live_issues(session: Session, scope: Scope, *, limit: int = 40) -> list[IssueName]:
    """The newest issues that may still take voices."""
    query = select(col(Issue.code), col(Issue.title)).where(col(Issue.state).in_(LIVE), visible(scope))
    return [IssueName(*row) for row in session.execute(query.order_by(col(Issue.id).desc()).limit(limit))]


def touchpoint_names(session: Session) -> list[tuple[str, str]]:
    """(code, name) of every touchpoint in use, key ones first."""
    query = select(col(Touchpoint.code), col(Touchpoint.name)).where(col(Touchpoint.is_active))
    return [(c, n) for c, n in session.execute(query.order_by(col(Touchpoint.is_key).desc(), col(Touchpoint.name)))]
