"""API tokens: issued, shown once, revoked."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from experience.audit.operations import record
from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.ground.i18n import say
from experience.organisation import credentials
from experience.organisation.operations.logins import holder
from experience.organisation.permissions import ACTS, Scope
from experience.organisation.tables import ApiToken

_ROOMS = {act.partition(".")[0] for act in ACTS}


def issue_token(
    session: Session, scope: Scope, login: str, *, now: datetime, name: str = "", scopes: Sequence[str] = ()
) -> str:
    """A new token of this user, shown only now. `scopes` are acts (`voices.read`) or rooms (`voices`); none means all.

    Raises Invalid for an unknown user or scope, Forbidden for what the caller's own token was narrowed against.
    """
    if scope.token_scopes:
        raise Forbidden(say("令牌不能再签发令牌，请登录后操作。"))
    unknown = sorted(set(scopes) - set(ACTS) - _ROOMS)
    if unknown:
        raise Invalid(say("没有这些权限：%(unknown)s。", unknown="、".join(unknown)))
    user = holder(session, login)
    token = credentials.new_token()
    session.add(
        ApiToken(
            user_id=user.id or 0,
            name=name or "API",
            token_hash=credentials.digest(token),
            scopes=sorted(scopes),
            created_at=now,
        )
    )
    record(session, scope, "issue_token", ("user", login), now=now, detail={"name": name, "scopes": sorted(scopes)})
    session.flush()
    return token


def revoke(session: Session, scope: Scope, token_id: int, *, now: datetime) -> None:
    """The caller's token is worth nothing from now on. Raises NotFound for another's."""
    row = session.get(ApiToken, token_id)
    if row is None or row.user_id != scope.user_id:
        raise NotFound(say("没有这个令牌。"))
    row.revoked_at = now
    session.add(row)
    record(session, scope, "revoke_token", ("token", token_id), now=now)
