"""Administration of working calendars: how far they are covered, and the days that replace the week."""

from calendar import Calendar as Months
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from experience.ground.errors import Forbidden, Invalid
from experience.ground.i18n import say
from experience.orders import operations
from experience.orders.operations import DaysIn
from experience.orders.queries import calendars
from experience.orders.tables import CalendarDay
from experience.orders.workdays import WorkCalendar, is_short
from experience.web import door
from experience.web.once import once
from experience.web.saying import told
from experience.web.words import N_

bp = Blueprint("admin_loop", __name__, url_prefix="/admin")

ACT = "organisation.edit"
WEEKDAYS = (N_("周一"), N_("周二"), N_("周三"), N_("周四"), N_("周五"), N_("周六"), N_("周日"))
SHORT_DAYS = (N_("一"), N_("二"), N_("三"), N_("四"), N_("五"), N_("六"), N_("日"))
MONTHS = (
    N_("1 月"), N_("2 月"), N_("3 月"), N_("4 月"), N_("5 月"), N_("6 月"),
    N_("7 月"), N_("8 月"), N_("9 月"), N_("10 月"), N_("11 月"), N_("12 月"),
)  # fmt: skip
KINDS = {"holiday": N_("放假"), "makeup": N_("调休上班"), "custom": N_("自定时段")}
YEARS = (2004, 2100)


@dataclass(frozen=True, slots=True)
class Cell:
    """One day in a month's grid; `kind` is holiday, makeup, custom, off (no work by the week) or ''."""

    day: date
    kind: str
    is_today: bool
    is_open: bool  # may still be changed
    is_known: bool  # the holidays are announced


@bp.get("/calendars")
@door.requires(ACT)
def calendar_list() -> str:
    """The calendars with how far each is covered."""
    demand_centre()
    found = calendars.listed(door.db(), _today("Asia/Shanghai").year)
    lines = [
        (line, weekly_words(line.calendar.weekly), is_short(line.calendar.covered_until, door.now())) for line in found
    ]
    return render_template("admin/calendars.html", lines=lines)


@bp.get("/calendars/<name>")
@door.requires(ACT)
def calendar_page(name: str) -> str:
    """One calendar's year, with a day chosen by `day`."""
    return _calendar(name)


def _calendar(name: str, *, errors: Mapping[str, str] | None = None) -> str:
    demand_centre()
    db = door.db()
    known = calendars.row(db, name)
    today = _today(known.zone)
    form = request.form
    chosen = _day(form.get("first") or request.args.get("day", ""))
    asked = request.args.get("year", "")
    year = int(asked) if asked.isdecimal() and len(asked) <= 4 else (chosen or today).year  # noqa: PLR2004 -- digits
    year = min(max(year, YEARS[0]), YEARS[1])
    specials = {day.day: day for day in calendars.days_of(db, name, year)}
    work = calendars.calendar(db, name)
    return render_template(
        "admin/calendar.html",
        calendar=known,
        weekly=weekly_words(known.weekly),
        alarm=is_short(known.covered_until, door.now()),
        year=year,
        years=YEARS,
        months=year_grid(work, specials, year, today),
        specials=_runs(specials),
        chosen=chosen if chosen and chosen > today else None,
        special=specials.get(chosen) if chosen else None,
        touched=calendars.touched(db, door.scope(), name, work.at(chosen, 0)) if chosen and chosen > today else None,
        tomorrow=today + timedelta(days=1),
        errors=errors or {},
        kinds=KINDS,
        month_names=MONTHS,
        weekdays=SHORT_DAYS,
        weekday_names=WEEKDAYS,
    )


def year_grid(work: WorkCalendar, specials: Mapping[date, CalendarDay], year: int, today: date) -> list[list[Any]]:
    """Twelve months, each of weeks, Monday first; None outside the month."""

    def cell(day: date) -> Cell:
        kind = specials[day].kind if day in specials else "" if work.is_working(day) else "off"
        is_known = work.covered_until is None or day <= work.covered_until
        return Cell(day, kind, day == today, day > today, is_known)

    months = [Months().monthdatescalendar(year, month) for month in range(1, 13)]
    return [
        [[cell(day) if day.month == month else None for day in week] for week in weeks]
        for month, weeks in enumerate(months, 1)
    ]


