"""Write the audit: one line for every act, in the act's own transaction."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from experience.audit.tables import AuditLine
from experience.organisation.permissions import Scope


def record(
    session: Session, scope: Scope, act: str, subject: tuple[str, object], *, now: datetime, detail: dict[str, Any] | None = None
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
