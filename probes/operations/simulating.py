"""Try a rule on past events before it goes live; nothing is stored and nobody is asked."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from experience.organisation.permissions import Scope
from probes.operations.triggering import ANOMALY_ASKS, drafted
from probes.queries.series import provinces
from probes.simulation import Moment, Outcome, replay
from probes.tables import Anomaly, ProbeEvent
from probes.triggers import ENDINGS, Rule
from surveys import eligibility
from surveys.operations import current

DAYS = 7
#: More moments than this are not replayed; the newest count.
MOST = 100_000


def simulate(session: Session, scope: Scope, told: Mapping[str, Any], *, now: datetime) -> Outcome:
    """What the rule described by `told` (see `edit`) would have done in the last seven days.

    Raises Invalid and NotFound as `edit` does.
    """
    scope.demand("triggers.edit")
    rule = drafted(session, told)
    survey, out = current(session, rule.survey)
    settings = eligibility.settings(out.definition.distribution.contact, survey.purpose)
    since = now - timedelta(days=DAYS)
    moments = _moments(session, scope, rule, since, now)
    outcome = replay(rule, reversed(moments[:MOST]), settings, _spans(session, rule, since))
    outcome.is_cut = len(moments) > MOST
    return outcome


def _moments(session: Session, scope: Scope, rule: Rule, since: datetime, now: datetime) -> list[Moment]:
    """Newest first, of people who can be told apart."""
    kinds = ENDINGS if rule.kind == "anomaly" else (rule.event,)
    where = provinces(scope, act="triggers.edit")
    rows = session.execute(
        select(ProbeEvent.at, ProbeEvent.type, ProbeEvent.session, ProbeEvent.customer_ref, ProbeEvent.device)  # type: ignore[call-overload]
        .where(
            ProbeEvent.touchpoint == rule.touchpoint,
            col(ProbeEvent.type).in_(kinds),
            ProbeEvent.at >= since,
            ProbeEvent.at <= now,
            (col(ProbeEvent.device) != "") | (col(ProbeEvent.customer_ref) != ""),
            *([] if "" in where else [col(ProbeEvent.province).in_(where)]),
        )
        .order_by(col(ProbeEvent.at).desc())
        .limit(MOST + 1)
    )
    return [
        Moment(at, kind, sitting, f"customer:{ref}" if ref else f"device:{device}")
        for at, kind, sitting, ref, device in rows
    ]


def _spans(session: Session, rule: Rule, since: datetime) -> list[tuple[datetime, datetime]]:
    if rule.kind != "anomaly":
        return []
    rows = session.exec(
        select(Anomaly).where(
            Anomaly.touchpoint == rule.touchpoint,
            Anomaly.severity >= rule.min_severity,
            Anomaly.state != "dismissed",
            Anomaly.last_seen_at >= since,
        )
    )
    return [(one.started_at, one.ended_at or one.last_seen_at + ANOMALY_ASKS) for one in rows]
