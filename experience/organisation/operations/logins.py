"""Log in, log out, change a password."""

import secrets
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from experience.audit.operations import record
from experience.ground.errors import Forbidden, Invalid
from experience.ground.i18n import say
from experience.organisation import credentials, queries
from experience.organisation.permissions import SYSTEM, Scope
from experience.organisation.tables import ApiToken, Login, User


def log_in(session: Session, login: str, password: str, *, now: datetime) -> str | None:
    """A fresh session key for the cookie; None for a wrong pair, which is counted, so the door commits either way.

    An unknown login and a wrong password are not told apart. Raises Forbidden while guesses are held back.
    """
    user = session.exec(select(User).where(User.login == login[:100]).with_for_update()).first()
    if user is not None:
        held = credentials.locked_until(user.failures, user.failed_at)
        if held is not None and held > now:
            seconds = int((held - now).total_seconds()) + 1
            raise Forbidden(say("密码错误次数过多，请 %(seconds)d 秒后再试。", seconds=seconds))
    fits = credentials.password_fits(password, user.password_hash if user else "")
    if user is None or not fits or not user.is_active:
        if user is not None:
            user.failures, user.failed_at = user.failures + 1, now
            session.add(user)
            record(session, SYSTEM, "log_in_refused", ("user", user.login), now=now)
        return None
    user.failures, user.failed_at = 0, None
    key = secrets.token_urlsafe(32)
    session.add(Login(key_hash=credentials.digest(key), user_id=user.id or 0, created_at=now, seen_at=now))
    record(session, Scope(user.id, user.name), "log_in", ("user", user.login), now=now)
    session.flush()
    return key


def log_out(session: Session, key: str, *, now: datetime) -> None:
    """Ends the session behind this key."""
    ended = update(Login).where(col(Login.key_hash) == credentials.digest(key), col(Login.ended_at).is_(None))
    session.execute(ended.values(ended_at=now))


def end_all(session: Session, user_id: int, *, now: datetime) -> None:
    """Ends every session of a user: after a changed password, a disabled account."""
    session.execute(
        update(Login).where(col(Login.user_id) == user_id, col(Login.ended_at).is_(None)).values(ended_at=now)
    )


def revoke_all(session: Session, user_id: int, *, now: datetime) -> None:
    """Every token of a user is worth nothing from now on: after a disabled account, a password set by somebody else."""
    live = update(ApiToken).where(col(ApiToken.user_id) == user_id, col(ApiToken.revoked_at).is_(None))
    session.execute(live.values(revoked_at=now))


def log_out_everywhere(session: Session, scope: Scope, *, now: datetime) -> None:
    """Ends every session of the caller, this one too."""
    end_all(session, scope.user_id or 0, now=now)
    record(session, scope, "log_out_everywhere", ("user", scope.user_id), now=now)


def renewed(session: Session, login: Login) -> str:
    """A fresh key for the session, told only now; the old one is worth nothing. After a change of rights."""
    key = secrets.token_urlsafe(32)
    login.key_hash = credentials.digest(key)
    session.add(login)
    return key


def change_password(session: Session, scope: Scope, old: str, new: str, *, now: datetime) -> None:
    """The caller's new password; every session ends. Raises Invalid for a wrong old one or a poor new one."""
    user = session.get_one(User, scope.user_id)
    if not credentials.password_fits(old, user.password_hash):
        raise Invalid(say("原密码不对。"), [{"field": "old", "sentence": say("原密码不对")}])
    user.password_hash = credentials.hash_password(new)
    session.add(user)
    end_all(session, user.id or 0, now=now)
    record(session, scope, "change_password", ("user", user.login), now=now)


def holder(session: Session, login: str) -> User:
    """The active user with this login. Raises Invalid when there is none."""
    user = queries.user_by_login(session, login)
    if user is None or not user.is_active:
        raise Invalid(say("没有账号 %(login)s，或已停用。", login=login))
    return user
