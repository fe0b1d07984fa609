"""Which unit should get an issue, and why: by product line first, then by territory."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from experience.ground.i18n import say
from experience.issues.tables import Issue
from experience.organisation.tables import Unit
from experience.touchpoints.tables import Touchpoint


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A unit and the reason in a sentence."""

    unit_id: int
    code: str
    name: str
    reason: str


def suggested_units(session: Session, issue: Issue) -> list[Suggestion]:
    """Bases by product line, then provinces by territory.

    The product's base comes first, as it can mend the product for every province; the province answers its customers.
    """
    touchpoint = session.get(Touchpoint, issue.touchpoint)
    line = issue.product or (touchpoint.product_line if touchpoint else "")
    top = select(Unit).where(col(Unit.is_active), col(Unit.kind).in_(("province", "base"))).order_by(col(Unit.id))
    found = []
    for unit in session.exec(top):
        if line and unit.product_line == line:
            found.append(_suggest(unit, say("产品线 %(line)s 由该单位负责", line=line)))
    for unit in session.exec(top):
        if issue.province and unit.territory == issue.province:
            found.append(_suggest(unit, say("问题发生在该单位的属地")))
    return found


def _suggest(unit: Unit, reason: str) -> Suggestion:
    return Suggestion(unit.id or 0, unit.code, unit.name, reason)
