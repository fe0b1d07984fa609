"""Satisfaction as a number over time: finished answers counted by hour and day, beside what the probes count."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

#: Counted anew at each look, so that answers stored while an earlier look was under way are not lost.
OVERLAP = timedelta(hours=26)
#: Left out: partial and doubtful answers, and follow-ups, which judge the handling and not the touchpoint.
_COUNT = text("""
    insert into measure (touchpoint, window_seconds, key, province, at, bucket, n, value)
    select r.touchpoint, w.seconds, 'csat', p.province,
        case w.seconds when 3600 then date_trunc('hour', r.at)
            else date_trunc('day', r.at at time zone 'Asia/Shanghai') at time zone 'Asia/Shanghai' end as window_at,
        0, count(*), sum(case when a.number >= 4 then 1 else 0 end)
    from response r
    join answer a on a.response_id = r.id and a.kind = 'csat' and not a.is_inactive and a.number is not null
    cross join (values (3600), (86400)) as w (seconds)
    cross join lateral (select r.province union select '') as p (province)
    where r.at >= :since and r.touchpoint <> '' and not r.is_partial and not r.is_quarantined
        and r.sample_class <> 'follow_up'
    group by r.touchpoint, w.seconds, p.province, window_at
    on conflict (touchpoint, window_seconds, key, province, at, bucket)
    do update set n = excluded.n, value = excluded.value
        where (measure.n, measure.value) is distinct from (excluded.n, excluded.value)
""")
_LAST = text("select max(at) from measure where key = 'csat' and window_seconds = 3600 and province = ''")


def count_next(session: Session, now: datetime) -> bool:
    """Brings the counts of satisfaction up to date; whether any had changed. Repeating it changes nothing."""
    last = session.execute(_LAST).scalar()
    since = last - OVERLAP if last else datetime.fromtimestamp(0, now.tzinfo)
    day = since.astimezone(now.tzinfo).replace(hour=16, minute=0, second=0, microsecond=0)  # Beijing midnight
    whole = day if day <= since else day - timedelta(days=1)
    return bool(session.execute(_COUNT, {"since": whole}).rowcount)  # type: ignore[attr-defined]
