"""Administration: units, users and roles, sites, and how the system is."""

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import Session, col, select
from werkzeug.wrappers import Response

from experience.audit.operations import record
from experience.ground.errors import Conflict, Forbidden, HuishengError, Invalid, NotFound
from experience.ground.i18n import say
from experience.ground.tables import Heartbeat, JobRun, RowFailure
from experience.organisation import directory, operations
from experience.organisation.operations import UnitIn, UserIn
from experience.organisation.permissions import ROLES
from experience.organisation.tables import Grant, Unit
from experience.reports import health
from experience.touchpoints import operations as touchpoints
from experience.touchpoints.tables import Site
from experience.voices.intake import PROVINCES
from experience.web import door, words
from experience.web.errors import status_of
from experience.web.once import once
from experience.web.saying import told

bp = Blueprint("admin", __name__, url_prefix="/admin")

PAGE = 50
MOST_FAILURES = 50


@bp.get("")
@door.requires("organisation.edit")
def index() -> str:
    """The tree of units, or those of them whose name or code holds what was searched for."""
    return _units()


def _units(fault: str = "") -> str:
    found = directory.units(door.db(), door.scope().reach("organisation.edit"))
    by_id = {unit.id: unit for unit in found}
    wanted = request.args.get("q", "").strip()[:80]
    shown = [unit for unit in found if wanted.lower() in unit.name.lower() or wanted.lower() in unit.code]
    return render_template(
        "admin/units.html", units=found, shown=shown, wanted=wanted, by_id=by_id, fault=fault, **_unit_words()
    )


def _refused(page: Callable[[str], str], refused: HuishengError) -> tuple[str, int]:
    """The page again with what was typed and why it was not taken."""
    door.db().rollback()
    return page(told(refused)), status_of(refused)


def _unit_words() -> dict[str, Any]:
    return {"kinds": words.UNIT_KINDS, "provinces": PROVINCES}


@bp.get("/units/<code>")
@door.requires("organisation.edit")
def unit(code: str) -> str:
    """One unit to be changed."""
    return _unit(code)


def _unit(code: str, fault: str = "") -> str:
    return render_template("admin/unit.html", unit=_known(code), fault=fault, **_unit_words())


def _known(code: str) -> Unit:
    found = door.db().exec(select(Unit).where(Unit.code == code)).first()
    if found is None or not door.scope().reach("organisation.edit").sees_unit(found.id or 0):
        raise NotFound(say("没有这个单位。"))
    return found


@bp.post("/units")
@door.requires("organisation.edit")
def add_unit() -> Response | tuple[str, int]:
    """A new unit under another."""
    try:
        return once(lambda: _save_unit(_unit_told(request.form.get("code", "").strip()), is_new=True))
    except (Invalid, Conflict) as refused:
        return _refused(_units, refused)


@bp.post("/units/<code>")
@door.requires("organisation.edit")
def change_unit(code: str) -> Response | tuple[str, int]:
    """Changes what may be changed of a unit; its place in the tree stays."""
    known = _known(code)
    parent = door.db().get(Unit, known.parent_id) if known.parent_id else None
    kept = {"kind": known.kind, "parent": parent.code if parent else "", "calendar": known.calendar}
    try:
        return once(lambda: _save_unit(_unit_told(code, **kept), is_new=False))
    except (Invalid, Conflict) as refused:
        return _refused(partial(_unit, code), refused)


def _unit_told(code: str, *, kind: str = "", parent: str = "", calendar: str = "cn-office") -> UnitIn:
    form = request.form
    territory = form.get("territory", "")
    if territory and territory not in PROVINCES:
        raise Invalid(say("没有这个省份。"))
    return UnitIn(
        code=code[:80],
        name=form.get("name", "").strip()[:80],
        kind=kind or form.get("kind", ""),
        parent=parent or ("" if kind else form.get("parent", "")),
        territory=territory,
        product_line=form.get("product_line", "").strip()[:40],
        internal_review=bool(form.get("internal_review")),
        calendar=calendar,
    )


def _save_unit(wanted: UnitIn, *, is_new: bool) -> str:
    operations.save_unit(door.db(), door.scope(), wanted, is_new=is_new, now=door.now())
    door.forget_reach()
    flash(gettext("单位“%(name)s”已保存。", name=wanted.name), "good")
    return url_for("admin.index")


@bp.get("/users")
@door.requires("organisation.edit")
def users() -> str:
    """People by login, with their roles."""
    return _users()


def _users(**more: Any) -> str:
    wanted, after = request.args.get("q", "").strip()[:80], request.args.get("cursor", "")[:100]
    found = directory.people(door.db(), door.scope(), wanted=wanted, after=after, limit=PAGE + 1)
    following = found[PAGE - 1].user.login if len(found) > PAGE else None
    return render_template("admin/users.html", people=found[:PAGE], next=following, **_user_words(), **more)


def _user_words() -> dict[str, Any]:
    return {
        "roles": ROLES,
        "role_words": words.ROLES,
        "units": directory.units(door.db(), door.scope().reach("organisation.edit")),
    }


