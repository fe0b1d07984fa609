"""Day partitions made ahead; what is too old goes."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

#: Raw events and what keeps them from being counted twice.
RAW_DAYS, KEY_DAYS = 30, 9
#: Measures by window width: minutes and five minutes are for the recent past.
MEASURE_DAYS = {60: 3, 300: 60, 3600: 400}
_AHEAD = 3


def tidy_next(session: Session, now: datetime) -> bool:
    """Makes the next days' partitions and drops what is over its time; whether anything was done."""
    return bool(_partitions(session, now) + _forget(session, now))


def _partitions(session: Session, now: datetime) -> int:
    known = set(
        session.execute(
            text("select relid::regclass::text from pg_partition_tree('probe_event') where isleaf")
        ).scalars()
    )
    made = 0
    for ahead in range(1, _AHEAD + 1):
        day = (now + timedelta(days=ahead)).date()
        name = f"probe_event_{day:%Y%m%d}"
        if name not in known:
            # Names and bounds are dates of our own making; DDL takes no parameters.
            session.execute(
                text(
                    f"create table if not exists {name} partition of probe_event "
                    f"for values from ('{day}') to ('{day + timedelta(days=1)}')"
                )
            )
            made += 1
    oldest = f"probe_event_{now - timedelta(days=RAW_DAYS):%Y%m%d}"
    for name in sorted(known - {"probe_event_default"}):
        if name < oldest:
            session.execute(text(f"drop table {name}"))
            made += 1
    return made


def _forget(session: Session, now: datetime) -> int:
    gone = 0
    for table, column, days in (
        ("event_key", "arrived_at", KEY_DAYS),
        ("session_seen", "at", KEY_DAYS),
        ("spool_segment", "drained_at", KEY_DAYS),
        ("probe_event_default", "arrived_at", RAW_DAYS),
    ):
        statement = text(f"delete from {table} where {column} < :before")  # noqa: S608 - fixed names
        gone += session.execute(statement, {"before": now - timedelta(days=days)}).rowcount  # type: ignore[attr-defined]
    for seconds, days in MEASURE_DAYS.items():
        old = text("delete from measure where window_seconds = :seconds and at < :before")
        given = {"seconds": seconds, "before": now - timedelta(days=days)}
        gone += session.execute(old, given).rowcount  # type: ignore[attr-defined]
    return gone
