"""The operator's own words and topic terms: add, take away; every process reads with them from its next batch on."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from analysis import normalise
from analysis.topics import TOPICS
from experience.audit.operations import record
from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.readers.operations.current import bump
from experience.readers.tables import OperatorWord, TopicTerm

#: So many words or terms are loaded in a quarter of a second; more would make every process wait.
MOST = 5_000
_SHORTEST, _LONGEST, _LONGEST_NAME = 2, 20, 20


def add_words(session: Session, scope: Scope, words: Iterable[str], *, now: datetime, note: str = "") -> list[str]:
    """Cuts texts with these words from now on; returns those that were not there before.

    Raises Invalid naming the first word that cannot be one, Forbidden without the act for the whole operator.
    """
    demand(scope)
    wanted = _cleaned(words)
    rows = [
        {"word": word, "note": note.strip()[:200], "added_by_id": scope.user_id, "added_at": now} for word in wanted
    ]
    upsert = insert(OperatorWord).values(rows).on_conflict_do_nothing(index_elements=["word"])
    added = sorted(session.scalars(upsert.returning(col(OperatorWord.word))))
    _changed(session, scope, "words.add", ("operator_word", ""), added, now=now)
    return added


def remove_word(session: Session, scope: Scope, word_id: int, *, now: datetime) -> str:
    """Takes a word away and returns it. Raises NotFound."""
    demand(scope)
    gone = delete(OperatorWord).where(col(OperatorWord.id) == word_id).returning(col(OperatorWord.word))
    word = session.scalars(gone).first()
    if word is None:
        raise NotFound(say("这个词已经不在词库里了，刷新页面看看。"))
    _changed(session, scope, "words.remove", ("operator_word", word_id), [word], now=now)
    return word


def add_terms(
    session: Session, scope: Scope, terms: Iterable[str], code: str, detail: str, *, now: datetime
) -> list[str]:
    """Texts with one of these terms are about `detail`, a second-level topic of `code`; returns the new or moved terms.

    A term points to one second-level topic of a first-level one: adding it again moves it. Raises Invalid.
    """
    demand(scope)
    detail = detail.strip()
    if code not in TOPICS:
        raise Invalid(say("请选择一级主题。"))
    if not 0 < len(detail) <= _LONGEST_NAME:
        raise Invalid(say("请给二级主题起一个 1 到 %(most)d 个字的名字。", most=_LONGEST_NAME))
    rows = [
        {"term": term, "code": code, "detail": detail, "added_by_id": scope.user_id, "added_at": now}
        for term in _cleaned(terms)
    ]
    upsert = insert(TopicTerm).values(rows)
    moved = upsert.on_conflict_do_update(
        index_elements=["term", "code"],
        set_={name: upsert.excluded[name] for name in ("detail", "added_by_id", "added_at")},
        where=col(TopicTerm.detail) != upsert.excluded["detail"],
    )
    added = sorted(session.scalars(moved.returning(col(TopicTerm.term))))
    _changed(session, scope, "words.add_term", ("topic", f"{code}/{detail}"), added, now=now)
    return added


def remove_term(session: Session, scope: Scope, term_id: int, *, now: datetime) -> str:
    """Takes a term away and returns it. Raises NotFound."""
    demand(scope)
    gone = delete(TopicTerm).where(col(TopicTerm.id) == term_id).returning(col(TopicTerm.term))
    term = session.scalars(gone).first()
    if term is None:
        raise NotFound(say("这个词已经不在词库里了，刷新页面看看。"))
    _changed(session, scope, "words.remove_term", ("topic_term", term_id), [term], now=now)
    return term


def demand(scope: Scope) -> None:
    """Raises Forbidden unless the words of the whole operator are theirs to change: they change everybody's reading."""
    scope.demand("words.edit")
    if not scope.reach("words.edit").is_everything:
        raise Forbidden(say("词库对全集团生效，请由集团的分析师或研判员修改。"))


def _cleaned(words: Iterable[str]) -> list[str]:
    """The words as they stand in clean texts, each once."""
    wanted = list(dict.fromkeys(_word(word) for word in words if word.strip()))
    if not wanted:
        raise Invalid(say("请至少写一个词。"))
    if len(wanted) > MOST:
        raise Invalid(say("一次最多加 %(most)d 个词。", most=MOST))
    return wanted


def _word(given: str) -> str:
    word = normalise.clean(given).text
    shown = given.strip()[:_LONGEST]
    if not _SHORTEST <= len(word) <= _LONGEST:
        raise Invalid(
            say("“%(word)s”不能作词：要有 %(least)d 到 %(most)d 个字。", word=shown, least=_SHORTEST, most=_LONGEST)
        )
    if not word.isalnum() or word.isdecimal():
        raise Invalid(say("“%(word)s”不能作词：只能有汉字、字母和数字，且不能全是数字。", word=shown))
    return word


def _changed(
    session: Session, scope: Scope, act: str, subject: tuple[str, object], words: Sequence[str], *, now: datetime
) -> None:
    """Says so to the audit and to every process; nothing when nothing changed."""
    if not words:
        return
    for table in (OperatorWord, TopicTerm):
        if session.execute(select(func.count()).select_from(table)).scalar_one() > MOST:
            raise Invalid(say("词库最多放 %(most)d 个词，请先删掉不用的。", most=MOST))
    bump(session)
    record(session, scope, act, subject, now=now, detail={"words": list(words[:50]), "count": len(words)})
