"""Read again the voices that hold new words or terms, so that the past speaks the same language as the present."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from analysis import normalise
from experience.audit.operations import record
from experience.discovery.tables import DiscoveryRun
from experience.organisation.permissions import Scope
from experience.readers.operations.words import demand
from experience.voices.operations import read_now
from experience.voices.tables import Voice

#: How far back voices are read again.
DAYS = 90
_BATCH = 200


def ask_rereading(session: Session, scope: Scope, terms: Sequence[str], *, now: datetime) -> DiscoveryRun:
    """Asks for the voices of the last `DAYS` days that hold one of these terms to be read again by the clock.

    What a person put right stays as it is. Raises Forbidden as for changing words.
    """
    demand(scope)
    cleaned = [normalise.clean(term).text for term in terms if term.strip()]
    run = DiscoveryRun(
        kind="reread",
        narrowed={"terms": cleaned, "position": 0},
        asked_at=now,
        asked_by_id=scope.user_id,
    )
    session.add(run)
    session.flush()
    record(session, scope, "discovery.reread", ("discovery_run", run.id), now=now, detail={"terms": cleaned[:20]})
    return run


def reread_some(session: Session, run: DiscoveryRun, now: datetime) -> bool:
    """Reads the next batch of the run again; whether that was the last."""
    terms = [func.lower(Voice.masked).contains(term, autoescape=True) for term in run.narrowed["terms"]]
    chosen = select(Voice).where(col(Voice.id) > run.narrowed["position"], or_(*terms))
    chosen = chosen.where(col(Voice.at) > run.asked_at - timedelta(days=DAYS), col(Voice.at) <= run.asked_at)
    found = session.exec(chosen.order_by(col(Voice.id)).limit(_BATCH).with_for_update(skip_locked=True)).all()
    if found:
        read_now(session, found, now=now)
        run.looked_at += len(found)
        run.narrowed = {**run.narrowed, "position": found[-1].id}
    run.state = "running"
    return len(found) < _BATCH
