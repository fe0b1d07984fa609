"""The one layer of numbers: every screen, export and API shows what these queries count.

Who counts: completed, not quarantined, not turned away; of their answers the active ones. What an anomaly triggered is
kept apart from everything else (`sample="anomaly"`), since it asks only those whom the anomaly hit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, func, literal, true
from sqlmodel import Session, col, select

from experience.customers.tables import Approach
from experience.organisation.permissions import Scope
from surveys.tables import Answer, Invitation, Publication, Response, Survey

#: name -> what answers may be told apart by.
DIMENSIONS: Mapping[str, SQLColumnExpression[Any]] = {
    "province": col(Response.province),
    "touchpoint": col(Response.touchpoint),
    "channel": col(Response.channel),
    "sample": col(Response.sample_class),
    "version": sqlalchemy.cast(col(Publication.version), sqlalchemy.Text),
    "day": func.to_char(func.timezone("Asia/Shanghai", col(Response.at)), "YYYY-MM-DD"),
    "week": func.to_char(func.date_trunc("week", func.timezone("Asia/Shanghai", col(Response.at))), "YYYY-MM-DD"),
    "month": func.to_char(func.timezone("Asia/Shanghai", col(Response.at)), "YYYY-MM"),
    # by what the probe measured: how long the customer had waited
    "probe": case(
        (col(Response.snapshot)["seconds"].as_float() < 1, "<1s"),
        (col(Response.snapshot)["seconds"].as_float() <= 3, "1-3s"),
        (col(Response.snapshot)["seconds"].as_float() > 3, ">3s"),
        else_="",
    ),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which answers, in a half-open span; `sample` is `headline` (all but anomaly), `anomaly` or `all`."""

    since: datetime | None = None
    until: datetime | None = None
    version: int | None = None
    province: str = ""
    touchpoint: str = ""
    sample: str = "headline"


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one number was answered to one item, within one group."""

    group: str
    item: str
    number: int
    count: int


def counted(scope: Scope, survey: Survey, wanted: Filter) -> list[ColumnElement[bool]]:
    """The conditions on Response (joined to Publication) that say who counts."""
    return [
        *asked(scope, survey, wanted),
        ~col(Response.is_partial),
        ~col(Response.is_quarantined),
        ~col(Response.is_screenout),
    ]


def asked(scope: Scope, survey: Survey, wanted: Filter) -> list[ColumnElement[bool]]:
    """The conditions on Response (joined to Publication) for everything that came in, finished or not."""
    reach = scope.reach("surveys.read")
    conditions = [
        col(Publication.survey_id) == survey.id,
        true() if reach.is_everything else col(Response.province).in_(reach.territories),
    ]
    if wanted.since:
        conditions.append(col(Response.at) >= wanted.since)
    if wanted.until:
        conditions.append(col(Response.at) < wanted.until)
    if wanted.version:
        conditions.append(col(Publication.version) == wanted.version)
    if wanted.province:
        conditions.append(col(Response.province) == wanted.province)
    if wanted.touchpoint:
        conditions.append(col(Response.touchpoint) == wanted.touchpoint)
    if wanted.sample != "all":
        is_anomaly = col(Response.sample_class) == "anomaly"
        conditions.append(is_anomaly if wanted.sample == "anomaly" else ~is_anomaly)
    return conditions


def tallies(session: Session, scope: Scope, survey: Survey, wanted: Filter, *, by: str = "") -> list[Tally]:
    """Counts of every numeric answer, in groups of a dimension (one group '' without)."""
    group = DIMENSIONS[by] if by else literal("")
    rows = session.execute(
        sqlalchemy.select(group.label("grp"), col(Answer.item), col(Answer.number), func.count())
        .select_from(Answer)
        .join(Response, col(Response.id) == col(Answer.response_id))
        .join(Publication, col(Publication.id) == col(Response.publication_id))
        .where(*counted(scope, survey, wanted), ~col(Answer.is_inactive), col(Answer.number).is_not(None))
        .group_by("grp", col(Answer.item), col(Answer.number))
        .order_by("grp", col(Answer.item), col(Answer.number))
    )
    return [Tally(group or "", item, int(number), count) for group, item, number, count in rows]


@dataclass(frozen=True, slots=True)
class Choice:
    """How often an option was chosen, under the words that were shown; `row` is a matrix's."""

    item: str
    row: str
    option: str
    text: str
    count: int


