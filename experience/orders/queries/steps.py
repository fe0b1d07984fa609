"""Reads of an order's steps."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, select

from experience.orders.tables import OrderStep


def last_step_at(session: Session, order_id: int, action: str, actor_id: int | None) -> datetime | None:
    """When this actor last did this."""
    return session.exec(
        select(func.max(OrderStep.at)).where(
            OrderStep.order_id == order_id, OrderStep.action == action, OrderStep.actor_id == actor_id
        )
    ).one()


def count_steps(session: Session, order_id: int, action: str, *, since: str) -> int:
    """How often this was done since the other act was last done."""
    begun = select(func.coalesce(func.max(OrderStep.seq), 0)).where(
        OrderStep.order_id == order_id, OrderStep.action == since
    )
    done = (OrderStep.order_id == order_id, OrderStep.action == action, OrderStep.seq > begun.scalar_subquery())
    return session.exec(select(func.count()).where(*done)).one()
