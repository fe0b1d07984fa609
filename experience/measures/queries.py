"""Reads of the one table of numbers."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, cast, func
from sqlmodel import Session, col, select

from experience.measures.tables import Measure

#: Rows that are counts. Not `bucket = 0`: behind the range of instants PostgreSQL 18 weighs that as a skip scan with a
#: step for every instant, finds it dear, and reads the whole table instead (50 ms against 1 ms on the demo).
IS_COUNT = col(Measure.bucket) + 0 == 0


class Span(NamedTuple):
    """Windows of one width, from start up to end, of these provinces together ('' is all of them)."""

    window_seconds: int
    start: datetime
    end: datetime
    provinces: tuple[str, ...] = ("",)


class Count(NamedTuple):
    """How many and their sum."""

    n: int
    value: float


def series(
    session: Session,
    touchpoint: str,
    keys: Sequence[str],
    span: Span,
) -> dict[datetime, dict[str, Count]]:
    """Window start -> key -> count."""
    rows = session.exec(
        select(Measure.at, Measure.key, func.sum(Measure.n), func.sum(Measure.value))
        .where(
            Measure.touchpoint == touchpoint,
            Measure.window_seconds == span.window_seconds,
            col(Measure.key).in_(keys),
            col(Measure.province).in_(span.provinces),
            Measure.at >= span.start,
            Measure.at < span.end,
            IS_COUNT,
        )
        .group_by(col(Measure.at), col(Measure.key))
    )
    found: dict[datetime, dict[str, Count]] = defaultdict(dict)
    for at, key, n, value in rows:
        found[at][key] = Count(int(n), float(value))
    return dict(found)


def histograms(
    session: Session,
    touchpoint: str,
    key: str,
    span: Span,
) -> dict[datetime, dict[int, int]]:
    """Window start -> bucket -> count of a key kept as a histogram."""
    total = (
        select(Measure.at, Measure.bucket, cast(func.sum(Measure.n), BigInteger).label("n"))
        .where(
            Measure.touchpoint == touchpoint,
            Measure.window_seconds == span.window_seconds,
            Measure.key == key,
            col(Measure.province).in_(span.provinces),
            Measure.at >= span.start,
            Measure.at < span.end,
            Measure.bucket > 0,
        )
        .group_by(col(Measure.at), col(Measure.bucket))
        .subquery()
    )
    # One row a window: a week by the hour holds seven thousand buckets, and an instant for each costs more than they.
    windows = select(total.c.at, func.array_agg(total.c.bucket), func.array_agg(total.c.n)).group_by(total.c.at)
    return {at: dict(zip(buckets, counts, strict=True)) for at, buckets, counts in session.exec(windows)}
