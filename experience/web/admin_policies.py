"""Administration of deadline policies: the order in which they match, their limits, and when a limit would run out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import col, select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from experience.ground.errors import Invalid, NotFound
from experience.ground.i18n import say
from experience.orders import deadline, operations, soundness
from experience.orders.operations.defining import policy_in
from experience.orders.policies import TYPES
from experience.orders.queries import calendars
from experience.orders.soundness import LAST, PolicyIn
from experience.orders.tables import Policy
from experience.organisation.tables import User
from experience.web import door, kit, words
from experience.web.admin_loop import ACT, WEEKDAYS, YEARS, by_field, demand_centre
from experience.web.once import once
from experience.web.saying import told
from experience.web.words import N_

bp = Blueprint("admin_policies", __name__, url_prefix="/admin/policies")

#: When each clock starts, in the words of docs/orders.md.
STARTS = {
    "accept": N_("派单时开始，签收时停"),
    "contact": N_("派单时开始，首次联系客户时停"),
    "resolve": N_("派单时开始，回单时停；驳回后接着算"),
    "review": N_("回单交上来时开始，核验时停"),
    "callback": N_("核验通过时开始，回访有结果时停"),
    "supervise": N_("督办时开始，答复时停"),
    "dispatch": N_("退单批准时开始，重新派出时停"),
    "statutory": N_("客户首次投诉时开始，不因挂起而停"),
}
UNITS = ("wh", "wd", "nh", "nd")
KEY = {"": N_("不限"), "yes": N_("是"), "no": N_("否")}
_LONGEST_CODE = 80
_FIRST_POSITION = 15  # between the shipped policies for what is major and for complaints
#: What an empty limit is offered in; working hours for the others.
_USUAL = {"callback": "wd", "supervise": "wd", "statutory": "nd"}


@bp.get("")
@door.requires(ACT)
def index() -> str:
    """The policies in the order in which they match, and the try-out."""
    demand_centre()
    rows = calendars.policies(door.db())
    found = [policy_in(row) for row in rows]
    return render_template(
        "admin/policies.html",
        policies=[(one, conditions(one.match), soundness.shadow(one, found)) for one in found],
        versions={row.code: row.version for row in rows},
        kinds=list(STARTS),
        last=LAST,
        tried=tried(request.args),
        units=UNITS,
        unit_words=words.LIMIT_UNITS,
        calendars=[line.calendar.name for line in calendars.listed(door.db(), door.now().year)],
    )


def conditions(match: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a policy matches, as (name, values) in the reader's language."""
    said = []
    for name, wanted in match.items():
        values = wanted if isinstance(wanted, list) else [wanted]
        title, word = _WORDS[name]
        said.append((gettext(title), "、".join(word(value) for value in values)))
    return said


def _severity(value: Any) -> str:
    return str(gettext(words.SEVERITIES[value])) if value in words.SEVERITIES else str(value)


#: name in a match -> its title, and what puts a value into words
_WORDS: dict[str, tuple[str, Any]] = {
    "type": (N_("工单类型"), lambda value: gettext(words.ORDER_TYPES.get(value, value))),
    "touchpoint": (N_("触点"), kit.touchpoint_name),
    "severity": (N_("严重程度"), _severity),
    "key": (N_("关键触点"), lambda value: gettext(KEY["yes" if value else "no"])),
}


@bp.get("/new")
@door.requires(ACT)
def new() -> str:
    """A policy to be made, with the limits of the one that fits everything to begin with."""
    demand_centre()
    return _form(PolicyIn("", "", _FIRST_POSITION, {}, policy_in(_known(LAST)).clocks), 0)


@bp.get("/<code>")
@door.requires(ACT)
def policy(code: str) -> str:
    """One policy to be changed."""
    demand_centre()
    row = _known(code)
    return _form(policy_in(row), row.version)


def _known(code: str) -> Policy:
    row = door.db().get(Policy, code)
    if row is None:
        raise NotFound(say("没有这个时限策略。"))
    return row


def _form(shown: PolicyIn, version: int, *, errors: Mapping[str, str] | None = None) -> str:
    lines = calendars.versions(door.db(), shown.code) if version else []
    limits = {kind: _cut(shown.clocks.get(kind, _USUAL.get(kind, "wh"))) for kind in STARTS}
    match = {name: wanted if isinstance(wanted, list) else [wanted] for name, wanted in shown.match.items()}
    known = dict(kit.touchpoints()) | {code: kit.touchpoint_name(code) for code in match.get("touchpoint", ())}
    return render_template(
        "admin/policy.html",
        policy=shown,
        version=version,
        match=match,
        limits=limits,
        starts=STARTS,
        required=soundness.REQUIRED,
        types=list(TYPES),
        severities=words.SEVERITIES,
        touchpoints=known,
        key_words=KEY,
        key="" if "key" not in match else "yes" if match["key"][0] else "no",
        units=UNITS,
        unit_words=words.LIMIT_UNITS,
        is_last=shown.code == LAST,
        history=[(line, changed(line.detail)) for line in lines],
        names=_names({line.actor_id for line in lines if line.actor_id}),
        errors=errors or {},
    )


def _names(ids: set[int]) -> dict[int, str]:
    found = door.db().exec(select(User.id, User.name).where(col(User.id).in_(ids))) if ids else ()
    return {id: name for id, name in found if id is not None}


