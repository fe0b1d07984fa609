"""Reads of the audit: newest first, by who, what, which row and when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from experience.audit.tables import AuditLine


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the audit; empty means any."""

    actor_ids: Iterable[int] | None = None
    act: str = ""
    kind: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def lines(
    session: Session, wanted: Wanted, *, after: tuple[datetime, int] | None = None, limit: int = 51
) -> list[AuditLine]:
    """Lines newest first, those after this place."""
    asked = select(AuditLine).order_by(col(AuditLine.at).desc(), col(AuditLine.id).desc()).limit(limit)
    if wanted.actor_ids is not None:
        asked = asked.where(col(AuditLine.actor_id).in_(list(wanted.actor_ids)))
    for column, value in ((AuditLine.act, wanted.act), (AuditLine.subject_kind, wanted.kind)):
        if value:
            asked = asked.where(col(column) == value)
    if wanted.subject:
        asked = asked.where(AuditLine.subject_id == wanted.subject)
    if wanted.since:
        asked = asked.where(AuditLine.at >= wanted.since)
    if wanted.until:
        asked = asked.where(AuditLine.at < wanted.until)
    if after:
        asked = asked.where(tuple_(col(AuditLine.at), col(AuditLine.id)) < after)
    return list(session.exec(asked))
