"""Write the audit: one line for every act, in the act's own transaction."""

from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import bindparam, insert
from sqlmodel import Session

from experience.audit.tables import AuditLine

_LINES = AuditLine.__table__  # type: ignore[attr-defined]
_NAMES = [column.name for column in _LINES.columns if not column.primary_key]
_LINE = insert(_LINES)
#: Writes an audit line as a part of another statement; its parameters are `audited(line(...))`.
LINE_BESIDE = (
    insert(_LINES)
    .values({name: bindparam(f"audit_{name}", type_=_LINES.c[name].type) for name in _NAMES})
    .cte("audit_beside")
)


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
    session.connection().execute(_LINE, line(scope, act, subject, now=now, detail=detail))


def line(
    scope: Actor, act: str, subject: tuple[str, object], *, now: datetime, detail: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The values of an audit line."""
    return {
        "at": now,
        "actor_id": scope.user_id,
        "acting_for_id": scope.acting_for_id,
        "act": act,
        "subject_kind": subject[0],
        "subject_id": str(subject[1]),
        "detail": detail or {},
        "request_id": "",
    }


def audited(values: dict[str, Any]) -> dict[str, Any]:
    """A line's values under the names `LINE_BESIDE` gives them."""
    return {f"audit_{name}": value for name, value in values.items()}
