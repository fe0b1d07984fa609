"""The units in the caller's scope."""

from typing import Any

from pydantic import BaseModel

from experience.organisation import directory
from experience.organisation.permissions import joined
from experience.voices import search
from experience.web import door
from experience.web.api.contract import PageQuery, operation, page


class UnitOut(BaseModel):
    """A unit; `parent` is an id."""

    id: int
    code: str
    name: str
    kind: str
    parent: int | None
    territory: str
    product_line: str
    is_active: bool


class UnitPage(BaseModel):
    """One page of units."""

    items: list[UnitOut]
    next: str | None


@operation("GET", "/api/v1/units", act="", query=PageQuery, answer=UnitPage, summary="Units in the caller's scope")
def units(query: PageQuery) -> dict[str, Any]:
    """In the order of the tree."""
    after = str(search.place(query.cursor, (str,))[0]) if query.cursor else ""
    anywhere = joined(one.reach for one in door.scope().held)
    found = directory.units(door.db(), anywhere, after=after, limit=query.limit + 1)
    shown = found[: query.limit]
    told = [
        UnitOut(
            id=unit.id or 0,
            code=unit.code,
            name=unit.name,
            kind=unit.kind,
            parent=unit.parent_id,
            territory=unit.territory,
            product_line=unit.product_line,
            is_active=unit.is_active,
        )
        for unit in shown
    ]
    return page(told, search.cursor(shown[-1].path) if len(found) > query.limit else None)
