"""Reads of the organisation: who is calling and what they may see; one user or unit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, false, or_
from sqlmodel import Session, col, select

from experience.ground.errors import Forbidden
from experience.ground.i18n import say
from experience.ground.store import metadata
from experience.organisation.credentials import digest
from experience.organisation.permissions import Reach, RoleHeld, Scope
from experience.organisation.tables import Deputy, Grant, Unit, User

#: The centre's path has as many strokes, `/1/`; every other unit lies under it.
_ROOT = 2
#: The reach of each of these paths of units; a door may remember them for a few seconds.
Reaching = Callable[[tuple[str, ...]], Mapping[str, Reach]]
#: Roles, each with the path of the unit it was granted in.
Granted = Sequence[tuple[str, str]]


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
    held = held_by(session, acting_for_id or user.id, lambda paths: subtrees(session, paths))
    return Scope(user.id, user.name, held, acting_for_id, frozenset(token_scopes))


def held_by(session: Session, user_id: int, reaching: Reaching) -> tuple[RoleHeld, ...]:
    """The user's roles, each with its reach."""
    wanted = select(Grant.role, Unit.path).join(Unit).where(Grant.user_id == user_id, Unit.is_active)
    return roles_held(session.exec(wanted).all(), reaching)


def roles_held(granted: Granted, reaching: Reaching) -> tuple[RoleHeld, ...]:
    """Each role with the reach of its own unit."""
    found = reaching(tuple(sorted({path for _, path in granted})))
    return tuple(RoleHeld(role, found[path]) for role, path in granted)


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


_USER, _UNIT, _GRANT, _TOKEN, _LOGIN, _REPEAT = (
    metadata.tables[name] for name in ("user_account", "unit", "grant_of_role", "api_token", "login", "idempotency_key")
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What is known of an `Idempotency-Key`: whether this request holds its lock, and what was answered before."""

    is_free: bool
    fingerprint: str | None
    status: int
    response: str


def _answered(actor: Any, key: Any) -> tuple[Any, ...]:
    """Columns of `Answered`; the lock lasts until the transaction ends."""
    free = sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(actor + "\n" + key, 0))
    return free.label("is_free"), _REPEAT.c.fingerprint, _REPEAT.c.status, _REPEAT.c.response


@dataclass(frozen=True, slots=True)
class Caller:
    """Who came in: the user, the row of `login` or `api_token` they came by and when it was last used, their grants."""

    id: int
    name: str
    locale: str
    door_id: int
    seen_at: datetime | None
    granted: Granted
    scopes: tuple[str, ...] = ()
    is_login: bool = False
    acting_for_id: int | None = None
    answered: Answered | None = None


def _callers(door: Any, *columns: Any) -> Any:
    """Reads everything about a caller at once, and makes no row object: it runs at every request."""
    joined = door.join(_USER, (_USER.c.id == door.c.user_id) & _USER.c.is_active)
    joined = joined.outerjoin(_GRANT, _GRANT.c.user_id == _USER.c.id)
    joined = joined.outerjoin(_UNIT, (_UNIT.c.id == _GRANT.c.unit_id) & _UNIT.c.is_active)
    who = (_USER.c.id, _USER.c.name, _USER.c.locale, door.c.id.label("door_id"), *columns)
    return sa.select(*who, _GRANT.c.role, _UNIT.c.path).select_from(joined)


_BY_TOKEN = _callers(_TOKEN, _TOKEN.c.last_used_at.label("seen_at"), _TOKEN.c.scopes).where(
    _TOKEN.c.token_hash == bindparam("hash"), _TOKEN.c.revoked_at.is_(None)
)
_KEY, _CALLER = bindparam("key", type_=sa.Text), sa.literal("user:") + sa.cast(_USER.c.id, sa.Text)
_BY_TOKEN_WITH_KEY = _BY_TOKEN.add_columns(*_answered(_CALLER, _KEY)).outerjoin(
    _REPEAT, (_REPEAT.c.actor == _CALLER) & (_REPEAT.c.key == _KEY)
)
_ACTOR = bindparam("actor", type_=sa.Text)
_ANSWERED = sa.select(*_answered(_ACTOR, _KEY)).select_from(
    sa.select(sa.literal(1)).subquery().outerjoin(_REPEAT, (_REPEAT.c.actor == _ACTOR) & (_REPEAT.c.key == _KEY))
)
_BY_LOGIN = _callers(_LOGIN, _LOGIN.c.seen_at, _LOGIN.c.acting_for_id).where(
    _LOGIN.c.key_hash == bindparam("hash"),
    _LOGIN.c.ended_at.is_(None),
    _LOGIN.c.seen_at > bindparam("seen_after"),
    _LOGIN.c.created_at > bindparam("born_after"),
)


def caller_by_login(session: Session, key: str, now: datetime, *, idle: timedelta, longest: timedelta) -> Caller | None:
    """Who holds this cookie's key, with the browser session open and the user active; or None."""
    asked = {"hash": digest(key), "seen_after": now - idle, "born_after": now - longest}
    rows = session.connection().execute(_BY_LOGIN, asked).all()
    return _caller(rows, is_login=True, acting_for_id=rows[0].acting_for_id) if rows else None


def caller_by_token(session: Session, token: str, key: str | None = None) -> Caller | None:
    """Who holds this bearer token, with the token live and the user active; or None.

    With the request's `Idempotency-Key` the same statement asks what was answered to it: a statement less a write.
    """
    statement, asked = (_BY_TOKEN, {}) if key is None else (_BY_TOKEN_WITH_KEY, {"key": key})
    rows = session.connection().execute(statement, {"hash": digest(token), **asked}).all()
    if not rows:
        return None
    answered = None if key is None else Answered(*rows[0][-4:])
    return _caller(rows, scopes=tuple(rows[0].scopes), answered=answered)


def answered(session: Session, actor: str, key: str) -> Answered:
    """What is known of the key this actor sent."""
    return Answered(*session.connection().execute(_ANSWERED, {"actor": actor, "key": key}).one())


def _caller(rows: Sequence[Any], **more: Any) -> Caller:
    first = rows[0]
    granted = [(row.role, row.path) for row in rows if row.path is not None]
    return Caller(first.id, first.name, first.locale, first.door_id, first.seen_at, granted, **more)


def user_by_login(session: Session, login: str) -> User | None:
    """The user with this login name, active or not."""
    return session.exec(select(User).where(User.login == login)).first()


def unit_by_code(session: Session, code: str) -> Unit | None:
    """The unit with this code."""
    return session.exec(select(Unit).where(Unit.code == code)).first()
