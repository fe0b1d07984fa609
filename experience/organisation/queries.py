"""Reads of the organisation: who is calling and what they may see, units, users, tokens."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import or_
from sqlmodel import Session, col, select

from experience.ground.errors import Forbidden
from experience.ground.i18n import say
from experience.organisation.credentials import digest
from experience.organisation.permissions import Scope
from experience.organisation.tables import ApiToken, Deputy, Grant, Login, Unit, User


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
    units = {unit.id: unit for _, unit in granted}
    is_everything = any(unit.kind == "centre" for unit in units.values())
    reached = [] if is_everything else _subtrees(session, [unit.path for unit in units.values()])
    return Scope(
        user_id=user.id,
        name=user.name,
        roles=frozenset(role for role, _ in granted),
        unit_ids=frozenset(unit.id for unit in reached if unit.id is not None),
        home_unit_ids=tuple(sorted(id for id in units if id is not None)),
        territories=frozenset(unit.territory for unit in reached if unit.territory),
        product_lines=frozenset(unit.product_line for unit in reached if unit.product_line),
        is_everything=is_everything,
        acting_for_id=acting_for_id,
        token_scopes=frozenset(token_scopes),
    )


def _subtrees(session: Session, paths: list[str]) -> list[Unit]:
    if not paths:
        return []
    return list(session.exec(select(Unit).where(or_(*(col(Unit.path).startswith(path) for path in paths)))))


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
) -> tuple[Login, User] | None:
    """The open browser session behind a cookie's key, with its active user; None when over, idle or ended."""
    return session.exec(
        select(Login, User)
        .join(User, col(User.id) == Login.user_id)
        .where(
            Login.key_hash == digest(key),
            col(Login.ended_at).is_(None),
            Login.seen_at > now - idle,
            Login.created_at > now - longest,
            User.is_active,
        )
    ).first()


def token_of(session: Session, token: str) -> tuple[ApiToken, User] | None:
    """The live token behind a bearer string, with its active user."""
    return session.exec(
        select(ApiToken, User)
        .join(User, col(User.id) == ApiToken.user_id)
        .where(ApiToken.token_hash == digest(token), col(ApiToken.revoked_at).is_(None), User.is_active)
    ).first()


def user_by_login(session: Session, login: str) -> User | None:
    """The user with this login name, active or not."""
    return session.exec(select(User).where(User.login == login)).first()


def unit_by_code(session: Session, code: str) -> Unit | None:
    """The unit with this code."""
    return session.exec(select(Unit).where(Unit.code == code)).first()
