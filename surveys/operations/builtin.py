"""Surveys that come with the house: installed when first needed, and never overwritten afterwards."""

from datetime import datetime

from sqlmodel import Session, select

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import SYSTEM
from experience.organisation.tables import Unit
from surveys import library
from surveys.operations.editing import create, publish
from surveys.tables import Survey


def install(session: Session, code: str, *, now: datetime) -> Survey:
    """The survey under a template's code, made from the template and published unless it is there already.

    Raises NotFound when there is no such template or no centre yet to own it.
    """
    known = session.exec(select(Survey).where(Survey.code == code)).first()
    if known is not None:
        return known
    template = library.templates().get(code)
    centre = session.exec(select(Unit.id).where(Unit.kind == "centre")).first()
    if template is None or centre is None:
        raise NotFound(say("没有模板 %(code)s，或还没有建立体验中心。", code=code))
    made = create(session, SYSTEM, code, template.definition, unit_id=centre, purpose=template.purpose, now=now)
    publish(session, SYSTEM, code, now=now)
    return made
