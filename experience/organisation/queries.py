"""Reads of the organisation: who is calling and what they may see; one user or unit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from experience.ground.errors import Forbidden
from experience.ground.i18n import say
from experience.organisation.credentials import digest
from experience.organisation.permissions import Scope
from experience.organisation.tables import ApiToken, Deputy, Grant, Login, Unit, User


@dataclass(frozen=True, slots=True)
class Reached:
    """A unit in somebody's reach; a plain value, so that it may outlive the session that read it."""

    id: int
    territory: str
    product_line: str


#: The units under these paths; a door may remember them for a few seconds.
Reach = Callable[[tuple[str, ...]], Sequence["Reached"]]
Granted = Sequence[tuple[str, Unit]]


def scope_of(
    session: Session,
    user: User,
    now: datetime,
    *,
    acting_for_id: int | None = None,
    token_scopes: Iterable[str] = (),
) -> Scope:
    """What the user may see and do now: own grants, or those of the colleague they deputise for at this instant.

    Raises Forbidden when `acting_for_id` has not appointed the user for this instant.
    """
    assert user.id is not None
    if acting_for_id is not None and not may_act_for(session, user.id, acting_for_id, now):
        raise Forbidden(say("您的代理期限已过或未被授权代理，请切换回本人身份。"))
    granted = session.exec(
        select(Grant.role, Unit).join(Unit).where(Grant.user_id == (acting_for_id or user.id), Unit.is_active)
    ).all()
    made = scope_from(user, granted, lambda paths: subtrees(session, paths), token_scopes=token_scopes)
    return replace(made, acting_for_id=acting_for_id)


def scope_from(user: User, granted: Granted, reach: Reach, *, token_scopes: Iterable[str] = ()) -> Scope:
    """The scope that these grants give the user."""
    units = {unit.id: unit for _, unit in granted}
    is_everything = any(unit.kind == "centre" for unit in units.values())
    reached = [] if is_everything else reach(tuple(sorted(unit.path for unit in units.values())))
    return Scope(
        user_id=user.id,
        name=user.name,
        roles=frozenset(role for role, _ in granted),
        unit_ids=frozenset(unit.id for unit in reached),
        home_unit_ids=tuple(sorted(id for id in units if id is not None)),
        territories=frozenset(unit.territory for unit in reached if unit.territory),
        product_lines=frozenset(unit.product_line for unit in reached if unit.product_line),
        is_everything=is_everything,
        token_scopes=frozenset(token_scopes),
    )


def subtrees(session: Session, paths: Sequence[str]) -> list[Reached]:
    """Every unit at or under one of the paths."""
    if not paths:
        return []
    under = or_(*(col(Unit.path).startswith(path) for path in paths))
    return [
        Reached(id or 0, *rest)
        for id, *rest in session.exec(select(Unit.id, Unit.territory, Unit.product_line).where(under))
    ]


def may_act_for(session: Session, deputy_id: int, user_id: int, now: datetime) -> bool:
    """Whether `user_id`, still active, has appointed this deputy for this instant."""
    appointed = select(Deputy.id).join(User, col(User.id) == Deputy.user_id)
    return (
        session.exec(
            appointed.where(
                Deputy.deputy_id == deputy_id,
                Deputy.user_id == user_id,
                Deputy.starts_at <= now,
                Deputy.ends_at > now,
                User.is_active,
            )
        ).first()
        is not None
    )


def login_of(
    session: Session, key: str, now: datetime, *, idle: timedelta, longest: timedelta
) -> tuple[Login, User, Granted] | None:
    """The open browser session behind a cookie's key, its active user and grants, in one statement; or None."""
    is_open = (
        Login.key_hash == digest(key),
        col(Login.ended_at).is_(None),
        Login.seen_at > now - idle,
        Login.created_at > now - longest,
    )
    rows = session.exec(
        _with_grants(select(Login, User, Grant.role, Unit), Login).where(*is_open, User.is_active)
    ).all()
    return (rows[0][0], rows[0][1], _granted(rows)) if rows else None


def token_of(session: Session, token: str) -> tuple[ApiToken, User, Granted] | None:
    """The live token behind a bearer string, its active user and grants, in one statement; or None."""
    is_live = (ApiToken.token_hash == digest(token), col(ApiToken.revoked_at).is_(None), User.is_active)
    rows = session.exec(_with_grants(select(ApiToken, User, Grant.role, Unit), ApiToken).where(*is_live)).all()
    return (rows[0][0], rows[0][1], _granted(rows)) if rows else None


def _with_grants(selected: Any, door: type[Login] | type[ApiToken]) -> Any:
    joined = selected.join(User, col(User.id) == door.user_id).outerjoin(Grant, col(Grant.user_id) == User.id)
    return joined.outerjoin(Unit, (col(Unit.id) == Grant.unit_id) & col(Unit.is_active))


def _granted(rows: Sequence[Any]) -> Granted:
    return [(role, unit) for _, _, role, unit in rows if unit is not None]


def user_by_login(session: Session, login: str) -> User | None:
    """The user with this login name, active or not."""
    return session.exec(select(User).where(User.login == login)).first()


def unit_by_code(session: Session, code: str) -> Unit | None:
    """The unit with this code."""
    return session.exec(select(Unit).where(Unit.code == code)).first()
