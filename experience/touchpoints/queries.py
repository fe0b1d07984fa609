"""Reads of the journey map and of the sites that embed us."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from experience.touchpoints.tables import Channel, Journey, Site, Stage, Touchpoint

#: A changed site is honoured within this many seconds; asking at every batch of events would cost more.
KEPT_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class KnownSite:
    """An active site: its key, the origins of its pages, and the secret that signs customers."""

    key: str
    origins: frozenset[str]
    secret: str


_kept: dict[str, tuple[float, dict[str, KnownSite]]] = {}


def sites(session: Session) -> dict[str, KnownSite]:
    """Active sites by key, remembered for a moment."""
    place, instant = str(session.get_bind().engine.url), time.monotonic()
    known = _kept.get(place)
    if known is None or instant - known[0] > KEPT_SECONDS:
        rows = session.exec(select(Site).where(col(Site.is_active)))
        known = (instant, {row.key: KnownSite(row.key, frozenset(row.origins), row.secret) for row in rows})
        _kept[place] = known
    return known[1]


def allows(site: KnownSite, origin: str | None, own: str) -> bool:
    """Whether a page of this origin may use the site's key; no Origin header means no foreign page."""
    return origin is None or origin == own or origin in site.origins


@dataclass(frozen=True, slots=True)
class MappedTouchpoint:
    """A touchpoint with its place on the journey map."""

    code: str
    name: str
    channel: str
    channel_name: str
    journey: str
    stage: str
    is_key: bool
    steps: Sequence[str]
    product_line: str


def touchpoints(session: Session) -> list[MappedTouchpoint]:
    """Every active touchpoint in the order of the map."""
    rows = session.exec(
        select(Touchpoint, Channel.name, Journey.name, Stage.name)
        .join(Channel, col(Channel.code) == Touchpoint.channel)
        .outerjoin(Stage, col(Stage.id) == Touchpoint.stage_id)
        .outerjoin(Journey, col(Journey.id) == Stage.journey_id)
        .where(col(Touchpoint.is_active))
        .order_by(col(Journey.position), col(Stage.position), col(Channel.position), col(Touchpoint.code))
    ).all()
    return [
        MappedTouchpoint(
            code=row.code,
            name=row.name,
            channel=row.channel,
            channel_name=channel,
            journey=journey or "",
            stage=stage or "",
            is_key=row.is_key,
            steps=row.steps,
            product_line=row.product_line,
        )
        for row, channel, journey, stage in rows
    ]


def touchpoint(session: Session, code: str) -> MappedTouchpoint | None:
    """The touchpoint under this code."""
    return next((one for one in touchpoints(session) if one.code == code), None)


def told(one: MappedTouchpoint) -> dict[str, Any]:
    """A touchpoint as the API tells it."""
    return {
        "code": one.code,
        "name": one.name,
        "channel": one.channel,
        "journey": one.journey,
        "stage": one.stage,
        "key": one.is_key,
        "steps": list(one.steps),
    }
