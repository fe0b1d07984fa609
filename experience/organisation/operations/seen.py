"""Note when a caller was last seen, and that their time as somebody's deputy is over."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col

from experience.organisation.queries import Caller
from experience.organisation.tables import ApiToken, Login


def touch(session: Session, caller: Caller, *, now: datetime) -> None:
    """The session or token was used now."""
    if caller.is_login:
        session.execute(update(Login).where(col(Login.id) == caller.door_id).values(seen_at=now))
    else:
        session.execute(update(ApiToken).where(col(ApiToken.id) == caller.door_id).values(last_used_at=now))


def be_oneself(session: Session, caller: Caller) -> None:
    """The session acts for nobody any longer."""
    session.execute(update(Login).where(col(Login.id) == caller.door_id).values(acting_for_id=None))
