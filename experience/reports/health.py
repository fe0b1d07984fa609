"""Is the house well? The checks behind /healthz, `doctor` and the red bar; each says what is wrong in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from experience.ground.i18n import say
from experience.ground.tables import Heartbeat, JobRun, RowFailure
from experience.orders import workdays
from experience.orders.tables import Calendar, ClockMark

BEAT_LIMIT = timedelta(seconds=20)  # a worker beats every 5 s; three missed beats and some
MARK_LIMIT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Check:
    """One question about the installation: its name, whether all is well, and the answer in words."""

    name: str
    is_well: bool
    said: str


def checks(session: Session, now: datetime) -> list[Check]:
    """Every check that only the database is needed for."""
    return [
        _heartbeat(session, now),
        _marks(session, now),
        _jobs(session),
        _rows(session),
        _calendars(session, now),
    ]


def _heartbeat(session: Session, now: datetime) -> Check:
    newest = session.exec(select(func.max(Heartbeat.beat_at))).one()
    if newest is None:
        return Check("worker", False, say("没有后台 worker 在运行：请启动 huisheng worker。"))
    age = _seconds(now - newest)
    if now - newest > BEAT_LIMIT:
        return Check(
            "worker", False, say("后台 worker 已 %(seconds)s 秒没有心跳：请检查 huisheng worker。", seconds=age)
        )
    living = select(func.count()).where(col(Heartbeat.beat_at) > now - BEAT_LIMIT)
    return Check("worker", True, say("%(n)s 个后台 worker 在运行。", n=session.exec(living).one()))


def _marks(session: Session, now: datetime) -> Check:
    oldest = session.exec(
        select(func.min(ClockMark.due_at)).where(col(ClockMark.fired_at).is_(None), col(ClockMark.due_at) <= now)
    ).one()
    late = timedelta() if oldest is None else now - oldest
    if late > MARK_LIMIT:
        return Check("marks", False, say("有时限提醒已迟 %(seconds)s 秒未发出。", seconds=_seconds(late)))
    return Check("marks", True, say("时限提醒没有积压。"))


def _jobs(session: Session) -> Check:
    """A job is unwell when its last run failed: it ended, and failed no earlier than it ended."""
    failing = select(JobRun.job).where(col(JobRun.failed_at) >= col(JobRun.finished_at)).order_by(JobRun.job)
    names = list(session.exec(failing))
    if names:
        return Check("jobs", False, say("这些任务上次运行失败：%(names)s。", names="、".join(names)))
    return Check("jobs", True, say("任务都正常。"))


def _rows(session: Session) -> Check:
    """Rows that failed so often that their wait has become long; a person must look."""
    stuck = session.exec(select(func.count()).select_from(RowFailure).where(col(RowFailure.attempts) >= 5)).one()
    if stuck:
        return Check("rows", False, say("有 %(n)s 行数据多次处理失败，请查看 row_failure 表。", n=stuck))
    return Check("rows", True, say("没有反复失败的数据。"))


def _calendars(session: Session, now: datetime) -> Check:
    known = session.exec(select(Calendar).order_by(Calendar.name))
    short = [one.name for one in known if workdays.is_short(one.covered_until, now, workdays.REACHED)]
    if short:
        return Check("calendar", False, say("工作日历快用完了：%(names)s，请补充节假日安排。", names="、".join(short)))
    return Check("calendar", True, say("工作日历够用。"))


def figures(session: Session, now: datetime) -> dict[str, float]:
    """The same as numbers, for /metrics: name -> value in seconds or counts."""
    beat = session.exec(select(func.max(Heartbeat.beat_at))).one()
    mark = session.exec(select(func.min(ClockMark.due_at)).where(col(ClockMark.fired_at).is_(None))).one()
    return {
        "worker_heartbeat_age_seconds": (now - beat).total_seconds() if beat else -1.0,
        "oldest_unfired_mark_seconds": max(0.0, (now - mark).total_seconds()) if mark else 0.0,
        "failed_rows": float(session.exec(select(func.count()).select_from(RowFailure)).one()),
    }


def job_runs(session: Session) -> list[JobRun]:
    """The last run of every job."""
    return list(session.exec(select(JobRun).order_by(JobRun.job)))


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())


def as_json(found: list[Check]) -> dict[str, Any]:
    """The checks as /healthz and `doctor --json` show them."""
    return {
        "status": "ok" if all(check.is_well for check in found) else "failing",
        "checks": [{"name": check.name, "ok": check.is_well, "detail": check.said} for check in found],
    }
