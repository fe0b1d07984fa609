"""What staff pages show of touchpoints: the map's numbers, the band a rate was expected in, codes, questions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, true
from sqlmodel import Session, col, select

from experience.measures import queries as measures
from experience.measures.queries import Span
from experience.measures.tables import Measure
from experience.organisation.permissions import Scope
from experience.touchpoints import queries as touchpoints
from experience.touchpoints.queries import MappedTouchpoint
from probes.anomaly import Detector, Grade
from probes.queries.series import provinces
from probes.tables import Anomaly, Firing, ProbeEvent, Trigger

DAY = timedelta(days=1)
#: What the band of a picture is learned from.
LEARNED = timedelta(days=28)
MOST_CODES = 8


@dataclass(slots=True)
class Numbers:
    """A touchpoint's last day: counts by key, those of the day before, and (successes, ended) by hour."""

    now: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    before: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    hours: dict[datetime, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    @property
    def volume(self) -> int:
        """Tasks begun, or seen where none begins."""
        return self.now["start"] or self.now["view"] or self.ended

    @property
    def ended(self) -> int:
        """Tasks that succeeded or failed."""
        return self.now["success"] + self.now["fail"]

    @property
    def rate(self) -> float | None:
        """The success rate of the last day."""
        return _rate(self.now)

    @property
    def change(self) -> float | None:
        """How the rate differs from the day before's, when both are known."""
        now, before = _rate(self.now), _rate(self.before)
        return None if now is None or before is None else now - before


def _rate(counts: Mapping[str, int]) -> float | None:
    ended = counts.get("success", 0) + counts.get("fail", 0)
    return counts.get("success", 0) / ended if ended else None


@dataclass(frozen=True, slots=True)
class Mapped:
    """A touchpoint on the map, with what is known of it and what is missing."""

    place: MappedTouchpoint
    numbers: Numbers
    open_anomalies: int
    has_question: bool


def journey_map(session: Session, scope: Scope, *, now: datetime) -> list[Mapped]:
    """Every touchpoint in the map's order with the numbers of its last 24 hours."""
    numbers = _numbers(session, scope, now)
    open_ones = select(Anomaly.touchpoint, func.count()).where(Anomaly.state == "open")
    reach = scope.reach("touchpoints.read")
    if not reach.is_everything:
        open_ones = open_ones.where(col(Anomaly.province).in_(("", *reach.territories)))
    anomalies = dict(session.execute(open_ones.group_by(col(Anomaly.touchpoint))).all())
    asked = set(session.exec(select(Trigger.touchpoint).where(col(Trigger.is_active))))
    asked |= set(session.exec(select(Firing.touchpoint).where(Firing.at > now - LEARNED).distinct()))
    return [
        Mapped(one, numbers.get(one.code) or Numbers(), anomalies.get(one.code, 0), one.code in asked)
        for one in touchpoints.touchpoints(session)
    ]


def _numbers(session: Session, scope: Scope, now: datetime) -> dict[str, Numbers]:
    rows = session.exec(
        select(Measure.touchpoint, Measure.key, Measure.at, func.sum(Measure.n))
        .where(
            Measure.window_seconds == 3600,  # noqa: PLR2004 - an hour
            col(Measure.key).in_(("view", "start", "success", "fail", "abandon")),
            col(Measure.province).in_(provinces(scope)),
            Measure.at >= now - 2 * DAY,
            Measure.at <= now,
            measures.IS_COUNT,
        )
        .group_by(col(Measure.touchpoint), col(Measure.key), col(Measure.at))
    )
    found: dict[str, Numbers] = defaultdict(Numbers)
    for code, key, at, n in rows:
        numbers = found[code]
        (numbers.now if at > now - DAY else numbers.before)[key] += int(n)
        if at > now - DAY and key in ("success", "fail"):
            numbers.hours[at][1] += int(n)
            numbers.hours[at][0] += int(n) if key == "success" else 0
    return found


def expected(
    session: Session, scope: Scope, touchpoint: str, *, end: datetime, province: str = ""
) -> dict[datetime, Grade]:
    """Hour -> what its success rate was expected to be, and how far it is from that; learned from the hours before."""
    where = tuple(provinces(scope, province))
    counts = measures.series(session, touchpoint, ("success", "fail"), Span(3600, end - LEARNED, end, where))
    detector, found = Detector(), {}
    for at in sorted(counts):
        ok = counts[at]["success"].n if "success" in counts[at] else 0
        bad = counts[at]["fail"].n if "fail" in counts[at] else 0
        grade = detector.grade(at, ok + bad, ok)
        if grade is not None:
            found[at] = grade
    return found


def codes(
    session: Session, scope: Scope, touchpoint: str, *, start: datetime, province: str = ""
) -> list[tuple[str, int]]:
    """Failures and errors by code since an instant, most frequent first."""
    n = func.sum(Measure.n)
    rows = session.execute(
        select(Measure.key, n)
        .where(
            Measure.touchpoint == touchpoint,
            Measure.window_seconds == 3600,  # noqa: PLR2004 - an hour
            col(Measure.key).startswith("code:"),
            col(Measure.province).in_(provinces(scope, province)),
            Measure.at >= start,
            measures.IS_COUNT,
        )
        .group_by(col(Measure.key))
        .order_by(n.desc(), col(Measure.key))
        .limit(MOST_CODES)
    )
    return [(key.removeprefix("code:"), int(count)) for key, count in rows.all()]


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of the hits of one survey's triggers at a touchpoint."""

    survey: str
    offered: int
    refused: Sequence[tuple[str, int]]


def asked(session: Session, scope: Scope, touchpoint: str, *, start: datetime) -> list[Asked]:
    """Questions put in the caller's provinces since an instant, and why others were not put."""
    rows = session.execute(
        select(Firing.survey, Firing.outcome, func.count())
        .where(Firing.touchpoint == touchpoint, Firing.at >= start, _fired_in(scope))
        .group_by(col(Firing.survey), col(Firing.outcome))
        .order_by(func.count().desc())
    ).all()
    by_survey: dict[str, dict[str, int]] = defaultdict(dict)
    for survey, outcome, n in rows:
        by_survey[survey][outcome] = n
    return [
        Asked(survey, of.get("offered", 0), [(why, n) for why, n in of.items() if why not in ("offered", "")])
        for survey, of in by_survey.items()
    ]


def outcomes(session: Session, scope: Scope, *, start: datetime) -> dict[int, dict[bool, int]]:
    """Trigger id -> how many of its hits since an instant were offered a survey (True) or not, in one's provinces."""
    n, is_offered = func.count(), col(Firing.outcome) == "offered"
    rows = session.execute(
        select(Firing.trigger_id, n.filter(is_offered), n.filter(~is_offered))
        .where(col(Firing.trigger_id).is_not(None), Firing.at > start, _fired_in(scope))
        .group_by(col(Firing.trigger_id))
    )
    none: dict[int, dict[bool, int]] = defaultdict(lambda: {True: 0, False: 0})
    return none | {trigger_id: {True: offered, False: others} for trigger_id, offered, others in rows}


def _fired_in(scope: Scope) -> ColumnElement[bool]:
    """The condition on Firing: the hit's province, kept with what the probe saw, lies where touchpoints are read."""
    reach = scope.reach("touchpoints.read")
    return true() if reach.is_everything else col(Firing.snapshot)["province"].as_string().in_(reach.territories)


def arriving(session: Session, scope: Scope, site: str, *, since: datetime, limit: int = 12) -> list[ProbeEvent]:
    """The newest events of a site, for somebody who has just put the probe on a page."""
    found = select(ProbeEvent).where(ProbeEvent.site == site, ProbeEvent.at >= since, ProbeEvent.arrived_at >= since)
    reach = scope.reach("touchpoints.read")
    if not reach.is_everything:
        found = found.where(col(ProbeEvent.province).in_(sorted(reach.territories)))
    return list(session.exec(found.order_by(col(ProbeEvent.arrived_at).desc()).limit(limit)))
