"""Reads of units as pages need them: names, and the province or base each belongs to."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from experience.organisation.permissions import Reach
from experience.organisation.tables import Unit


@dataclass(frozen=True, slots=True)
class UnitName:
    """A unit and the first-level unit (province or base) it belongs to; the centre belongs to itself."""

    id: int
    code: str
    name: str
    kind: str
    path: str
    top_id: int
    top_code: str
    top_name: str
    territory: str
    product_line: str

    @property
    def full_name(self) -> str:
        """The name with its province before it, such as 广东公司·网络部."""
        return self.name if self.top_id == self.id else f"{self.top_name}·{self.name}"


def unit_names(session: Session) -> dict[int, UnitName]:
    """Every unit by id; a national operator has some hundreds."""
    kept = (Unit.id, Unit.code, Unit.name, Unit.kind, Unit.path, Unit.territory, Unit.product_line)
    rows = session.execute(select(*(col(c) for c in kept)).order_by(col(Unit.path))).all()
    known = {id: (code, name, territory) for id, code, name, _, _, territory, _ in rows}
    made = {}
    for id, code, name, kind, path, territory, line in rows:
        chain = [int(part) for part in path.strip("/").split("/") if part]
        top_id = chain[1] if len(chain) > 1 and chain[1] in known else id
        top_code, top_name, top_territory = known[top_id]
        made[id] = UnitName(id, code, name, kind, path, top_id, top_code, top_name, territory or top_territory, line)
    return made


def choices(units: dict[int, UnitName], reach: Reach) -> list[tuple[str, str]]:
    """(code, name) of the first-level units in reach, for a filter; for a province its own departments."""
    seen = [u for u in units.values() if reach.sees_unit(u.id)]
    if reach.is_everything:
        seen = [u for u in seen if u.top_id == u.id and u.kind != "centre"]
    return [(u.code, u.full_name) for u in seen]


def province_names(units: dict[int, UnitName]) -> dict[str, str]:
    """Territory code -> the name of the unit that serves it."""
    return {u.territory: u.name.removesuffix("公司") for u in units.values() if u.kind == "province" and u.territory}