def _runs(specials: Mapping[date, CalendarDay]) -> list[tuple[CalendarDay, CalendarDay, int]]:
    """Neighbouring days of one kind as (first, last, number)."""
    rows = list(specials.values())
    keyed = groupby(enumerate(rows), lambda one: (one[1].kind, str(one[1].spans), one[1].day.toordinal() - one[0]))
    runs = [[row for _, row in run] for _, run in keyed]
    return [(run[0], run[-1], len(run)) for run in runs]


def weekly_words(weekly: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The week as (days, spans), neighbouring days of the same spans together."""
    said = []
    for spans, days in groupby(range(7), lambda day: _spans_words(weekly.get(str(day), []))):
        run = list(days)
        names = [gettext(WEEKDAYS[run[0]]), gettext(WEEKDAYS[run[-1]])]
        said.append((names[0] if len(run) == 1 else gettext("%(a)s至%(b)s", a=names[0], b=names[1]), spans))
    return said


def _spans_words(spans: Any) -> str:
    return ", ".join(f"{begin}–{end}" for begin, end in spans) or gettext("不上班")


@bp.post("/calendars/<name>/days")
@door.requires(ACT)
def set_days(name: str) -> Response | tuple[str, int]:
    """Special days, new or changed."""
    form = request.form

    def act() -> str:
        demand_centre()
        first = _told_day("first")
        last = _told_day("last") if form.get("last") else first
        days = DaysIn(name, first, last, form.get("kind", ""), _spans(form.get("spans", "")))
        done = operations.set_days(door.db(), door.scope(), days, now=door.now())
        flash(gettext("已保存 %(n)s 天。新开始的时限按新安排计算，正在计时的保持原来的到期时刻。", n=len(done)), "good")
        return url_for("admin_loop.calendar_page", name=name, year=first.year)

    return _or_again(act, name)


@bp.post("/calendars/<name>/clear")
@door.requires(ACT)
def clear_day(name: str) -> Response | tuple[str, int]:
    """A special day follows the week again."""

    def act() -> str:
        demand_centre()
        day = _told_day("first")
        operations.clear_day(door.db(), door.scope(), name, day, now=door.now())
        flash(gettext("%(day)s 已恢复为平常的一天。", day=day.isoformat()), "good")
        return url_for("admin_loop.calendar_page", name=name, year=day.year)

    return _or_again(act, name)


@bp.post("/calendars/<name>/coverage")
@door.requires(ACT)
def cover(name: str) -> Response | tuple[str, int]:
    """Holidays are known further."""

    def act() -> str:
        demand_centre()
        until = _told_day("until")
        operations.cover(door.db(), door.scope(), name, until, now=door.now())
        flash(gettext("假日安排已登记到 %(day)s。", day=until.isoformat()), "good")
        return url_for("admin_loop.calendar_page", name=name)

    return _or_again(act, name)


def _or_again(act: Any, name: str) -> Response | tuple[str, int]:
    try:
        answer = once(act)
    except Invalid as refused:
        door.db().rollback()
        return _calendar(name, errors=by_field(refused)), 422
    calendars.forget()  # what another request read before the commit
    return answer


def by_field(refused: Invalid) -> dict[str, str]:
    """The refusal's sentences in the reader's language, by field; '' for what belongs to none."""
    said = {error["field"]: told(error["sentence"]) for error in reversed(refused.errors)}  # the first of a field
    return said or {"": told(refused)}


def _told_day(field: str) -> date:
    day = _day(request.form.get(field, ""))
    if day is None:
        sentence = say("请填日期，例如 2027-01-01。")
        raise Invalid(sentence, [{"field": field, "sentence": sentence}])
    return day


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if YEARS[0] <= found.year <= YEARS[1] else None


def _spans(text: str) -> tuple[tuple[str, str], ...]:
    """`09:00-12:00, 13:30-18:00` as pairs; what is no span stays for the rule to refuse."""
    plain = text.replace("，", ",").replace("、", ",").replace("：", ":")
    for dash in "–—~～至到":
        plain = plain.replace(dash, "-")
    parts = (part.strip().partition("-") for part in plain.split(",") if part.strip())
    return tuple((begin.strip(), end.strip()) for begin, _, end in parts)


def _today(zone: str) -> date:
    return door.now().astimezone(ZoneInfo(zone)).date()


def demand_centre() -> None:
    """Calendars and policies hold for all units, so that one province's administrator neither sees nor changes them."""
    if not door.scope().reach(ACT).is_everything:
        raise Forbidden(say("工作日历和时限策略由集团中心管理。"))
