"""What staff make of an anomaly: an issue, or nothing."""

from datetime import datetime

from sqlmodel import Session, select

from experience.audit.operations import record
from experience.ground.errors import Conflict, Forbidden
from experience.ground.i18n import say, spaced
from experience.issues.operations import IssueIn, raise_issue
from experience.issues.tables import Issue, IssueSource
from experience.organisation.permissions import Scope
from experience.touchpoints.tables import Touchpoint
from probes.queries.anomalies import anomaly_by_code
from probes.tables import Anomaly

_SEVERITY = {3: 1, 2: 2, 1: 3}


def dismiss(session: Session, scope: Scope, code: str, *, now: datetime) -> Anomaly:
    """The anomaly is none. Raises NotFound, Conflict when an issue was made of it."""
    known = _judged(session, scope, code)
    if _issue_of(session, known) is not None:
        raise Conflict(say("这个异动已转为问题，请在问题上处理。"), {"state": known.state})
    known.state, known.dismissed_by_id = "dismissed", scope.user_id
    known.ended_at = known.ended_at or now
    session.add(known)
    record(session, scope, "anomalies.dismiss", ("anomaly", code), now=now)
    return known


def _judged(session: Session, scope: Scope, code: str) -> Anomaly:
    """The anomaly, locked; one of all provinces together is judged by those who judge everywhere."""
    scope.demand("anomalies.judge")
    known = anomaly_by_code(session, scope, code, lock=True)
    if not scope.reach("anomalies.judge").sees_province(known.province):
        raise Forbidden(say("这是全国合计的异动，由集团中心判断。"))
    return known


def _issue_of(session: Session, known: Anomaly) -> Issue | None:
    return session.exec(
        select(Issue)
        .join(IssueSource, IssueSource.issue_id == Issue.id)  # type: ignore[arg-type]
        .where(IssueSource.kind == "anomaly", IssueSource.row == known.id)
    ).first()


def make_issue(session: Session, scope: Scope, code: str, *, now: datetime) -> Issue:
    """The issue of this anomaly: the one it has, or a new one with what is known. Raises NotFound."""
    known = _judged(session, scope, code)
    there = _issue_of(session, known)
    if there is not None:
        return there
    named = session.exec(select(Touchpoint.name).where(Touchpoint.code == known.touchpoint)).first()
    causes = [row["value"] for row in known.explanation if row["kind"] == "province" and row["share"] >= 0.5]  # noqa: PLR2004
    told = IssueIn(
        title=spaced(named or known.touchpoint, "成功率异动"),
        severity=_SEVERITY[known.severity],
        touchpoint=known.touchpoint,
        province=known.province or (causes[0] if len(causes) == 1 else ""),
        sources=[("anomaly", known.id or 0)],
        origin="anomaly",
    )
    return raise_issue(session, scope, told, now=now)
