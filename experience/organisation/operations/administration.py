"""What an administrator does to units and people, inside the units they administer; every act is audited."""

import secrets
from datetime import datetime

from sqlmodel import Session, col, select

from experience.audit.operations import record
from experience.ground.errors import Conflict, Forbidden, Invalid, NotFound
from experience.ground.i18n import say
from experience.organisation import credentials
from experience.organisation.operations.logins import end_all, revoke_all
from experience.organisation.operations.structure import UnitIn, UserIn, ensure_unit, ensure_user, set_active
from experience.organisation.permissions import Scope
from experience.organisation.tables import Grant, Unit, User


def save_unit(session: Session, scope: Scope, told: UnitIn, *, is_new: bool, now: datetime) -> Unit:
    """The unit, new or changed. Raises Conflict for a new one whose code is taken, Forbidden outside one's units."""
    known = session.exec(select(Unit).where(Unit.code == told.code)).first()
    if is_new and known is not None:
        raise Conflict(say("单位代码 %(code)s 已被使用，请换一个。", code=told.code))
    parent = session.exec(select(Unit).where(Unit.code == told.parent)).first() if told.parent else None
    _demand_unit(scope, known or parent)
    _demand_place(scope, told, known)
    if not told.code or not told.name:
        raise Invalid(say("请填写单位的代码和名称。"))
    unit = ensure_unit(session, told)
    act = "create_unit" if is_new else "change_unit"
    record(session, scope, act, ("unit", unit.code), now=now, detail={"name": unit.name, "kind": unit.kind})
    return unit


def create_user(session: Session, scope: Scope, told: UserIn, *, now: datetime) -> str:
    """Makes a user and returns a first password, shown only now. Raises Conflict for a login that is taken."""
    if not told.login or not told.name or len(told.login) > 100:
        raise Invalid(say("请填写账号和姓名。"))
    if session.exec(select(User.id).where(User.login == told.login)).first() is not None:
        raise Conflict(say("账号 %(login)s 已存在，请换一个。", login=told.login))
    _demand_grants(session, scope, told)
    first = secrets.token_urlsafe(9)
    user = ensure_user(session, told, now=now)
    user.password_hash = credentials.hash_password(first)
    record(session, scope, "create_user", ("user", told.login), now=now, detail=_granted(told))
    session.flush()
    return first


def change_user(session: Session, scope: Scope, told: UserIn, *, now: datetime) -> User:
    """The user's name, address and exactly these grants. Raises NotFound for a user beyond one's units."""
    user = administered(session, scope, told.login)
    _demand_grants(session, scope, told)
    user = ensure_user(session, told, now=now)
    record(session, scope, "change_user", ("user", told.login), now=now, detail=_granted(told))
    return user


def switch_user(session: Session, scope: Scope, login: str, *, is_active: bool, now: datetime) -> None:
    """Enables or disables a user; disabling ends every session and token at once. Raises Conflict for oneself."""
    user = administered(session, scope, login)
    if user.id == scope.user_id:
        raise Conflict(say("不能停用自己的账号，请由另一位管理员操作。"))
    set_active(session, user, is_active, now=now)
    record(session, scope, "enable_user" if is_active else "disable_user", ("user", login), now=now)


def reset_password(session: Session, scope: Scope, login: str, *, now: datetime) -> str:
    """A new password for a user who forgot theirs, shown only now; their sessions and tokens end."""
    user = administered(session, scope, login)
    fresh = secrets.token_urlsafe(9)
    user.password_hash, user.failures, user.failed_at = credentials.hash_password(fresh), 0, None
    session.add(user)
    end_all(session, user.id or 0, now=now)
    revoke_all(session, user.id or 0, now=now)
    record(session, scope, "reset_password", ("user", login), now=now)
    return fresh


def administered(session: Session, scope: Scope, login: str) -> User:
    """The user under this login whose every grant lies in the caller's units; NotFound otherwise."""
    user = session.exec(select(User).where(User.login == login)).first()
    if user is None:
        raise NotFound(say("没有账号 %(login)s。", login=login))
    units = session.exec(select(Grant.unit_id).where(Grant.user_id == user.id)).all()
    reach = scope.reach("organisation.edit")
    if not reach.is_everything and (not units or not all(reach.sees_unit(unit) for unit in units)):
        raise NotFound(say("没有账号 %(login)s。", login=login))
    return user


def _demand_grants(session: Session, scope: Scope, told: UserIn) -> None:
    """Nobody hands out what lies outside their own units."""
    codes = {code for code, _ in told.grants}
    for unit in session.exec(select(Unit).where(col(Unit.code).in_(codes))):
        _demand_unit(scope, unit)


def _demand_unit(scope: Scope, unit: Unit | None) -> None:
    reach = scope.reach("organisation.edit")
    if reach.is_everything or (unit is not None and reach.sees_unit(unit.id or 0)):
        return
    raise Forbidden(say("这个单位不在您的管理范围内。"))


def _demand_place(scope: Scope, told: UnitIn, known: Unit | None) -> None:
    """A unit reaches the data of its province and product line: nobody gives one what lies outside their own."""
    reach = scope.reach("organisation.edit")
    kept = (known.territory, known.product_line) if known else ("", "")
    is_fine = told.territory in ("", kept[0]) or reach.sees_province(told.territory)
    if not reach.is_everything and not (is_fine and told.product_line in {"", kept[1], *reach.product_lines}):
        raise Forbidden(say("不能给单位指定您管理范围之外的省份或产品线。"))


def _granted(told: UserIn) -> dict[str, list[str]]:
    return {"grants": sorted(f"{unit}:{role}" for unit, role in told.grants)}
