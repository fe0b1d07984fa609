"""Deputies: appointed for a time, dismissed, and acting."""

from datetime import datetime, timedelta

from sqlmodel import Session

from experience.audit.operations import record
from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.ground.i18n import say
from experience.organisation import queries
from experience.organisation.operations.logins import holder, renewed
from experience.organisation.permissions import Scope
from experience.organisation.tables import Deputy, Login

LONGEST = timedelta(days=92)


def appoint(session: Session, scope: Scope, login: str, span: tuple[datetime, datetime], *, now: datetime) -> Deputy:
    """The colleague may act for the caller in this span. Raises Invalid for oneself or a span past or too long."""
    starts_at, ends_at = span
    deputy = holder(session, login)
    if deputy.id == scope.user_id:
        raise Invalid(say("不能把自己设为代理人。"))
    if not starts_at < ends_at or ends_at <= now or ends_at - starts_at > LONGEST:
        raise Invalid(say("代理时间有误：结束须晚于开始和现在，且不超过 %(days)d 天。", days=LONGEST.days))
    row = Deputy(user_id=scope.user_id or 0, deputy_id=deputy.id or 0, starts_at=starts_at, ends_at=ends_at)
    session.add(row)
    told = {"from": starts_at.isoformat(), "to": ends_at.isoformat()}
    record(session, scope, "appoint_deputy", ("user", login), now=now, detail=told)
    session.flush()
    return row


def dismiss(session: Session, scope: Scope, deputy_id: int, *, now: datetime) -> None:
    """Ends an appointment of the caller's own. Raises NotFound for another's."""
    row = session.get(Deputy, deputy_id)
    if row is None or row.user_id != scope.user_id:
        raise NotFound(say("没有这条代理安排。"))
    session.delete(row)
    record(session, scope, "dismiss_deputy", ("deputy", deputy_id), now=now)


def act_for(session: Session, scope: Scope, login: Login, user_id: int | None, *, now: datetime) -> str:
    """From now on this browser session acts for `user_id`, or for oneself again; its fresh key for the cookie.

    Raises Forbidden without leave.
    """
    if user_id is not None and not queries.may_act_for(session, scope.user_id or 0, user_id, now):
        raise Forbidden(say("对方没有授权您此时代理。"))
    login.acting_for_id = user_id
    session.add(login)
    record(session, scope, "act_for", ("user", user_id or scope.user_id), now=now)
    return renewed(session, login)
