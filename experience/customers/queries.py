"""Reads about customers and about how often we reached for them."""

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy
from sqlalchemy import ColumnElement, and_, func, literal, or_
from sqlmodel import Session, col, select

from experience.customers.contact_policy import Facts, Settings
from experience.customers.tables import Approach, Customer
from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope

SHOWN = ("reserved", "shown", "answered", "dismissed")
#: A survey on the screen that was neither answered nor closed stops standing in the way after this long.
ON_SCREEN = timedelta(minutes=30)


def visible(scope: Scope, act: str = "customers.read") -> ColumnElement[bool]:
    """The customers of the provinces where the caller holds the act, the erased left out."""
    kept, reach = col(Customer.erased_at).is_(None), scope.reach(act)
    return kept if reach.is_everything else and_(kept, col(Customer.province).in_(reach.territories))


def customer(session: Session, scope: Scope, ref: str) -> Customer:
    """The customer under the operator's own id. Raises NotFound outside the scope."""
    found = session.exec(select(Customer).where(Customer.ref == ref, visible(scope))).first()
    if found is None:
        raise NotFound(say("没有这位客户，或不在您的范围内。"))
    return found


def with_past(session: Session, facts: Facts, settings: Settings, now: datetime, *, device: str, sitting: str) -> Facts:
    """The facts with what the ledger knows of this person, under their own name or this device; one statement."""
    is_this, is_shown = col(Approach.what) == facts.what, col(Approach.verdict).in_(SHOWN)
    is_here = and_(col(Approach.session) == sitting, literal(sitting) != "")
    is_dismissed, moved_at = col(Approach.verdict) == "dismissed", col(Approach.changed_at)
    found = session.execute(
        sqlalchemy.select(
            func.count().filter(is_this, is_shown),
            func.max(moved_at).filter(is_this, col(Approach.verdict) == "answered"),
            func.max(col(Approach.at)).filter(is_shown),
            func.count().filter(is_shown, is_here),
            func.count().filter(is_dismissed, moved_at > now - timedelta(days=settings.dismiss_backoff_days)),
            func.count().filter(_is_on_screen(now)),
        ).where(_is_of(facts.subject, device), col(Approach.verdict) != "refused")
    ).one()
    return replace(
        facts,
        shows=found[0],
        answered_at=found[1],
        last_shown_at=found[2],
        shows_in_session=found[3],
        dismissals=found[4],
        is_being_asked=found[5] > 0,
    )


def _is_of(subject: str, device: str) -> ColumnElement[bool]:
    by_name = col(Approach.subject) == subject
    return or_(by_name, col(Approach.device) == device) if device else by_name


def _is_on_screen(now: datetime) -> ColumnElement[bool]:
    on_screen = and_(col(Approach.verdict) == "shown", col(Approach.changed_at) > now - ON_SCREEN)
    return or_(col(Approach.verdict) == "reserved", on_screen)
