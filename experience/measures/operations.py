"""Add to the one table of numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from sqlalchemy import text
from sqlmodel import Session

from experience.measures.tables import WINDOWS

_BEIJING = timezone(timedelta(hours=8))
_BATCH = 5_000
_UPSERT = text(
    "insert into measure (touchpoint, window_seconds, key, province, at, bucket, n, value) "
    "select * from unnest(cast(:touchpoint as text[]), cast(:window as int[]), cast(:key as text[]), "
    "cast(:province as text[]), cast(:at as timestamptz[]), cast(:bucket as int[]), cast(:n as bigint[]), "
    "cast(:value as float8[])) "
    "on conflict (touchpoint, window_seconds, key, province, at, bucket) "
    "do update set n = measure.n + excluded.n, value = measure.value + excluded.value"
)


@dataclass(frozen=True, slots=True)
class Happened:
    """Something to count at a touchpoint: `n` of a key, their sum, and for durations the bucket."""

    touchpoint: str
    key: str
    at: datetime
    province: str = ""
    n: int = 1
    value: float = 0.0
    bucket: int = 0


def window_start(at: datetime, window_seconds: int) -> datetime:
    """The start of the window an instant lies in; days start at Beijing midnight."""
    local = at.astimezone(_BEIJING)
    if window_seconds == 86400:  # noqa: PLR2004 - a day
        return local.replace(hour=0, minute=0, second=0, microsecond=0)
    seconds = local.timestamp()
    return datetime.fromtimestamp(seconds - seconds % window_seconds, _BEIJING)


def add(session: Session, things: Iterable[Happened], *, windows: tuple[int, ...] = WINDOWS) -> None:
    """Counts each thing in its window of every width, in its province and in all provinces together."""
    sums: dict[tuple[str, int, str, str, datetime, int], list[float]] = {}
    for one in things:
        for seconds in windows:
            start = window_start(one.at, seconds)
            for province in {one.province, ""}:
                kept = sums.setdefault((one.touchpoint, seconds, one.key, province, start, one.bucket), [0, 0.0])
                kept[0] += one.n
                kept[1] += one.value
    rows = sorted(sums.items())  # one order for all writers, so that two upserts never wait for each other
    for first in range(0, len(rows), _BATCH):
        some = rows[first : first + _BATCH]
        columns = list(zip(*(key for key, _ in some), strict=True))
        names = ("touchpoint", "window", "key", "province", "at", "bucket")
        given = dict(zip(names, map(list, columns), strict=True))
        given |= {"n": [int(sums_[0]) for _, sums_ in some], "value": [sums_[1] for _, sums_ in some]}
        session.execute(_UPSERT, given)
