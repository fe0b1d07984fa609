"""The audit, for programs."""

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel
from pydantic import Field as Setting

from experience.audit import queries
from experience.audit.queries import Wanted
from experience.voices import search
from experience.web import audit as pages
from experience.web import door
from experience.web.api.contract import PageQuery, operation, page


class AuditQuery(PageQuery):
    """Filters; all must hold."""

    actor: str = Setting("", max_length=100, description="Login of who acted")
    act: str = Setting("", max_length=60)
    kind: str = Setting("", max_length=60, description="Kind of the row, such as order")
    subject: str = Setting("", max_length=200, description="Id or code of the row")
    from_: AwareDatetime | None = Setting(None, alias="from")
    to: AwareDatetime | None = None


class AuditOut(BaseModel):
    """One act."""

    id: int
    at: datetime
    actor: str
    acting_for: str
    act: str
    kind: str
    subject: str
    detail: dict[str, Any]


class AuditPage(BaseModel):
    """One page of acts."""

    items: list[AuditOut]
    next: str | None


@operation("GET", "/api/v1/audit", act="audit.read", query=AuditQuery, answer=AuditPage, summary="Who did what")
def audit(query: AuditQuery) -> dict[str, Any]:
    """Newest first."""
    wanted = Wanted(pages.actors(query.actor), query.act, query.kind, query.subject, query.from_, query.to)
    after = search.moment(query.cursor) if query.cursor else None
    found = queries.lines(door.db(), wanted, after=after, limit=query.limit + 1)
    shown = found[: query.limit]
    names = pages.names(shown)
    told = [
        AuditOut(
            id=line.id or 0,
            at=line.at,
            actor=names.get(line.actor_id or 0, "system"),
            acting_for=names.get(line.acting_for_id or 0, ""),
            act=line.act,
            kind=line.subject_kind,
            subject=line.subject_id,
            detail=line.detail,
        )
        for line in shown
    ]
    rest = search.cursor(shown[-1].at.isoformat(), shown[-1].id or 0) if len(found) > query.limit else None
    return page(told, rest)
