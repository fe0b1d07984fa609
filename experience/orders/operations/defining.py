"""Calendars and policies: the ones every database needs, those of a setup document, and what staff change of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from experience.audit.operations import record
from experience.ground.errors import Conflict, Forbidden, Invalid, NotFound
from experience.ground.i18n import Sentence, say
from experience.orders import policies, soundness, workdays
from experience.orders.queries import calendars
from experience.orders.queries.calendars import CHANGED_DAYS
from experience.orders.soundness import PolicyIn
from experience.orders.tables import Calendar, CalendarDay, Policy
from experience.organisation.permissions import Scope

DAY_KINDS = ("holiday", "makeup", "custom")
#: A holiday with its make-up days is shorter; a longer stretch is a slip of the keyboard.
MOST_DAYS = 31
_FAR = timedelta(days=3 * 366)
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def ensure_defaults(session: Session) -> None:
    """The office calendar with the announced days, and the shipped policies; what staff changed stays."""
    office = workdays.office()
    weekly = {str(day): workdays.written(spans) for day, spans in enumerate(office.weekly)}
    made = {"name": office.name, "zone": office.zone, "weekly": weekly, "covered_until": office.covered_until}
    if session.get(Calendar, office.name) is None:
        session.execute(insert(Calendar).values(made).on_conflict_do_nothing())
        exceptions, _ = workdays.announced()
        rows = [
            {
                "calendar": office.name,
                "day": day,
                "kind": kind,
                "spans": workdays.written(office.days[day]),
                "source": "State Council notice",
            }
            for day, kind in exceptions.items()
        ]
        session.execute(insert(CalendarDay).values(rows).on_conflict_do_nothing())
    shipped = [{**policy, "version": 1} for policy in policies.DEFAULTS]
    session.execute(insert(Policy).values(shipped).on_conflict_do_nothing())


def ensure_calendar(session: Session, told: Mapping[str, Any]) -> Calendar:
    """The calendar as described: `weekly` maps mon…sun (or "0"…"6") to spans, `days` dates to spans.

    Raises Invalid for spans that overlap, dates that are none, an unknown zone or a week without working time.
    """
    try:
        weekly = {_day(name): _spans(spans) for name, spans in (told.get("weekly") or {}).items()}
        days = {date.fromisoformat(str(day)): _spans(spans) for day, spans in (told.get("days") or {}).items()}
        until = date.fromisoformat(str(told["covered_until"])) if told.get("covered_until") else None
        ZoneInfo(told.get("zone", "Asia/Shanghai"))
    except (ValueError, TypeError, AttributeError, ZoneInfoNotFoundError) as error:
        raise Invalid(say("日历 %(name)s 写得不对：%(why)s", name=told["name"], why=str(error))) from error
    if not any(weekly.values()):  # its deadlines would never run out
        raise Invalid(say("日历 %(name)s 没有上班时间：请在 weekly 里写明。", name=told["name"]))
    found = session.get(Calendar, told["name"]) or Calendar(name=told["name"])
    found.zone, found.weekly, found.covered_until = told.get("zone", "Asia/Shanghai"), weekly, until
    session.add(found)
    session.flush()
    session.execute(delete(CalendarDay).where(col(CalendarDay.calendar) == found.name))
    for day, spans in days.items():
        kind = "custom" if spans else "holiday"
        session.add(CalendarDay(calendar=found.name, day=day, kind=kind, spans=spans, source="setup"))
    session.flush()
    calendars.forget()
    return found


def _day(name: Any) -> str:
    text = str(name).lower()
    if text in _WEEK:
        return str(_WEEK.index(text))
    if text not in "0123456" or len(text) != 1:
        raise ValueError(f"not a weekday: {name}")
    return text


def _spans(told: Any) -> list[list[str]]:
    return workdays.written(workdays.spans_of(told or []))


def ensure_policy(session: Session, told: Mapping[str, Any]) -> Policy:
    """The policy as described, a version newer when it changed. Raises Invalid for what the rules cannot read."""
    match, limits = dict(told.get("match") or {}), {k: str(v) for k, v in (told.get("clocks") or {}).items()}
    policies.demand_sound(match, limits)
    found = session.get(Policy, told["code"]) or Policy(code=told["code"], name=told["name"], version=0)
    if (found.clocks, found.match) != (limits, match):
        found.version += 1
    found.name, found.match, found.clocks = told["name"], match, limits
    found.position = int(told.get("position", 100))
    session.add(found)
    session.flush()
    return found


@dataclass(frozen=True, slots=True)
class DaysIn:
    """The days `first` to `last` that replace the weekly pattern; without spans a make-up day has Monday's."""

    calendar: str
    first: date
    last: date
    kind: str
    spans: tuple[tuple[str, str], ...] = ()


def set_days(session: Session, scope: Scope, told: DaysIn, *, now: datetime) -> list[date]:
    """The days as told, new or replaced. Clocks that run keep their due; days that have begun are counted and stay.

    Raises Forbidden but for the centre, NotFound, and Invalid with the field at fault.
    """
    found = _calendar(session, scope, told.calendar)
    _demand_ahead(found, told.first, "first", now)
    if not told.first <= told.last < told.first + timedelta(days=MOST_DAYS):
        raise _fault("last", say("到哪一天要不早于从哪一天，一次最多 %(n)s 天。", n=MOST_DAYS))
    spans = _day_spans(found, told)
    days = [told.first + timedelta(days=n) for n in range((told.last - told.first).days + 1)]
    for day in days:
        row = session.get(CalendarDay, (found.name, day)) or CalendarDay(calendar=found.name, day=day, kind=told.kind)
        row.kind, row.spans, row.source = told.kind, spans, "staff"
        session.add(row)
    session.flush()
    said = {"days": [day.isoformat() for day in days], "kind": told.kind, "spans": spans}
    record(session, scope, CHANGED_DAYS, ("calendar", found.name), now=now, detail=said)
    calendars.forget()
    return days


