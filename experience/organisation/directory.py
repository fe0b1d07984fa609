"""Lists of the organisation for those who administer it, and what is one's own: tokens, deputies."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_
from sqlmodel import Session, col, select

from experience.organisation.permissions import Reach, Scope
from experience.organisation.tables import ApiToken, Deputy, Grant, Unit, User


@dataclass(slots=True)
class Person:
    """A user with their grants as (unit id, unit name, role)."""

    user: User
    grants: list[tuple[int, str, str]] = field(default_factory=list)


def units(session: Session, reach: Reach, *, after: str = "", limit: int = 2000) -> list[Unit]:
    """Units within the reach in the order of the tree (by path), those after this path."""
    wanted = select(Unit).where(col(Unit.path) > after).order_by(Unit.path).limit(limit)
    if not reach.is_everything:
        wanted = wanted.where(col(Unit.id).in_(reach.unit_ids))
    return list(session.exec(wanted))


def people(session: Session, scope: Scope, *, wanted: str = "", after: str = "", limit: int = 50) -> list[Person]:
    """Users by login whose every grant is in scope, with their grants; `wanted` is part of a login or name."""
    asked = select(User).where(col(User.login) > after).order_by(User.login).limit(limit)
    if wanted:
        asked = asked.where(
            or_(col(User.login).icontains(wanted, autoescape=True), col(User.name).icontains(wanted, autoescape=True))
        )
    reach = scope.reach("organisation.edit")
    if not reach.is_everything:
        held = select(Grant.user_id).where(col(Grant.unit_id).in_(reach.unit_ids))
        outside = select(Grant.user_id).where(col(Grant.unit_id).not_in(reach.unit_ids))
        asked = asked.where(col(User.id).in_(held), col(User.id).not_in(outside))
    found = {user.id: Person(user) for user in session.exec(asked)}
    granted = select(Grant, Unit.name).join(Unit).where(col(Grant.user_id).in_(found)).order_by(Unit.path, Grant.role)
    for grant, name in session.exec(granted):
        found[grant.user_id].grants.append((grant.unit_id, name, grant.role))
    return list(found.values())


def tokens(session: Session, scope: Scope) -> Sequence[ApiToken]:
    """The caller's own live tokens, newest first."""
    own = select(ApiToken).where(ApiToken.user_id == scope.user_id, col(ApiToken.revoked_at).is_(None))
    return session.exec(own.order_by(col(ApiToken.id).desc()).limit(100)).all()


def deputies(session: Session, scope: Scope, now: datetime) -> Sequence[tuple[Deputy, User]]:
    """Whom the caller has appointed, now or later."""
    mine = select(Deputy, User).join(User, col(User.id) == Deputy.deputy_id).where(Deputy.user_id == scope.user_id)
    return session.exec(mine.where(Deputy.ends_at > now).order_by(col(Deputy.starts_at)).limit(50)).all()


def principals(session: Session, scope: Scope, now: datetime) -> Sequence[tuple[Deputy, User]]:
    """For whom the caller may act at this instant."""
    theirs = select(Deputy, User).join(User, col(User.id) == Deputy.user_id)
    current = theirs.where(Deputy.deputy_id == scope.user_id, Deputy.starts_at <= now, Deputy.ends_at > now)
    return session.exec(current.where(User.is_active).limit(50)).all()


def audited(session: Session, scope: Scope) -> list[int] | None:
    """Whose audit lines the caller reads: people with a role in a unit where they may; None for everybody's."""
    reach = scope.reach("audit.read")
    if reach.is_everything:
        return None
    return list(session.exec(select(Grant.user_id).where(col(Grant.unit_id).in_(reach.unit_ids)).distinct()))
