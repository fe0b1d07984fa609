"""Anomalies: the older ones as they were seen then, the fresh one found by the watch itself; and the triggers."""

from datetime import timedelta

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from experience.demo import rhythm
from experience.demo.past import Past
from experience.demo.rhythm import BEIJING, Incident
from experience.ground import sweep
from experience.ground.store import transaction
from experience.issues.operations.raising import attach
from experience.issues.tables import Issue
from experience.organisation.permissions import SYSTEM
from probes.demo import flows
from probes.demo.flows import PROVINCES, Flow
from probes.operations import watch_next
from probes.operations.triggering import edit
from probes.operations.watching import severity
from probes.tables import Anomaly, Watch

_SEEN = timedelta(days=4)


def fill(engine: Engine, past: Past) -> int:
    """Notes the old anomalies, lets the watch look at the last days, ties them to their issues; returns how many."""
    with transaction(engine) as session:
        for incident in rhythm.INCIDENTS[1:]:
            session.add(_remembered(incident, past))
        for touchpoint in flows.touchpoints(past.scale):
            session.add(Watch(touchpoint=touchpoint, upto=past.now - _SEEN))
    sweep.run(engine, sweep.Job("probes.watch", watch_next, 1), past.now)
    with transaction(engine) as session:
        for incident in rhythm.INCIDENTS:
            _tie(session, incident, past)
        return session.exec(select(func.count()).select_from(Anomaly)).one()


def _remembered(incident: Incident, past: Past) -> Anomaly:
    """The anomaly of an incident older than the five-minute windows, from the hours it lasted."""
    made = flows.flow(incident.touchpoint, past.now, past.scale, [])
    began, ended = flows.incident_window(incident, past.now)
    hours = slice(*(int((at - made.start).total_seconds() // 3600) for at in (began, ended)))
    ok, bad = made.counts["success"][hours], made.counts["fail"][hours]
    week = slice(max(hours.start - 168, 0), hours.start)
    expected = float(made.counts["success"][week].sum() / (made.counts["success"] + made.counts["fail"])[week].sum())
    touched = [number for number, code in enumerate(PROVINCES) if code in incident.provinces or not incident.provinces]
    n = int(ok.sum() + bad.sum())
    observed = float(ok.sum() / n)
    width = 2.6 * (expected * (1 - expected) / (n / (hours.stop - hours.start) / 12)) ** 0.5
    return Anomaly(
        code=f"A{began.astimezone(BEIJING):%Y%m%d%H%M}-{incident.touchpoint}"[:60],
        touchpoint=incident.touchpoint,
        indicator="success_rate",
        started_at=began + timedelta(minutes=10),
        last_seen_at=ended,
        ended_at=ended + timedelta(minutes=15),
        state="closed",
        severity=severity(expected - float(ok[:, touched].sum() / max((ok + bad)[:, touched].sum(), 1)), 8.0),
        observed=observed,
        expected=expected,
        low=max(expected - width, 0.0),
        high=min(expected + width, 1.0),
        n=n,
        explanation=_explained(made, hours, expected),
    )


def _explained(made: Flow, hours: slice, expected: float) -> list[dict[str, object]]:
    ok, bad = made.counts["success"][hours].sum(axis=0), made.counts["fail"][hours].sum(axis=0)
    excess = [max(float(b - (o + b) * (1 - expected)), 0.0) for o, b in zip(ok, bad, strict=True)]
    ranked = sorted(zip(PROVINCES, excess, ok, bad, strict=True), key=lambda row: -row[1])
    places: list[dict[str, object]] = [
        {"kind": "province", "value": code, "share": round(part / sum(excess), 3), "fail": int(b), "n": int(o + b)}
        for code, part, o, b in ranked[:6]
        if part / sum(excess) >= 0.05  # noqa: PLR2004 - below a twentieth it explains nothing
    ]
    counts = {code: int(of[hours].sum()) for code, of in made.codes.items()}
    return places + [
        {"kind": "code", "value": code, "share": round(count / sum(counts.values()), 3), "fail": count}
        for code, count in sorted(counts.items(), key=lambda item: -item[1])
    ]


def _tie(session: Session, incident: Incident, past: Past) -> None:
    """The anomaly becomes evidence of the issue that was raised of the same trouble."""
    began = past.now - incident.began
    about = select(Anomaly.id).where(
        Anomaly.touchpoint == incident.touchpoint,
        col(Anomaly.started_at).between(began - timedelta(hours=3), began + incident.lasted),
    )
    issue = session.exec(
        select(Issue)
        .where(
            Issue.touchpoint == incident.touchpoint,
            col(Issue.opened_at).between(began, began + timedelta(days=3)),
            col(Issue.province).in_((*incident.provinces[:1], "")),
        )
        .order_by(col(Issue.opened_at))
    ).first()
    found = session.exec(about.order_by(col(Anomaly.n).desc())).first()
    if issue is not None and found is not None:
        attach(session, issue, [("anomaly", found)], issue.opened_at)


def triggers(engine: Engine, past: Past) -> int:
    """Rules of the staff beside those that the surveys carry themselves; returns how many."""
    told = (
        {
            "name": "网厅充值连续两次失败",
            "touchpoint": "web.recharge",
            "when": {"type": "event", "event": "fail", "count": 2, "within_seconds": 600},
            "survey": "recharge",
            "sample_class": "anomaly",
        },
        {
            "name": "套餐变更异动期间",
            "touchpoint": "app.plan_change",
            "when": {"type": "anomaly", "min_severity": 2},
            "survey": "plan_change",
            "sample_class": "anomaly",
            "hourly_cap": 100,
        },
        {
            "name": "宽带预约放弃",
            "touchpoint": "web.broadband",
            "when": {"type": "event", "event": "abandon"},
            "survey": "broadband_install",
            "sample": 0.2,
            "sample_class": "anomaly",
        },
    )
    with transaction(engine) as session:
        for one in told:
            edit(session, SYSTEM, None, one, now=past.now - timedelta(days=60))
    return len(told)