def changed(detail: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What a version changed of limits, as (clock, before, after); '' for none."""
    before, after = detail.get("was", {}).get("clocks", {}), detail.get("clocks", {})
    return [(kind, before.get(kind, ""), after.get(kind, "")) for kind in STARTS if before.get(kind) != after.get(kind)]


def _cut(limit: str) -> tuple[str, str]:
    unit = next((unit for unit in UNITS if limit.endswith(unit)), "wh")
    return limit.removesuffix(unit), unit


@bp.post("")
@door.requires(ACT)
def add() -> Response | tuple[str, int]:
    """A new policy."""
    return _save(_told(request.form.get("code", "").strip()[:_LONGEST_CODE]), 0)


@bp.post("/<code>")
@door.requires(ACT)
def change(code: str) -> Response | tuple[str, int]:
    """The next version of a policy."""
    version = request.form.get("version", "")
    shown = _told(code)
    if code == LAST:  # its place is the last, whatever a form says
        shown = replace(shown, position=_known(code).position, match={})
    return _save(shown, int(version) if version.isdecimal() and len(version) < 10 else -1)  # noqa: PLR2004 -- an int


def _save(shown: PolicyIn, version: int) -> Response | tuple[str, int]:
    def act() -> str:
        demand_centre()
        saved = operations.save_policy(door.db(), door.scope(), shown, version=version, now=door.now())
        sentence = gettext("策略“%(name)s”现在是第 %(version)s 版。正在计时的时限不变，之后开始的按新版。")
        flash(sentence % {"name": saved.name, "version": saved.version}, "good")
        return url_for("admin_policies.index")

    try:
        return once(act)
    except Invalid as refused:
        door.db().rollback()
        return _form(shown, version, errors=by_field(refused)), 422


def _told(code: str) -> PolicyIn:
    form = request.form
    position = form.get("position", "").strip()
    limits = {kind: form.get(f"clock-{kind}", "").strip()[:12] for kind in STARTS}
    return PolicyIn(
        code=code,
        name=form.get("name", "").strip()[: soundness.MOST_NAME + 1],
        position=int(position) if position.isdecimal() and len(position) < 10 else 0,  # noqa: PLR2004 -- an int
        match=_match(form),
        clocks={kind: f"{limit}{form.get(f'unit-{kind}', '')[:3]}" for kind, limit in limits.items() if limit},
    )


def _match(form: MultiDict[str, str]) -> dict[str, Any]:
    """Only what is known; one value stands alone, several are a list."""
    touchpoints = [code[:80] for code in form.getlist("touchpoint")][:100]
    wanted: dict[str, list[Any]] = {
        "type": [code for code in form.getlist("type") if code in TYPES],
        "touchpoint": touchpoints,
        "severity": [n for n in words.SEVERITIES if str(n) in form.getlist("severity")],
        "key": {"yes": [True], "no": [False]}.get(form.get("key", ""), []),
    }
    return {name: values[0] if len(values) == 1 else values for name, values in wanted.items() if values}


@dataclass(frozen=True, slots=True)
class Tried:
    """What was asked of the try-out, and its answer or what is wrong with it, by field."""

    at: str
    amount: str
    unit: str
    calendar: str
    answer: dict[str, Any] | None
    errors: dict[str, str]


def tried(args: Mapping[str, str]) -> Tried:
    """When a limit that starts at an instant (wall clock of the calendar) runs out: `deadline.calculate`'s answer."""
    local = door.now().astimezone(ZoneInfo("Asia/Shanghai"))
    at, amount = args.get("at", "") or local.strftime("%Y-%m-%dT%H:%M"), args.get("amount", "").strip()[:10] or "8"
    unit, name = args.get("unit", "wh"), args.get("calendar", "") or "cn-office"
    is_asked = args.get("amount") is not None
    answer, errors = _calculated(at, f"{amount}{unit}", name) if is_asked else (None, {})
    return Tried(at, amount, unit, name, answer, errors)


def _calculated(at: str, limit: str, name: str) -> tuple[dict[str, Any] | None, dict[str, str]]:
    try:
        days = calendars.calendar(door.db(), name)
    except NotFound as refused:
        return None, {"calendar": told(refused)}
    start = _local(at)
    if start is None:
        return None, {"at": gettext("请填起算时刻，例如 2026-11-23 10:00。")}
    try:
        found = deadline.calculate(start.replace(tzinfo=ZoneInfo(days.zone)), limit, days)
    except Invalid:
        return None, {"amount": told(soundness.UNREADABLE)}
    except ValueError:  # the calendar's stretches end
        return None, {"amount": gettext("三十年内都走不完：请缩短时限，或检查日历有没有上班时间。")}
    return _read(found), {}


def _local(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if YEARS[0] <= at.year <= YEARS[1] else None


def _read(found: dict[str, Any]) -> dict[str, Any]:
    """The answer with its instants as (wall clock, weekday), and the due among the marks at 100 %."""
    read: dict[str, Any] = {name: _wall(found[name]) for name in ("due", "legal", "internal") if name in found}
    marks = {int(level): _wall(at) for level, at in found["marks"].items()} | {100: read["due"]}
    return {**found, **read, "marks": sorted(marks.items())}


def _wall(instant: str) -> tuple[str, str, str]:
    at = datetime.fromisoformat(instant)
    return at.strftime("%Y-%m-%d %H:%M"), gettext(WEEKDAYS[at.weekday()]), instant
