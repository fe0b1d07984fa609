"""The operator's words and topic terms, as lists."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, tuple_
from sqlmodel import Session, col, select

from experience.organisation.permissions import Scope
from experience.readers.tables import OperatorWord, TopicTerm


@dataclass(frozen=True, slots=True)
class Counts:
    """How many words and terms the operator has, and how many second-level topics the terms make."""

    words: int
    terms: int
    details: int


def words(
    session: Session, scope: Scope, *, q: str = "", after: int = 0, limit: int = 60
) -> tuple[Sequence[OperatorWord], int | None]:
    """The operator's words, newest first, those holding `q`; and where the next page begins, or None."""
    scope.demand("voices.read")
    chosen = select(OperatorWord).order_by(col(OperatorWord.id).desc()).limit(limit + 1)
    if q:
        chosen = chosen.where(col(OperatorWord.word).contains(q, autoescape=True))
    if after:
        chosen = chosen.where(col(OperatorWord.id) < after)
    found = session.exec(chosen).all()
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def terms(
    session: Session, scope: Scope, *, code: str = "", q: str = "", after: tuple[str, str, str] | None = None
) -> tuple[Sequence[TopicTerm], tuple[str, str, str] | None]:
    """A page of topic terms by topic; and the place after which the next begins, or None."""
    scope.demand("voices.read")
    limit = 100
    order = (col(TopicTerm.code), col(TopicTerm.detail), col(TopicTerm.term))
    chosen = select(TopicTerm).order_by(*order).limit(limit + 1)
    if code:
        chosen = chosen.where(TopicTerm.code == code)
    if q:
        chosen = chosen.where(col(TopicTerm.term).contains(q, autoescape=True))
    if after is not None:
        chosen = chosen.where(tuple_(*order) > after)
    found = session.exec(chosen).all()
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], (last.code, last.detail, last.term) if last else None


def details(session: Session, scope: Scope) -> list[tuple[str, str]]:
    """(code, second-level name) of the operator's own, to choose from."""
    scope.demand("voices.read")
    chosen = select(TopicTerm.code, TopicTerm.detail).distinct().order_by(TopicTerm.code, TopicTerm.detail)
    return [(code, detail) for code, detail in session.exec(chosen.limit(500))]


def counts(session: Session, scope: Scope) -> Counts:
    """How much there is."""
    scope.demand("voices.read")
    topics = func.count(func.distinct(tuple_(col(TopicTerm.code), col(TopicTerm.detail))))
    n_terms, n_details = session.execute(select(func.count(col(TopicTerm.id)), topics)).one()
    return Counts(session.execute(select(func.count(col(OperatorWord.id)))).scalar_one(), n_terms, n_details)
