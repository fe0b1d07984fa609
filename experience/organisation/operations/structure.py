"""Units, users and their roles: made or brought up to date."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.organisation import credentials
from experience.organisation.operations.logins import end_all, revoke_all
from experience.organisation.permissions import ROLES
from experience.organisation.tables import UNIT_KINDS, Grant, Unit, User


@dataclass(frozen=True, slots=True)
class UnitIn:
    """A unit as a setup document or an administrator describes it; `parent` is a code, '' for the centre."""

    code: str
    name: str
    kind: str
    parent: str = ""
    territory: str = ""
    product_line: str = ""
    internal_review: bool = False
    calendar: str = "cn-office"


def ensure_unit(session: Session, told: UnitIn) -> Unit:
    """The unit under this code, new or brought up to date.

    Raises Invalid for an unknown kind or parent, a second centre, or a unit moved to another parent.
    """
    if told.kind not in UNIT_KINDS:
        raise Invalid(say("单位 %(code)s 的类型“%(kind)s”不认识。", code=told.code, kind=told.kind))
    known = session.exec(select(Unit).where(Unit.code == told.code)).first()
    parent = session.exec(select(Unit).where(Unit.code == told.parent)).first() if told.parent else None
    if (told.kind == "centre") != (parent is None):
        raise Invalid(say("单位 %(code)s 的上级不对：只有集团中心没有上级，其他单位必须先有上级。", code=told.code))
    if known is None:
        return _new_unit(session, told, parent)
    if known.parent_id != (parent.id if parent else None) or known.kind != told.kind:
        raise Invalid(say("单位 %(code)s 已存在，不能改类型或上级。", code=told.code))
    for name in ("name", "territory", "product_line", "internal_review", "calendar"):
        setattr(known, name, getattr(told, name))
    session.add(known)
    return known


def _new_unit(session: Session, told: UnitIn, parent: Unit | None) -> Unit:
    unit = Unit(
        code=told.code,
        name=told.name,
        kind=told.kind,
        parent_id=parent.id if parent else None,
        path="",
        territory=told.territory,
        product_line=told.product_line,
        internal_review=told.internal_review,
        calendar=told.calendar,
    )
    session.add(unit)
    session.flush()
    unit.path = f"{parent.path if parent else '/'}{unit.id}/"
    session.add(unit)
    session.flush()
    return unit


@dataclass(frozen=True, slots=True)
class UserIn:
    """A user; `grants` are (unit code, role). A password is set only for a user who has none."""

    login: str
    name: str
    grants: tuple[tuple[str, str], ...]
    password: str = ""
    password_hash: str = ""
    email: str = ""


def ensure_user(session: Session, told: UserIn, *, now: datetime) -> User:
    """The user under this login, with exactly these grants. Raises Invalid for an unknown unit or role."""
    user = session.exec(select(User).where(User.login == told.login)).first()
    if user is None:
        user = User(login=told.login, name=told.name, email=told.email, created_at=now)
    user.name, user.email = told.name, told.email or user.email
    if not user.password_hash:
        user.password_hash = told.password_hash or (credentials.hash_password(told.password) if told.password else "")
    session.add(user)
    session.flush()
    _grant(session, user, told.grants)
    return user


def _grant(session: Session, user: User, grants: Iterable[tuple[str, str]]) -> None:
    wanted = set()
    for code, role in grants:
        if role not in ROLES:
            raise Invalid(say("账号 %(login)s 的角色“%(role)s”不认识。", login=user.login, role=role))
        unit_id = session.exec(select(Unit.id).where(Unit.code == code)).first()
        if unit_id is None:
            raise Invalid(say("账号 %(login)s 的单位“%(code)s”不存在。", login=user.login, code=code))
        wanted.add((unit_id, role))
    held = {(grant.unit_id, grant.role): grant for grant in session.exec(select(Grant).where(Grant.user_id == user.id))}
    for key in held.keys() - wanted:
        session.execute(delete(Grant).where(col(Grant.id) == held[key].id))
    for unit_id, role in sorted(wanted - held.keys()):
        session.add(Grant(user_id=user.id or 0, unit_id=unit_id, role=role))
    session.flush()


def set_active(session: Session, user: User, is_active: bool, *, now: datetime) -> None:
    """Disables or enables a user; disabling ends every session and token at once, for good."""
    user.is_active = is_active
    session.add(user)
    if not is_active:
        end_all(session, user.id or 0, now=now)
        revoke_all(session, user.id or 0, now=now)
