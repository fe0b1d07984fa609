"""The caller's own notices."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.notices import queries
from experience.web import door
from experience.web.api.contract import PageQuery, cursor_of, cursor_parts, operation, page
from experience.web.errors import translated


class NoticesQuery(PageQuery):
    """What is wanted."""

    unread: bool = False


class NoticePage(BaseModel):
    """One page of notices."""

    items: list[dict[str, Any]]
    next: str | None


@operation("GET", "/api/v1/notices", act="", query=NoticesQuery, answer=NoticePage, summary="The caller's notices")
def notices(query: NoticesQuery) -> dict[str, Any]:
    """Newest first."""
    found = queries.mine(
        door.db(), door.scope(), after=_after(query.cursor), limit=query.limit + 1, unread=query.unread
    )
    shown = [
        {
            "id": one.id,
            "at": one.at.isoformat(),
            "topic": one.topic,
            "level": one.level,
            "text": translated(say(one.sentence, **one.params)),
            "link": one.link,
            "read_at": one.read_at.isoformat() if one.read_at else None,
        }
        for one in found[: query.limit]
    ]
    rest = cursor_of(found[query.limit - 1].at, found[query.limit - 1].id) if len(found) > query.limit else None
    return page(shown, rest)


def _after(cursor: str | None) -> tuple[datetime, int] | None:
    parts = cursor_parts(cursor, str, int)
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(str(parts[0]))
        if at.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        return at, int(parts[1])
    except ValueError as error:
        raise Invalid(say("翻页标记无效，请从第一页重新开始。")) from error
