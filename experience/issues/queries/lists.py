"""Reads of issues: one with its evidence, and lists, within the caller's scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, literal, or_, true, tuple_
from sqlmodel import Session, col, select

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.issues.lifecycle import LIVE
from experience.issues.tables import Issue, IssueSource, IssueUnit
from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit
from experience.voices import queries as voices
from experience.voices import search
from experience.voices.tables import Voice


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of issues is narrowed to; an empty field narrows nothing. `state` may be `live`."""

    state: str = ""
    severity: int | None = None
    touchpoint: str = ""
    topic: str = ""
    province: str = ""
    unit: str = ""
    origin: str = ""
    q: str = ""
    since: datetime | None = None
    until: datetime | None = None


def visible(scope: Scope, act: str = "issues.read") -> ColumnElement[bool]:
    """The condition under which an issue lies where the act is held: by province, product, or a unit it went to."""
    reach = scope.reach(act)
    if reach.is_everything:
        return true()
    given = exists().where(col(IssueUnit.issue_id) == col(Issue.id), col(IssueUnit.unit_id).in_(sorted(reach.unit_ids)))
    return or_(
        col(Issue.province).in_(sorted(reach.territories)),
        col(Issue.product).in_(sorted(reach.product_lines)),
        given,
    )


def by_code(session: Session, scope: Scope, code: str) -> Issue:
    """The issue. Raises NotFound where the caller does not read issues."""
    found = session.exec(select(Issue).where(Issue.code == code, visible(scope))).first()
    if found is None:
        raise NotFound(say("没有编号为 %(code)s 的问题，或不在您的范围内。", code=code))
    return found


def page(
    session: Session, scope: Scope, filters: Filters, *, cursor: str = "", limit: int = 50
) -> tuple[list[tuple[Issue, int]], str | None]:
    """A page of issues with the number of their voices, newest first, and the next cursor."""
    chosen = select(Issue, _voices_of(Issue)).where(visible(scope), *_conditions(filters))
    if cursor:
        at, id = search.moment(cursor)
        chosen = chosen.where(tuple_(col(Issue.opened_at), col(Issue.id)) < tuple_(literal(at), literal(id)))
    rows = session.exec(chosen.order_by(col(Issue.opened_at).desc(), col(Issue.id).desc()).limit(limit + 1)).all()
    shown = [(issue, int(n)) for issue, n in rows[:limit]]
    last = shown[-1][0] if len(rows) > limit else None
    return shown, search.cursor(last.opened_at.isoformat(), last.id or 0) if last else None


def counts(session: Session, scope: Scope) -> dict[str, int]:
    """How many issues of the scope stand in each state."""
    rows = session.exec(select(Issue.state, func.count()).where(visible(scope)).group_by(col(Issue.state)))
    return {state: int(n) for state, n in rows}


def _voices_of(issue: Any) -> Any:
    return (
        select(func.count())
        .where(col(IssueSource.issue_id) == issue.id, col(IssueSource.kind) == "voice")
        .correlate(issue)
        .scalar_subquery()
    )


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    equal = {
        Issue.touchpoint: filters.touchpoint,
        Issue.topic: filters.topic,
        Issue.province: filters.province,
        Issue.origin: filters.origin,
    }
    made: list[ColumnElement[bool]] = [col(column) == value for column, value in equal.items() if value]
    if filters.state:
        made.append(col(Issue.state).in_(LIVE if filters.state == "live" else (filters.state,)))
    if filters.severity is not None:
        made.append(col(Issue.severity) == filters.severity)
    if filters.q:
        made.append(col(Issue.title).icontains(filters.q, autoescape=True))
    if filters.since:
        made.append(col(Issue.opened_at) >= filters.since)
    if filters.until:
        made.append(col(Issue.opened_at) < filters.until)
    if filters.unit:
        units = select(col(IssueUnit.issue_id)).join(Unit, col(Unit.id) == col(IssueUnit.unit_id))
        made.append(col(Issue.id).in_(units.where(col(Unit.code) == filters.unit)))
    return made


def voices_of(session: Session, scope: Scope, issue_id: int, *, limit: int = 50) -> list[voices.Heard]:
    """The newest voices that prove the issue and lie in the scope, with their readings."""
    proving = select(IssueSource.row).where(IssueSource.issue_id == issue_id, IssueSource.kind == "voice")
    return voices.some(session, scope, proving.order_by(col(IssueSource.id).desc()).limit(limit))


def voice_ids(session: Session, issue_id: int) -> list[int]:
    """Ids of all voices that prove the issue; for the rooms above, whose own queries keep the scope."""
    return list(
        session.exec(select(IssueSource.row).where(IssueSource.issue_id == issue_id, IssueSource.kind == "voice"))
    )


def sources_of(session: Session, issue_id: int, kind: str) -> list[int]:
    """Ids of the evidence of this kind: anomaly, response, voice."""
    return list(session.exec(select(IssueSource.row).where(IssueSource.issue_id == issue_id, IssueSource.kind == kind)))


def of_voices(session: Session, voice_ids: Sequence[int]) -> list[Issue]:
    """The issues these voices prove, newest first; what was merged is followed to where it went."""
    direct = (
        select(Issue)
        .join(IssueSource)
        .where(IssueSource.kind == "voice", col(IssueSource.row).in_(voice_ids))
        .order_by(col(Issue.id).desc())
    )
    found: dict[int, Issue] = {}
    for issue in session.exec(direct):
        reached = issue
        while reached.merged_into_id is not None:
            reached = session.get_one(Issue, reached.merged_into_id)
        found.setdefault(reached.id or 0, reached)
    return list(found.values())


def missing_voices(session: Session, scope: Scope, wanted: Sequence[int]) -> list[int]:
    """Those of the wanted voices that do not exist or lie where the caller does not triage."""
    is_reached = voices.visible(scope, act="issues.triage")
    known = set(session.exec(select(Voice.id).where(col(Voice.id).in_(wanted), is_reached)))
    return [id for id in wanted if id not in known]
