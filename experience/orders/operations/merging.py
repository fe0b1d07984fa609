"""Two orders at once: locked in one order by everybody, and what the remaining one takes over."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from experience.orders.operations import clocks as clockwork
from experience.orders.operations.holding import Held, note_due
from experience.orders.tables import WorkOrder


def lock_others(session: Session, code: str, action: str, fields: Mapping[str, Any]) -> None:
    """Locks what a merge or a cancellation also touches: by id, and children before their parent.

    A child's own acts lock it before its parent; the other way round two people would wait for each other.
    """
    if action == "merge":
        together = col(WorkOrder.code).in_((code, str(fields.get("into"))[:60]))
    elif action == "cancel":
        together = col(WorkOrder.parent_id).in_(select(WorkOrder.id).where(WorkOrder.code == code))
    else:
        return
    session.exec(select(WorkOrder.id).where(together).order_by(col(WorkOrder.id)).with_for_update()).all()


def take_earlier(session: Session, gone: Held, taker: Held, *, now: datetime) -> None:
    """The remaining order takes the earlier due and the earlier statutory start."""
    resolve = next(iter(gone.running("resolve")), None)
    own = next((clock for clock in taker.running("resolve") if clock.state == "running"), None)
    if resolve and own and resolve.due_at and own.due_at and resolve.due_at < own.due_at:
        clockwork.move(session, own, due_at=resolve.due_at, now=now)
        note_due(taker.order, own)
    for clock in gone.running("statutory"):
        later = taker.running("statutory")
        if all(clock.started_at < one.started_at for one in later):
            clockwork.stop(session, later, at=now, is_met=False)
            clockwork.start(
                session,
                taker.order,
                "statutory",
                clock.limit_text,
                at=clock.started_at,
                calendar_name=clock.calendar,
            )
