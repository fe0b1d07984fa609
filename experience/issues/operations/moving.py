"""Move issues through their states: by a person, or along with their orders."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, select

from experience.audit.operations import record
from experience.ground.errors import Conflict
from experience.ground.i18n import say
from experience.issues import lifecycle, queries
from experience.issues.operations.raising import attach, demand_version, held
from experience.issues.tables import Issue, IssueSource, IssueUnit
from experience.organisation.permissions import Scope
from experience.voices.intake import invalid
from experience.voices.operations import follow_issue

_LEADS_TO = {"dispatch": "dispatched", "solve": "solved", "recall": "open"}


def accept(session: Session, scope: Scope, code: str, *, now: datetime, version: int | None = None) -> Issue:
    """A candidate becomes an open issue."""
    return _move(session, scope, code, "accept", now=now, version=version)


def dismiss(
    session: Session, scope: Scope, code: str, reason: str, *, now: datetime, version: int | None = None
) -> Issue:
    """The issue is none; the reason is kept. Raises Invalid without a reason."""
    return _move(session, scope, code, "dismiss", now=now, version=version, reason=_reason(reason))


def reopen(
    session: Session, scope: Scope, code: str, reason: str, *, now: datetime, version: int | None = None
) -> Issue:
    """A closed issue is open again. Raises Invalid without a reason."""
    return _move(session, scope, code, "reopen", now=now, version=version, reason=_reason(reason))


def solve(
    session: Session, scope: Scope, code: str, reason: str, *, now: datetime, version: int | None = None
) -> Issue:
    """The issue is mended without an order, and how. Raises Invalid without saying how."""
    return _move(session, scope, code, "solve", now=now, version=version, reason=_reason(reason))


def merge(session: Session, scope: Scope, code: str, into: str, *, now: datetime, version: int | None = None) -> Issue:
    """The issue's evidence goes over to another, which is returned.

    Raises Invalid for merging into itself or a closed one, Conflict once it has an order.
    """
    scope.demand("issues.triage")
    for one in sorted({code, into}):  # always in one order, so that two merges do not wait for each other
        held(session, scope, one)
    issue, target = queries.by_code(session, scope, code), queries.by_code(session, scope, into)
    if issue.id == target.id or target.state not in lifecycle.LIVE:
        raise invalid("into", say("只能并入另一个未关闭的问题。"))
    demand_version(issue, version)
    if issue.state == "dispatched":
        raise Conflict(say("问题已派单，请先在工单上并单。"), {"state": issue.state})
    issue.state, issue.merged_into_id, issue.closed_at = lifecycle.after(issue.state, "merge"), target.id, now
    issue.version += 1
    session.add(issue)
    carried = session.exec(select(IssueSource.kind, IssueSource.row).where(IssueSource.issue_id == issue.id)).all()
    attach(session, target, carried, now)
    record(session, scope, "issues.merge", ("issue", code), now=now, detail={"into": into})
    return target


def mark_dispatched(session: Session, scope: Scope, issue_id: int, unit_ids: Sequence[int], *, now: datetime) -> Issue:
    """The issue has an order with these units; they see it from now on. Called by orders, in their transaction."""
    issue = _follow(session, scope, issue_id, "dispatch", now=now)
    rows = [{"issue_id": issue_id, "unit_id": unit, "at": now} for unit in unit_ids]
    if rows:
        session.execute(insert(IssueUnit).values(rows).on_conflict_do_nothing())
    follow_issue(session, queries.voice_ids(session, issue_id), "working")
    return issue


def mark_solved(session: Session, scope: Scope, issue_id: int, *, now: datetime, reason: str = "") -> Issue:
    """All orders of the issue are archived. Called by orders, in their transaction."""
    issue = _follow(session, scope, issue_id, "solve", now=now, reason=reason)
    follow_issue(session, queries.voice_ids(session, issue_id), "solved")
    return issue


def mark_recalled(session: Session, scope: Scope, issue_id: int, *, now: datetime) -> Issue:
    """No order is left (all were cancelled): the issue waits to be dispatched again. Called by orders."""
    issue = _follow(session, scope, issue_id, "recall", now=now)
    follow_issue(session, queries.voice_ids(session, issue_id), "received")
    return issue


def _follow(session: Session, scope: Scope, issue_id: int, act: str, *, now: datetime, reason: str = "") -> Issue:
    issue = session.exec(select(Issue).where(Issue.id == issue_id).with_for_update()).one()
    if issue.state == _LEADS_TO[act]:
        return issue
    _enter(issue, lifecycle.after(issue.state, act), now, reason)
    session.add(issue)
    record(session, scope, f"issues.{act}", ("issue", issue.code), now=now)
    session.flush()
    return issue


def _move(
    session: Session, scope: Scope, code: str, act: str, *, now: datetime, version: int | None, reason: str = ""
) -> Issue:
    scope.demand("issues.triage")
    issue = held(session, scope, code, version=version)
    came_from = issue.state
    _enter(issue, lifecycle.after(came_from, act), now, reason)
    session.add(issue)
    record(session, scope, f"issues.{act}", ("issue", code), now=now, detail={"from": came_from})
    if issue.state == "solved":
        follow_issue(session, queries.voice_ids(session, issue.id or 0), "solved")
    session.flush()
    return issue


def _enter(issue: Issue, state: str, now: datetime, reason: str) -> None:
    issue.state = state
    issue.closed_at = now if state in ("dismissed", "solved") else None
    issue.close_reason = reason
    issue.version += 1


def _reason(given: str) -> str:
    if not 2 <= len(given.strip()) <= 500:
        raise invalid("reason", say("请写明原因（2–500 个字）。"))
    return given.strip()
