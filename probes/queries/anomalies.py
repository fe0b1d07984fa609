"""Anomalies as lists and as JSON."""

from datetime import datetime
from typing import Any

from sqlalchemy import or_, true, tuple_
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from probes.tables import Anomaly


def _visible(scope: Scope) -> Any:
    """The centre sees all; a province its own and those of all provinces together."""
    reach = scope.reach("touchpoints.read")
    if reach.is_everything:
        return true()
    return or_(col(Anomaly.province) == "", col(Anomaly.province).in_(reach.territories))


def anomalies(
    session: Session,
    scope: Scope,
    *,
    touchpoint: str = "",
    state: str = "",
    since: datetime | None = None,
    after: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> list[Anomaly]:
    """Newest first, from after the cursor (started_at, id)."""
    found = select(Anomaly).where(_visible(scope))
    if touchpoint:
        found = found.where(Anomaly.touchpoint == touchpoint)
    if state:
        found = found.where(Anomaly.state == state)
    if since is not None:
        found = found.where(or_(col(Anomaly.ended_at).is_(None), col(Anomaly.ended_at) >= since))
    if after is not None:
        found = found.where(tuple_(col(Anomaly.started_at), col(Anomaly.id)) < after)
    newest = found.order_by(col(Anomaly.started_at).desc(), col(Anomaly.id).desc())
    return [_narrowed(scope, one) for one in session.exec(newest.limit(limit))]


def _narrowed(scope: Scope, one: Anomaly) -> Anomaly:
    """The anomaly, for a province without the other provinces' part in it; nothing of this is ever written."""
    reach = scope.reach("touchpoints.read")
    if not reach.is_everything:
        seen = [row for row in one.explanation if row["kind"] != "province" or reach.sees_province(row["value"])]
        set_committed_value(one, "explanation", seen)
    return one


def anomaly_by_code(session: Session, scope: Scope, code: str, *, lock: bool = False) -> Anomaly:
    """The anomaly under this code. Raises NotFound outside the scope."""
    found = select(Anomaly).where(Anomaly.code == code, _visible(scope))
    one = session.exec(found.with_for_update() if lock else found).first()
    if one is None:
        raise NotFound(say("没有这个异动，或不在您的范围内。"))
    return _narrowed(scope, one)


def told(one: Anomaly) -> dict[str, Any]:
    """An anomaly as the API tells it."""
    return {
        "code": one.code,
        "touchpoint": one.touchpoint,
        "province": one.province,
        "indicator": one.indicator,
        "state": one.state,
        "severity": one.severity,
        "started_at": one.started_at.isoformat(),
        "last_seen_at": one.last_seen_at.isoformat(),
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
        "observed": one.observed,
        "expected": one.expected,
        "low": one.low,
        "high": one.high,
        "n": one.n,
        "explanation": one.explanation,
    }
