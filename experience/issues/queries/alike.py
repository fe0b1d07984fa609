"""Issues like one another: found by an index over their telling words, ranked by how much of it they share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, case, cast, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session, col, select

from experience.issues import kinship
from experience.issues.lifecycle import LIVE
from experience.issues.queries.lists import visible
from experience.issues.tables import Issue, IssueSource, IssueWords
from experience.organisation.permissions import Scope
from experience.voices.tables import Reading

#: Newest issues with a telling word in common that are compared.
COMPARED = 300
#: Voices of an issue whose words were not made yet, and of a selection, that are looked at.
LOOKED_AT = 60


@dataclass(frozen=True, slots=True)
class Alike:
    """A similar issue, how alike it is (0 to 1; 0: only its place or topic is the same), and the shared words."""

    issue: Issue
    likeness: float = 0.0
    shared: tuple[str, ...] = ()


def alike(session: Session, scope: Scope, issue: Issue, *, limit: int = 5) -> list[Alike]:
    """Issues that speak of the same, most alike first; then those of the same place and topic, the solved first."""
    known = session.get(IssueWords, issue.id)
    words = known.words if known else kinship.words_of(issue.title, _spoken(session, _voices_of(issue)))
    not_these = col(Issue.id) != issue.id
    found = _ranked(session, words, (visible(scope), not_these, col(Issue.state) != "merged"), limit)
    if len(found) < limit:
        seen = [one.issue.id for one in found]
        found += [Alike(other) for other in _neighbours(session, scope, issue, seen, limit=limit - len(found))]
    return found


def suggestions(
    session: Session, scope: Scope, title: str, voice_ids: Sequence[int] = (), *, limit: int = 4
) -> list[Alike]:
    """Issues still open, where the caller triages, that what is being raised may belong to; most alike first."""
    chosen = select(col(Reading.keywords)).where(col(Reading.voice_id).in_(voice_ids[:LOOKED_AT]))
    words = kinship.words_of(title, session.scalars(chosen) if voice_ids else ())
    return _ranked(session, words, (visible(scope, "issues.triage"), col(Issue.state).in_(LIVE)), limit)


def _ranked(session: Session, words: Sequence[str], conditions: Iterable[Any], limit: int) -> list[Alike]:
    asked = kinship.asked(words)
    if not asked:
        return []
    matching = (
        select(Issue, IssueWords.words)
        .join(IssueWords, col(IssueWords.issue_id) == col(Issue.id))
        .where(col(IssueWords.words).op("&&")(cast(asked, ARRAY(Text))), *conditions)
        .order_by(col(Issue.id).desc())
        .limit(COMPARED)
    )
    rows = {issue.id or 0: (issue, theirs) for issue, theirs in session.exec(matching)}
    kin = kinship.kin(words, {id: theirs for id, (_, theirs) in rows.items()}, most=limit)
    return [Alike(rows[one.id][0], one.likeness, one.shared) for one in kin]


def _voices_of(issue: Issue) -> Any:
    proving = select(IssueSource.row).where(IssueSource.issue_id == issue.id, IssueSource.kind == "voice")
    return proving.order_by(col(IssueSource.id).desc()).limit(LOOKED_AT)


def _spoken(session: Session, voice_ids: Any) -> Sequence[Sequence[str]]:
    return session.scalars(select(col(Reading.keywords)).where(col(Reading.voice_id).in_(voice_ids))).all()


def _neighbours(
    session: Session, scope: Scope, issue: Issue, seen: Sequence[int | None], *, limit: int
) -> Sequence[Issue]:
    """Issues of the same topic or touchpoint, the solved first, then the newest."""
    is_same_place = case((col(Issue.touchpoint) == issue.touchpoint, 1), else_=0) if issue.touchpoint else literal(0)
    is_same_topic = case((col(Issue.topic) == issue.topic, 1), else_=0) if issue.topic else literal(0)
    nearness = is_same_place + is_same_topic
    chosen = (
        select(Issue)
        .where(visible(scope), col(Issue.id) != issue.id, col(Issue.id).not_in(seen))
        .where(Issue.state != "merged", nearness > 0)
        .order_by(nearness.desc(), (col(Issue.state) == "solved").desc(), col(Issue.opened_at).desc())
    )
    return session.exec(chosen.limit(limit)).all()
