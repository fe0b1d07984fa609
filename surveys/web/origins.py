"""Which pages of other sites may talk to the surveys: those whose origin a site of ours lists."""

import time

from flask import request
from sqlmodel import col, select

from experience.ground.errors import Forbidden
from experience.ground.i18n import say
from experience.touchpoints.tables import Site
from experience.web import door

KEPT_SECONDS = 15  # a changed site is honoured within this; asking the database at every answer would cost more
_known: dict[str, tuple[float, dict[str, frozenset[str]]]] = {}


def _sites() -> dict[str, frozenset[str]]:
    """Origins by site key, of active sites; remembered for a moment, for each database."""
    session = door.db()
    place, instant = str(session.get_bind().engine.url), time.monotonic()
    if place not in _known or instant - _known[place][0] > KEPT_SECONDS:
        rows = session.exec(select(Site.key, Site.origins).where(col(Site.is_active)))
        _known[place] = (instant, {key: frozenset(origins) for key, origins in rows})
    return _known[place][1]


def check(site: str | None) -> None:
    """Raises Forbidden for a page of a site that is not ours, or not the site it says it is.

    The headers that let a browser read the answer are experience.web.sites' business.
    """
    origin = request.headers.get("Origin")
    if site is not None and site not in _sites():
        raise Forbidden(say("站点标识不对：请检查嵌入代码里的 site。"))
    if origin is None or origin == request.host_url.rstrip("/"):
        return
    allowed = _sites()[site] if site is not None else frozenset[str]().union(*_sites().values())
    if origin not in allowed:
        raise Forbidden(say("这个网站没有登记，不能使用问卷。"))
