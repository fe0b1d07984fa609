"""Reads of effects."""

from typing import Any

from sqlmodel import Session, col, select

from experience.orders.tables import Effect


def effects_of_order(session: Session, order_id: int) -> list[Effect]:
    """The effects planned or measured for an order, newest cycle first."""
    return list(
        session.exec(
            select(Effect).where(Effect.order_id == order_id).order_by(col(Effect.cycle).desc(), col(Effect.key).desc())
        )
    )


def told(effect: Effect) -> dict[str, Any]:
    """An effect as the contract's JSON."""
    return {
        "key": effect.key,
        "cycle": effect.cycle,
        "touchpoint": effect.touchpoint,
        "province": effect.province,
        "split_at": effect.split_at.isoformat(),
        "window_days": effect.window_days,
        "due_at": effect.due_at.isoformat(),
        "measured_at": effect.measured_at.isoformat() if effect.measured_at else None,
        "before_n": effect.before_n,
        "before_value": effect.before_value,
        "after_n": effect.after_n,
        "after_value": effect.after_value,
        "difference": effect.difference,
        "low": effect.low,
        "high": effect.high,
        "verdict": effect.verdict,
        "series": effect.series,
    }
