"""What an issue's page shows beside it: who said it and when, its indicator, its orders, what helped before."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select, union_all
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col

from experience.issues.queries import by_code
from experience.issues.queries import visible as issues_visible
from experience.issues.tables import Issue, IssueSource
from experience.measures.tables import Measure
from experience.orders.queries import visible
from experience.orders.tables import Effect, WorkOrder
from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit
from experience.reports.queries.orders import OrderLine, lines
from experience.touchpoints.tables import Touchpoint
from experience.voices.queries import visible as voices_visible
from experience.voices.tables import Reading, Voice

BOARD = ("candidate", "open", "dispatched", "solved")
COLUMN = 20
SOLVED_DAYS = 30
#: Effects of one issue that its page shows.
EFFECTS = 50


@dataclass(frozen=True, slots=True)
class Card:
    """An issue on the board, with how many voices prove it and how its orders stand."""

    id: int
    code: str
    title: str
    state: str
    severity: int
    touchpoint: str
    topic: str
    province: str
    origin: str
    opened_at: datetime
    closed_at: datetime | None
    version: int
    voices: int
    orders: int
    late: int


_VOICES = (
    select(func.count())
    .where(col(IssueSource.issue_id) == col(Issue.id), col(IssueSource.kind) == "voice")
    .correlate(Issue)
    .scalar_subquery()
)


def _orders(now: datetime | None) -> Any:
    counted = select(func.count()).where(col(WorkOrder.issue_id) == col(Issue.id), col(WorkOrder.state) != "cancelled")
    if now is not None:
        counted = counted.where(col(WorkOrder.state).in_(("dispatched", "processing")), col(WorkOrder.due_at) < now)
    return counted.correlate(Issue).scalar_subquery()


def board(session: Session, scope: Scope, *, now: datetime) -> dict[str, list[Card]]:
    """The columns of the board: the gravest, then newest, issues of each state; solved ones of the last month."""
    place = func.row_number().over(partition_by=col(Issue.state), order_by=(col(Issue.severity), col(Issue.id).desc()))
    recent = (col(Issue.state) != "solved") | (col(Issue.closed_at) >= now - timedelta(days=SOLVED_DAYS))
    ranked = (
        select(col(Issue.id).label("id"), place.label("place"))
        .where(col(Issue.state).in_(BOARD), recent, issues_visible(scope))
        .subquery()
    )
    kept: tuple[Any, ...] = (
        Issue.id, Issue.code, Issue.title, Issue.state, Issue.severity, Issue.touchpoint, Issue.topic, Issue.province,
        Issue.origin, Issue.opened_at, Issue.closed_at, Issue.version, _VOICES, _orders(None), _orders(now),
    )  # fmt: skip
    rows = session.execute(
        select(*kept)
        .join(ranked, ranked.c.id == col(Issue.id))
        .where(ranked.c.place <= COLUMN)
        .order_by(ranked.c.place)
    )
    made: dict[str, list[Card]] = {state: [] for state in BOARD}
    for row in rows:
        made[row[3]].append(Card(*row))
    return made


@dataclass(frozen=True, slots=True)
class Told:
    """Who said it: how many in all, how many negative, mean sentiment, first and last, per province, per day."""

    total: int
    negative: int
    sentiment: float | None
    first_at: datetime | None
    last_at: datetime | None
    provinces: dict[str, int]
    days: dict[date, int]


def placed(session: Session, scope: Scope, code: str) -> tuple[Issue, Touchpoint | None]:
    """The issue and the touchpoint it lies at. Raises NotFound where the caller does not read issues."""
    both = select(Issue, Touchpoint).outerjoin(Touchpoint, col(Touchpoint.code) == col(Issue.touchpoint))
    found = session.execute(both.where(col(Issue.code) == code, issues_visible(scope))).first()
    return (found[0], found[1]) if found else (by_code(session, scope, code), None)


def told(session: Session, scope: Scope, issue_id: int) -> Told:
    """The issue's voices within the scope, counted by province and by day in Beijing."""
    day = func.date(func.timezone("Asia/Shanghai", col(Voice.at)))
    rows = session.execute(
        select(
            col(Voice.province),
            day,
            func.count(),
            func.count().filter(col(Reading.label) == "negative"),
            func.sum(col(Reading.sentiment)),
            func.min(col(Voice.at)),
            func.max(col(Voice.at)),
        )
        .join(IssueSource, (col(IssueSource.row) == col(Voice.id)) & (col(IssueSource.kind) == "voice"))
        .outerjoin(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(col(IssueSource.issue_id) == issue_id, voices_visible(scope))
        .group_by(col(Voice.province), day)
    ).all()
    provinces: dict[str, int] = defaultdict(int)
    days: dict[date, int] = defaultdict(int)
    for province, on, n, *_ in rows:
        provinces[province] += n
        days[on] += n
    total = sum(row[2] for row in rows)
    return Told(
        total=total,
        negative=sum(row[3] for row in rows),
        sentiment=sum(row[4] or 0.0 for row in rows) / total if total else None,
        first_at=min((row[5] for row in rows), default=None),
        last_at=max((row[6] for row in rows), default=None),
        provinces=dict(sorted(provinces.items(), key=lambda p: -p[1])),
        days=dict(sorted(days.items())),
    )


def success_by_hour(
    session: Session, touchpoint: str, province: str, start: datetime, end: datetime
) -> list[tuple[datetime, int, int]]:
    """(hour, successes, successes and failures) of a touchpoint; `province` '' is all provinces together."""
    ok = func.coalesce(func.sum(case((col(Measure.key) == "success", col(Measure.n)))), 0)
    rows = session.execute(
        select(col(Measure.at), ok, func.sum(col(Measure.n)))
        .where(
            col(Measure.touchpoint) == touchpoint,
            col(Measure.window_seconds) == 3600,
            col(Measure.key).in_(("success", "fail")),
            col(Measure.province) == province,
            col(Measure.at) >= start,
            col(Measure.at) < end,
        )
        .group_by(col(Measure.at))
        .order_by(col(Measure.at))
    )
    return [(at, int(good), int(n)) for at, good, n in rows]


def orders_of(session: Session, scope: Scope, issue_id: int) -> list[OrderLine]:
    """The issue's orders within the scope, parents before their children."""
    query = lines().where(col(WorkOrder.issue_id) == issue_id, visible(scope))
    return [OrderLine(*row) for row in session.execute(query.order_by(col(WorkOrder.id)))]


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a unit did about a similar issue."""

    issue_id: int
    order_code: str
    unit_code: str
    unit_name: str
    cause: str
    measure: str
    archived_at: datetime | None


def remedies(session: Session, scope: Scope, issue_ids: Sequence[int]) -> list[Remedy]:
    """Measures replied to archived orders of these issues, newest first; other provinces' only for the centre."""
    query = (
        select(
            col(WorkOrder.issue_id), col(WorkOrder.code), col(Unit.code), col(Unit.name),
            col(WorkOrder.reply_cause), col(WorkOrder.reply_measure), col(WorkOrder.archived_at),
        )
        .join(Unit, col(Unit.id) == col(WorkOrder.unit_id))
        .where(col(WorkOrder.issue_id).in_(issue_ids), col(WorkOrder.state) == "archived", visible(scope))
        .where(col(WorkOrder.reply_measure) != "")
        .order_by(col(WorkOrder.archived_at).desc())
        .limit(12)
    )  # fmt: skip
    return [Remedy(*row) for row in session.execute(query)]


def effects(session: Session, issue_id: int, past_ids: Sequence[int]) -> tuple[list[Effect], dict[int, Effect]]:
    """The issue's effects, newest first, and of past issues what their mending last did; all the caller's to see."""
    newest = (col(Effect.split_at).desc(), col(Effect.key).desc())
    own = select(col(Effect.id)).where(col(Effect.issue_id) == issue_id).order_by(*newest).limit(EFFECTS)
    measured = (
        select(col(Effect.id))
        .where(col(Effect.issue_id).in_(past_ids), col(Effect.measured_at).is_not(None))
        .ext(distinct_on(col(Effect.issue_id)))
        .order_by(col(Effect.issue_id), *newest)
    )
    ids = union_all(*(select(chosen.subquery().c.id) for chosen in (own, measured)))
    found = session.scalars(select(Effect).where(col(Effect.id).in_(ids)).order_by(*newest)).all()
    return [one for one in found if one.issue_id == issue_id], {e.issue_id: e for e in found if e.issue_id != issue_id}
