"""Measure the effect once its window is over."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from experience.ground.sweep import handling, postponed
from experience.measures.operations import window_start
from experience.measures.tables import Measure
from experience.orders import effect
from experience.orders.effect import Sample
from experience.orders.tables import Effect

_DAY, _HOUR = 86400, 3600


def measure_effect(session: Session, now: datetime) -> bool:
    """Compares one effect that is due; whether there was one."""
    waiting = [int(row.partition(":")[2]) for row in postponed(session, "orders.effect", now)]
    due = session.exec(
        select(Effect)
        .where(col(Effect.measured_at).is_(None), Effect.due_at <= now, col(Effect.id).not_in(waiting))
        .order_by(col(Effect.due_at), col(Effect.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if due is None:
        return False
    with handling(f"effect:{due.id}"):
        _measure(session, due, now)
    return True


def _measure(session: Session, found: Effect, now: datetime) -> None:
    window, split = timedelta(days=found.window_days), window_start(found.split_at, _HOUR)
    before = _sample(session, found, split - window, split)
    after = _sample(session, found, split, split + window)
    compared = effect.compare(before, after)
    found.before_n, found.before_value = before.n, before.share
    found.after_n, found.after_value = after.n, after.share
    found.difference, found.low, found.high = compared.difference, compared.low, compared.high
    found.verdict, found.measured_at = compared.verdict, now
    found.series = _series(session, found, found.split_at - window, found.split_at + window)
    session.add(found)
    session.flush()


def _sample(session: Session, found: Effect, start: datetime, end: datetime) -> Sample:
    """Hour windows that begin in the stretch; the hour of the change itself counts as after."""
    found_rows = session.exec(
        select(Measure.key, func.sum(Measure.n), func.sum(Measure.value))
        .where(*_place(found, _HOUR), Measure.at >= start, Measure.at < end)
        .group_by(col(Measure.key))
    ).all()
    rows = {key: (n, value) for key, n, value in found_rows}
    return _shares(found.key, rows)


def _shares(key: str, rows: dict[str, tuple[int, float]]) -> Sample:
    if key == "csat":
        n, good = rows.get("csat", (0, 0.0))
        return Sample(float(good), int(n))
    good, bad = int(rows.get("success", (0, 0))[0]), int(rows.get("fail", (0, 0))[0])
    return Sample(good, good + bad)


def _place(found: Effect, window_seconds: int) -> list[Any]:
    """Rows of the touchpoint in the province, or in all provinces together."""
    return [
        Measure.touchpoint == found.touchpoint,
        Measure.window_seconds == window_seconds,
        Measure.province == found.province,
        col(Measure.key).in_(("csat",) if found.key == "csat" else ("success", "fail")),
    ]


def _series(session: Session, found: Effect, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The figure day by day, for the picture: [{"at", "value", "n"}]."""
    rows = session.exec(
        select(Measure.at, Measure.key, func.sum(Measure.n), func.sum(Measure.value))
        .where(*_place(found, _DAY), Measure.at >= start - timedelta(days=1), Measure.at < end)
        .group_by(col(Measure.at), col(Measure.key))
        .order_by(col(Measure.at))
    ).all()
    days: dict[datetime, dict[str, tuple[int, float]]] = {}
    for at, key, n, value in rows:
        days.setdefault(at, {})[key] = (n, value)
    told = []
    for at, keys in days.items():
        sample = _shares(found.key, keys)
        told.append({"at": at.isoformat(), "value": sample.share, "n": sample.n})
    return told
