"""Surveys and their publications within a scope."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, or_, true
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from experience.customers.queries import visible as visible_customers
from experience.customers.tables import Customer
from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit
from experience.touchpoints.tables import Site
from surveys.tables import Publication, Survey


def visible(scope: Scope) -> ColumnElement[bool]:
    """The surveys this caller may read: those of their units, and the centre's, which are asked everywhere.

    What a unit sees of the centre's answers is narrowed to its own provinces by the queries of responses.
    """
    reach = scope.reach("surveys.read")
    if reach.is_everything:
        return true()
    centre = select(Unit.id).where(Unit.kind == "centre")
    return or_(col(Survey.unit_id).in_(reach.unit_ids), col(Survey.unit_id).in_(centre))


def surveys(
    session: Session, scope: Scope, *, state: str = "", before_id: int | None = None, limit: int = 50
) -> list[Survey]:
    """Surveys newest first, those before an id."""
    wanted = select(Survey).where(visible(scope)).order_by(col(Survey.id).desc()).limit(limit)
    if state:
        wanted = wanted.where(Survey.state == state)
    if before_id is not None:
        wanted = wanted.where(col(Survey.id) < before_id)
    return list(session.exec(wanted))


def survey(session: Session, scope: Scope, code: str) -> Survey:
    """The survey under this code. Raises NotFound outside the scope."""
    found = session.exec(select(Survey).where(Survey.code == code, visible(scope))).first()
    if found is None:
        raise NotFound(say("没有这份问卷，或不在您的范围内。"))
    return found


def editable(session: Session, scope: Scope, code: str) -> Survey:
    """The survey, locked for a change. Raises NotFound outside the scope, Forbidden for another unit's."""
    scope.demand("surveys.edit")
    found = survey(session, scope, code)
    if not scope.reach("surveys.edit").sees_unit(found.unit_id):
        raise Forbidden(say("这是体验中心的问卷，本单位只能查看。"))
    session.refresh(found, with_for_update=True)
    return found


def owner(session: Session, scope: Scope, unit_code: str | None) -> int:
    """The unit a new survey shall belong to: the one named, else the caller's own, else the centre.

    Raises Invalid for a unit that is not there or not the caller's.
    """
    reach = scope.reach("surveys.edit")
    if unit_code is None and reach.home_unit_ids:
        return min(reach.home_unit_ids)
    wanted = Unit.code == unit_code if unit_code is not None else Unit.kind == "centre"
    found = session.exec(select(Unit.id).where(wanted)).first()
    if found is None or not reach.sees_unit(found):
        raise Invalid(say("只能为本单位建问卷。"), [{"field": "unit", "sentence": say("请选择本单位。")}])
    return found


def publications(session: Session, survey: Survey) -> list[Publication]:
    """The survey's frozen versions, oldest first."""
    wanted = select(Publication).where(Publication.survey_id == survey.id).order_by(col(Publication.version))
    return list(session.exec(wanted))


def open_definitions(session: Session) -> list[tuple[str, str, int, Mapping[str, Any]]]:
    """(code, purpose, version, definition) of every open survey, for those above who look for its triggers."""
    wanted = (
        select(Survey.code, Survey.purpose, Publication.version, Publication.definition)
        .join(Publication, col(Publication.survey_id) == Survey.id)
        .where(Survey.state == "open", Publication.version == Survey.current_version)
        .order_by(col(Survey.id))
    )
    return [(code, purpose, version, definition) for code, purpose, version, definition in session.exec(wanted)]


def first_site() -> SelectOfScalar[Site]:
    """A site to show in the lines that embed the probe."""
    return select(Site).where(col(Site.is_active)).order_by(col(Site.key)).limit(1)


def customer_id(session: Session, scope: Scope, ref: str) -> int | None:
    """The customer under this reference within the scope, or None."""
    return session.exec(select(Customer.id).where(Customer.ref == ref, visible_customers(scope))).first()
