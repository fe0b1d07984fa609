"""Reads of the organisation: who is calling and what they may see; one user or unit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import false, or_
from sqlmodel import Session, col, select

from experience.ground.errors import Forbidden
from experience.ground.i18n import say
from experience.organisation.credentials import digest
from experience.organisation.permissions import Reach, RoleHeld, Scope
from experience.organisation.tables import ApiToken, Deputy, Grant, Login, Unit, User

#: The centre's path has as many strokes, `/1/`; every other unit lies under it.
_ROOT = 2
#: The reach of each of these paths of units; a door may remember them for a few seconds.
Reaching = Callable[[tuple[str, ...]], Mapping[str, Reach]]
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


def scope_from(user: User, granted: Granted, reaching: Reaching, *, token_scopes: Iterable[str] = ()) -> Scope:
    """The scope that these grants give the user: each role with the reach of its own unit."""
    found = reaching(tuple(sorted({unit.path for _, unit in granted})))
    held = tuple(RoleHeld(role, found[unit.path]) for role, unit in granted)
    return Scope(user_id=user.id, name=user.name, held=held, token_scopes=frozenset(token_scopes))


def subtrees(session: Session, paths: Sequence[str]) -> dict[str, Reach]:
    """The reach of each of these paths: every unit at or under it; the centre's, which is everything, has no list."""
    under = [col(Unit.path).startswith(path) for path in paths if path.count("/") > _ROOT]
    asked = select(Unit.path, Unit.id, Unit.territory, Unit.product_line).where(or_(false(), *under))
    rows = session.exec(asked).all() if under else ()
    return {path: _reach(path, [row for row in rows if row[0].startswith(path)]) for path in paths}


def _reach(path: str, rows: Sequence[Any]) -> Reach:
    """The centre's people are no members of the units below, so its reach names none."""
    home = frozenset({int(path.rstrip("/").rpartition("/")[2])})
    if path.count("/") == _ROOT:
        return Reach(home_unit_ids=home, is_everything=True)
    return Reach(
        unit_ids=frozenset(id for _, id, _, _ in rows if id is not None),
        territories=frozenset(territory for _, _, territory, _ in rows if territory),
        product_lines=frozenset(line for _, _, _, line in rows if line),
        home_unit_ids=home,
    )


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
