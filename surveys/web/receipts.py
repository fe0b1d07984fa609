"""Whose receipt it is: makes survey responses known to the page that tells what became of them."""

from sqlmodel import Session, col, select

from experience.web.receipts import Answered
from surveys.tables import Publication, Response, Survey


def answered(session: Session, receipt_hash: str) -> Answered | None:
    """The response whose author holds the receipt with this SHA-256, if it is one of ours."""
    found = session.exec(
        select(Response.id, Response.at, Survey.title)
        .join(Publication, col(Publication.id) == Response.publication_id)
        .join(Survey, col(Survey.id) == Publication.survey_id)
        .where(Response.receipt_hash == receipt_hash)
    ).first()
    if found is None or found[0] is None:
        return None
    return Answered(response_id=found[0], at=found[1], title=found[2])
