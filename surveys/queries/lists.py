"""Surveys and their publications within a scope."""

from sqlalchemy import ColumnElement, or_, true
from sqlmodel import Session, col, select

from experience.ground.errors import Forbidden, NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit
from surveys.tables import Publication, Survey


def visible(scope: Scope) -> ColumnElement[bool]:
    """The surveys this caller may read: those of their units, and the centre's, which are asked everywhere.

    What a unit sees of the centre's answers is narrowed to its own provinces by the queries of responses.
    """
    if scope.is_everything:
        return true()
    centre = select(Unit.id).where(Unit.kind == "centre")
    return or_(col(Survey.unit_id).in_(scope.unit_ids), col(Survey.unit_id).in_(centre))


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
    if not scope.sees_unit(found.unit_id):
        raise Forbidden(say("这是体验中心的问卷，本单位只能查看。"))
    session.refresh(found, with_for_update=True)
    return found


def publications(session: Session, survey: Survey) -> list[Publication]:
    """The survey's frozen versions, oldest first."""
    wanted = select(Publication).where(Publication.survey_id == survey.id).order_by(col(Publication.version))
    return list(session.exec(wanted))