def clear_day(session: Session, scope: Scope, name: str, day: date, *, now: datetime) -> None:
    """The day follows the weekly pattern again. Raises as `set_days`, and NotFound for a day that was not special."""
    found = _calendar(session, scope, name)
    _demand_ahead(found, day, "first", now)
    row = session.get(CalendarDay, (name, day))
    if row is None:
        raise NotFound(say("这一天没有特殊安排。"))
    session.delete(row)
    session.flush()
    said = {"days": [day.isoformat()], "kind": "", "was": row.kind}
    record(session, scope, CHANGED_DAYS, ("calendar", name), now=now, detail=said)
    calendars.forget()


def cover(session: Session, scope: Scope, name: str, until: date, *, now: datetime) -> None:
    """Holidays are known up to this day; dues beyond it are provisional. Raises as `set_days`."""
    found = _calendar(session, scope, name)
    today = _today(found, now)
    if not today <= until <= today + _FAR:
        raise _fault("until", say("请填今天以后、三年以内的日期。"))
    was, found.covered_until = found.covered_until, until
    session.add(found)
    session.flush()
    said = {"until": until.isoformat(), "was": was.isoformat() if was else ""}
    record(session, scope, "cover_calendar", ("calendar", name), now=now, detail=said)
    calendars.forget()


def _calendar(session: Session, scope: Scope, name: str) -> Calendar:
    _demand_centre(scope)
    found = session.get(Calendar, name, with_for_update=True)
    if found is None:
        raise NotFound(say("没有工作日历 %(name)s。", name=name))
    return found


def _demand_centre(scope: Scope) -> None:
    if not scope.reach("organisation.edit").is_everything:
        raise Forbidden(say("工作日历和时限策略由集团中心管理。"))


def _demand_ahead(found: Calendar, day: date, field: str, now: datetime) -> None:
    """A day that has begun is counted in clocks already; another count of it would be another history."""
    today = _today(found, now)
    if not today < day <= today + _FAR:
        raise _fault(field, say("只能改明天起、三年以内的日子：今天和以前的时间已经计入时限。"))


def _today(found: Calendar, now: datetime) -> date:
    return now.astimezone(ZoneInfo(found.zone)).date()


def _day_spans(found: Calendar, told: DaysIn) -> list[list[str]]:
    if told.kind not in DAY_KINDS:
        raise _fault("kind", say("请选择放假、调休上班或自定时段。"))
    if told.kind == "holiday":
        return []
    given = told.spans or (tuple(found.weekly.get("0", ())) if told.kind == "makeup" else ())
    try:
        spans = _spans(given)
    except ValueError as error:
        sentence = say("时段看不懂：请写成 09:00-12:00, 13:30-18:00，从早到晚，不要重叠。")
        raise Invalid(sentence, [{"field": "spans", "sentence": sentence}]) from error
    if not spans:
        raise _fault("spans", say("请写上班时段，例如 09:00-12:00, 13:30-18:00。"))
    return spans


def _fault(field: str, sentence: Sentence) -> Invalid:
    return Invalid(sentence, [{"field": field, "sentence": sentence}])


def save_policy(session: Session, scope: Scope, told: PolicyIn, *, version: int, now: datetime) -> Policy:
    """The policy as the next version; `version` is the one that was read, 0 makes a new policy.

    Clocks that run keep their limits; those that start from now on, on orders known or new, take these.
    Raises Forbidden but for the centre, Invalid with every field at fault, Conflict when another was faster.
    """
    _demand_centre(scope)
    rows = session.exec(select(Policy).order_by(col(Policy.position), col(Policy.code)).with_for_update()).all()
    found = next((row for row in rows if row.code == told.code), None)
    if (found.version if found else 0) != version:
        raise _not_as_read(found, version)
    others = [policy_in(row) for row in rows if row.code != told.code]
    wrong = soundness.faults(told, others, is_new=found is None)
    if wrong:
        raise Invalid(say("有 %(n)s 处需要修改，见各项下面的说明。", n=len(wrong)), wrong)
    policies.demand_sound(told.match, told.clocks)
    was = {**_shown(policy_in(found)), "version": version} if found else {}
    if found and policy_in(found) == told:
        return found
    found = found or Policy(code=told.code, name=told.name, version=0)
    found.name, found.position, found.match, found.clocks = told.name, told.position, {**told.match}, {**told.clocks}
    found.version += 1
    session.add(found)
    session.flush()
    detail = {**_shown(told), "version": found.version, "was": was}
    record(session, scope, "save_policy", ("policy", told.code), now=now, detail=detail)
    return found


def _not_as_read(found: Policy | None, version: int) -> Invalid | Conflict | NotFound:
    if found is None:
        return NotFound(say("没有这个时限策略。"))
    if version == 0:
        return _fault("code", say("代码 %(code)s 已经有了，请换一个。", code=found.code))
    return Conflict(say("这个策略刚被改过（现在是第 %(version)s 版），请重新打开再改。", version=found.version))


def policy_in(row: Policy) -> PolicyIn:
    """The row as an administrator would describe it."""
    return PolicyIn(row.code, row.name, row.position, {**row.match}, {**row.clocks})


def _shown(told: PolicyIn) -> dict[str, Any]:
    return {"name": told.name, "position": told.position, "match": {**told.match}, "clocks": {**told.clocks}}