def choices(session: Session, scope: Scope, survey: Survey, wanted: Filter) -> list[Choice]:
    """Counts of every option chosen; what was reworded between versions stays two lines."""
    one = func.jsonb_array_elements(col(Answer.options)).table_valued("value", name="one")
    value = sqlalchemy.cast(one.c.value, sqlalchemy.dialects.postgresql.JSONB)
    row, option, text = value["row_text"].as_string(), value["id"].as_string(), value["text"].as_string()
    rows = session.execute(
        sqlalchemy.select(col(Answer.item), func.coalesce(row, ""), option, text, func.count())
        .select_from(Answer)
        .join(Response, col(Response.id) == col(Answer.response_id))
        .join(Publication, col(Publication.id) == col(Response.publication_id))
        .join(one, true())
        .where(*counted(scope, survey, wanted), ~col(Answer.is_inactive))
        .group_by(col(Answer.item), row, option, text)
        .order_by(col(Answer.item), row, func.count().desc())
    )
    return [Choice(*found) for found in rows]


@dataclass(frozen=True, slots=True)
class Flow:
    """How many were shown the survey, answered anything, finished; were set aside, turned away."""

    seen: int
    seen_and_answered: int
    begun: int
    finished: int
    quarantined: int
    turned_away: int


def flow(session: Session, scope: Scope, survey: Survey, wanted: Filter) -> Flow:
    """The way from display to a finished answer."""
    begun = session.execute(
        sqlalchemy.select(
            func.count(),
            func.count().filter(~col(Response.is_partial)),
            func.count().filter(col(Response.is_quarantined)),
            func.count().filter(col(Response.is_screenout)),
        )
        .select_from(Response)
        .join(Publication, col(Publication.id) == col(Response.publication_id))
        .where(*asked(scope, survey, wanted))
    ).one()
    seen = session.execute(_seen(scope, survey, wanted)).one()
    return Flow(seen[0], seen[1], *begun)


def _seen(scope: Scope, survey: Survey, wanted: Filter) -> sqlalchemy.Executable:
    is_anomaly, reach = col(Invitation.sample_class) == "anomaly", scope.reach("surveys.read")
    sample = {"all": true(), "anomaly": is_anomaly}.get(wanted.sample, ~is_anomaly)
    conditions = [
        col(Publication.survey_id) == survey.id,
        col(Invitation.shown_at).is_not(None),
        true() if reach.is_everything else col(Invitation.province).in_(reach.territories),
        col(Publication.version) == wanted.version if wanted.version else true(),
        col(Invitation.province) == wanted.province if wanted.province else true(),
        col(Invitation.touchpoint) == wanted.touchpoint if wanted.touchpoint else true(),
        col(Invitation.shown_at) >= wanted.since if wanted.since else true(),
        col(Invitation.shown_at) < wanted.until if wanted.until else true(),
        sample,
    ]
    return (
        sqlalchemy.select(func.count(), func.count(col(Response.id)))
        .select_from(Invitation)
        .join(Publication, col(Publication.id) == col(Invitation.publication_id))
        .outerjoin(Response, col(Response.invitation_id) == col(Invitation.id))
        .where(and_(*conditions))
    )


def left_at(session: Session, scope: Scope, survey: Survey, wanted: Filter) -> dict[str, int]:
    """At which item those who did not finish stopped: the first shown one they left unanswered."""
    answered = func.coalesce(func.array_agg(col(Answer.item)).filter(col(Answer.item).is_not(None)), [])
    each = (
        sqlalchemy.select(col(Response.shown).label("shown"), answered.label("answered"))
        .join(Publication, col(Publication.id) == col(Response.publication_id))
        .outerjoin(Answer, and_(col(Answer.response_id) == col(Response.id), ~col(Answer.is_inactive)))
        .where(*asked(scope, survey, wanted), col(Response.is_partial))
        .group_by(col(Response.id))
        .subquery()
    )
    found: dict[str, int] = {}
    groups = sqlalchemy.select(each.c.shown, each.c.answered, func.count()).group_by(each.c.shown, each.c.answered)
    for shown, answered_items, count in session.execute(groups):
        last = max((at for at, item in enumerate(shown) if item in answered_items), default=-1)
        if last + 1 < len(shown):
            found[shown[last + 1]] = found.get(shown[last + 1], 0) + count
    return found


def refusals(session: Session, survey: Survey, wanted: Filter) -> list[tuple[str, int]]:
    """Why the survey was not shown, most frequent first."""
    rows = session.execute(
        sqlalchemy.select(col(Approach.reason), func.count())
        .where(
            col(Approach.what) == survey.code,
            col(Approach.verdict) == "refused",
            col(Approach.at) >= wanted.since if wanted.since else true(),
            col(Approach.at) < wanted.until if wanted.until else true(),
        )
        .group_by(col(Approach.reason))
        .order_by(func.count().desc(), col(Approach.reason))
    )
    return [(reason, count) for reason, count in rows]


def finished_counts(session: Session, surveys: list[int]) -> dict[int, int]:
    """How many finished answers each survey has, for the list."""
    rows = session.exec(
        select(Publication.survey_id, func.count())
        .join(Response, col(Response.publication_id) == Publication.id)
        .where(col(Publication.survey_id).in_(surveys), ~col(Response.is_partial))
        .group_by(col(Publication.survey_id))
    )
    return dict(rows.all())
