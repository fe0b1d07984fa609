"""Write the audit: one line for every act, in the act's own transaction."""

from datetime import datetime
from typing import Any, Protocol

from sqlmodel import Session

from experience.audit.tables import AuditLine


class Actor(Protocol):
    """Who acts: every `organisation.permissions.Scope` is one. Stated here because organisation lies above audit."""

    @property
    def user_id(self) -> int | None:
        """The user, or None for the system."""

    @property
    def acting_for_id(self) -> int | None:
        """The user deputised for, if any."""


def record(
    session: Session,
    scope: Actor,
    act: str,
    subject: tuple[str, object],
    *,
    now: datetime,
    detail: dict[str, Any] | None = None,
) -> None:
    """Adds one audit line; `subject` is (kind, id or code). Never put personal data into `detail`."""
    session.add(
        AuditLine(
            at=now,
            actor_id=scope.user_id,
            acting_for_id=scope.acting_for_id,
            act=act,
            subject_kind=subject[0],
            subject_id=str(subject[1]),
            detail=detail or {},
        )
    )
