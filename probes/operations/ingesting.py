"""Take a batch in: judged event by event, and made durable."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlmodel import Session, col, select

from experience.customers import identity
from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.touchpoints.queries import KnownSite
from probes import event
from probes.event import Kept, Sender
from probes.spool import Spool
from probes.tables import EventKey

_encode = msgspec.msgpack.Encoder().encode
#: Ids remembered by this process; a browser repeats a batch within seconds, so most repeats are met here.
REMEMBERED = 200_000
#: Events older than this may be a repeat that another process took in: then the database is asked.
FRESH = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch: the new events and who sent them, how many were known, why others were rejected."""

    sender: Sender
    events: list[Kept]
    duplicate: int
    rejected: list[dict[str, Any]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """How many are on disk now and were not before."""
        return len(self.events)


class Recent:
    """The ids this process took in lately."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def new(self, ids: list[str]) -> set[str]:
        """Those not seen by this process before."""
        with self._lock:
            return {id_ for id_ in ids if id_ not in self._ids}

    def remember(self, ids: list[str]) -> None:
        """Called once the events are durable."""
        with self._lock:
            for id_ in ids:
                self._ids[id_] = None
            while len(self._ids) > REMEMBERED:
                self._ids.popitem(last=False)


def ingest(
    session: Session, site: KnownSite, batch: event.Batch, spool: Spool, recent: Recent, *, now: datetime
) -> Taken:
    """What became of a batch; its new events are on disk when this returns.

    Raises Invalid for too many events, Busy when nothing can be made durable.
    """
    if len(batch.events) > event.MOST_EVENTS:
        raise Invalid(say("一次最多 %(most)d 个事件。", most=event.MOST_EVENTS))
    sender = _sender(site, batch, now)
    kept, rejected = _judged(batch, sender, now)
    fresh = _fresh(session, kept, recent, now)
    if fresh:
        spool.append(_encode(fresh))
        recent.remember([one.id for one in fresh])
    return Taken(sender, fresh, len(kept) - len(fresh), rejected)


def _sender(site: KnownSite, batch: event.Batch, now: datetime) -> Sender:
    customer = ""
    if batch.customer is not None:
        claim = batch.customer
        if event.place(claim.id) and identity.is_genuine(site.secret, claim.id, str(claim.ts), claim.sig, now):
            customer = claim.id  # an unproven claim is worth nothing, yet the events are still events
    return Sender(
        site.key, event.place(batch.session), event.place(batch.device), customer, event.behind(batch.sent_at, now)
    )


def _judged(batch: event.Batch, sender: Sender, now: datetime) -> tuple[list[Kept], list[dict[str, Any]]]:
    kept: list[Kept] = []
    rejected: list[dict[str, Any]] = []
    for index, raw in enumerate(batch.events):
        found = event.accepted(bytes(raw), sender, now)
        if isinstance(found, str):
            rejected.append({"index": index, "reason": found})
        else:
            kept.append(found)
    return kept, rejected


def _fresh(session: Session, kept: list[Kept], recent: Recent, now: datetime) -> list[Kept]:
    """The events not taken in before, each id once."""
    by_id = {one.id: one for one in reversed(kept)}
    new = recent.new(list(by_id))
    old = [id_ for id_ in new if by_id[id_].at < now - FRESH]
    if old:
        known = select(EventKey.event_id).where(col(EventKey.event_id).in_(old))
        new.difference_update(session.exec(known).all())
    return [one for one in kept if one.id in new and by_id.get(one.id) is one]
