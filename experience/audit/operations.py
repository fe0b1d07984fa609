"""Write the audit: one line for every act, in the act's own transaction."""

from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import insert
from sqlmodel import Session

from experience.audit.tables import AuditLine

_LINE = insert(AuditLine.__table__)  # type: ignore[attr-defined]


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
    """Writes one audit line at once; `subject` is (kind, id or code). Never put personal data into `detail`."""
    line = {
        "at": now,
        "actor_id": scope.user_id,
        "acting_for_id": scope.acting_for_id,
        "act": act,
        "subject_kind": subject[0],
        "subject_id": str(subject[1]),
        "detail": detail or {},
        "request_id": "",
    }
    session.connection().execute(_LINE, line)