@bp.post("/users")
@door.requires("organisation.edit")
def add_user() -> str | tuple[str, int]:
    """A new user; their first password is on this answer only."""
    try:
        wanted = _user_told(request.form.get("login", "").strip())
        first = operations.create_user(door.db(), door.scope(), wanted, now=door.now())
    except (Invalid, Conflict) as refused:
        return _refused(lambda fault: _users(fault=fault), refused)
    door.commit()
    return _users(fresh=(wanted.login, first))


@bp.get("/users/<login>")
@door.requires("organisation.edit")
def user(login: str) -> str:
    """One user to be changed."""
    return _user(login)


def _user(login: str, **more: Any) -> str:
    found = operations.administered(door.db(), door.scope(), login)
    held = door.db().exec(select(Grant, Unit.code).join(Unit).where(Grant.user_id == found.id)).all()
    grants = sorted((code, grant.role) for grant, code in held)
    return render_template("admin/user.html", user=found, grants=grants, **_user_words(), **more)


@bp.post("/users/<login>")
@door.requires("organisation.edit")
def change_user(login: str) -> Response | tuple[str, int]:
    """Name, address, roles."""

    def act() -> str:
        operations.change_user(door.db(), door.scope(), _user_told(login), now=door.now())
        flash(gettext("账号 %(login)s 已保存。", login=login), "good")
        return url_for("admin.users")

    try:
        return once(act)
    except (Invalid, Conflict) as refused:
        return _refused(lambda fault: _user(login, fault=fault), refused)


def _user_told(login: str) -> UserIn:
    pairs = [tuple(pair.split("|", 1)) for pair in request.form.getlist("grant") if "|" in pair]
    unit_code = request.form.get("unit", "")
    pairs += [(unit_code, role) for role in request.form.getlist("role") if unit_code]
    grants = tuple(dict.fromkeys((pair[0], pair[1]) for pair in pairs))
    if not grants:
        raise Invalid(say("请至少给一个单位里的一个角色。"))
    form = request.form
    return UserIn(login, form.get("name", "").strip()[:80], grants, email=form.get("email", "").strip()[:200])


@bp.post("/users/<login>/<any(enable, disable):what>")
@door.requires("organisation.edit")
def switch_user(login: str, what: str) -> Response:
    """Disabling ends the user's sessions and tokens at once."""
    operations.switch_user(door.db(), door.scope(), login, is_active=what == "enable", now=door.now())
    door.commit()
    done = (
        gettext("账号 %(login)s 已启用。") if what == "enable" else gettext("账号 %(login)s 已停用，其会话已全部结束。")
    )
    flash(done % {"login": login}, "good")
    return redirect(url_for("admin.user", login=login), 303)


@bp.post("/users/<login>/password")
@door.requires("organisation.edit")
def reset_password(login: str) -> str:
    """A new password for who forgot theirs; it is on this answer only."""
    fresh = operations.reset_password(door.db(), door.scope(), login, now=door.now())
    door.commit()
    return _user(login, fresh=(login, fresh))


@bp.get("/sites")
@door.requires("organisation.edit")
def sites() -> str:
    """Sites that embed us, with their public keys; secrets are shown when made, never again."""
    return _sites()


def _sites(**more: Any) -> str:
    _demand_centre()
    found = door.db().exec(select(Site).order_by(Site.key).limit(500)).all()
    return render_template("admin/sites.html", sites=found, **more)


@bp.post("/sites")
@door.requires("organisation.edit")
def save_site() -> str:
    """A site with the origins of its pages; a new one, or one asked to, gets a fresh secret."""
    _demand_centre()
    form = request.form
    origins = [line.strip() for line in form.get("origins", "").split() if line.strip()][:50]
    if not form.get("name", "").strip() or not all(line.startswith(("https://", "http://")) for line in origins):
        raise Invalid(say("请填写名称；域名须以 https:// 或 http:// 开头，一行一个。"))
    key = form.get("key", "").strip()
    known = door.db().get(Site, key) if key else None
    if key and known is None:
        raise NotFound(say("没有这个接入方。"))
    key = key or f"site_{secrets.token_hex(6)}"
    secret = secrets.token_urlsafe(32) if known is None or form.get("fresh_secret") else ""
    site = touchpoints.ensure_site(door.db(), key=key, name=form["name"].strip()[:80], origins=origins, secret=secret)
    site.is_active = known is None or bool(form.get("is_active"))
    detail = {"origins": origins, "is_active": site.is_active, "secret_changed": bool(secret)}
    record(door.db(), door.scope(), "save_site", ("site", key), now=door.now(), detail=detail)
    door.commit()
    return _sites(fresh=(key, secret) if secret else None)


@bp.get("/system")
@door.requires("system.see")
def system() -> str:
    """How the jobs, the workers and the rest are."""
    session: Session = door.db()
    failures = session.exec(select(RowFailure).order_by(col(RowFailure.next_at)).limit(MOST_FAILURES)).all()
    return render_template(
        "admin/system.html",
        checks=health.checks(session, door.now()),
        runs=session.exec(select(JobRun).order_by(JobRun.job)).all(),
        failures=failures,
        workers=session.exec(select(Heartbeat).order_by(col(Heartbeat.beat_at).desc()).limit(20)).all(),
    )


def _demand_centre() -> None:
    if not door.scope().reach("organisation.edit").is_everything:
        raise Forbidden(say("接入方由集团中心管理。"))
