"""What everybody may see of voices: the board of rants, and one's own voice by its receipt."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import cast, literal, tuple_
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import Session, col, select

from analysis import segment
from experience.readers.operations import use_current
from experience.voices import duplicates, intake, search
from experience.voices.tables import Voice

#: How far back a rant being written is compared.
SIMILAR_WINDOW = timedelta(days=180)
#: Newest rants with a word in common that are compared.
COMPARED = 300
#: Share of the telling words of the shorter text that two similar rants have in common.
SIMILAR_SHARE = 0.5
#: Words that many rants share whatever they are about.
_GENERAL = frozenset(
    re.findall(
        "..",
        "一个两个小时分钟半天一直没有不到可以现在时候什么怎么已经还是就是今天昨天知道这个那个你们我们他们自己真的希望",
    )
)


@dataclass(frozen=True, slots=True)
class BoardCard:
    """A rant as everybody sees it: masked, without anything about its author."""

    code: str
    text: str
    at: datetime
    touchpoint: str
    mood: int | None
    state: str
    reply: str
    votes: int


def _card(voice: Voice) -> BoardCard:
    return BoardCard(
        code=voice.code,
        text=voice.masked,
        at=voice.at,
        touchpoint=voice.touchpoint,
        mood=voice.mood,
        state=voice.board_state,
        reply=voice.board_reply,
        votes=voice.votes,
    )


def board(
    session: Session, *, state: str = "", touchpoint: str = "", sort: str = "new", cursor: str = "", limit: int = 20
) -> tuple[list[BoardCard], str | None]:
    """A page of the board, newest or most voted first, and the next cursor. Raises Invalid for a strange cursor."""
    order = (col(Voice.votes), col(Voice.id)) if sort == "votes" else (col(Voice.at), col(Voice.id))
    chosen = select(Voice).where(col(Voice.board_state) != "hidden")
    if state:
        chosen = chosen.where(col(Voice.board_state) == state)
    if touchpoint:
        chosen = chosen.where(col(Voice.touchpoint) == touchpoint)
    if cursor:
        head, id = search.place(cursor, (int, int)) if sort == "votes" else search.moment(cursor)
        chosen = chosen.where(tuple_(*order) < tuple_(literal(head), literal(id)))
    voices = session.exec(chosen.order_by(*(column.desc() for column in order)).limit(limit + 1)).all()
    shown = [_card(voice) for voice in voices[:limit]]
    if len(voices) <= limit:
        return shown, None
    last = voices[limit - 1]
    return shown, search.cursor(last.votes if sort == "votes" else last.at.isoformat(), last.id or 0)


def similar(session: Session, text: str, *, now: datetime, limit: int = 3) -> Sequence[BoardCard]:
    """Rants on the board that speak of the same as this text, nearest first."""
    use_current(session)
    telling = _telling(text)
    if len(telling) < 2:
        return []
    query = search.any_of(sorted(telling))
    matching = (
        select(Voice)
        .where(col(Voice.board_state).in_(("received", "working", "solved")))
        .where(col(Voice.tokens).op("@@")(cast(query, TSQUERY)), col(Voice.at) > now - SIMILAR_WINDOW)
    )
    voices = session.exec(matching.order_by(col(Voice.at).desc()).limit(COMPARED)).all()
    scored = [(_overlap(telling, _telling(voice.masked)), voice) for voice in voices]
    near = sorted(
        (s for s in scored if s[0] >= SIMILAR_SHARE), key=lambda s: (-s[0], -s[1].votes, -s[1].at.timestamp())
    )
    folds = duplicates.folded((i, voice.fingerprint) for i, (_, voice) in enumerate(near))
    return [_card(near[fold.id][1]) for fold in folds[:limit]]


def _telling(text: str) -> frozenset[str]:
    """The words of a text that say what it is about."""
    return frozenset(word for word in search.words(segment.tokens(text)) if len(word) >= 2) - _GENERAL


def _overlap(mine: frozenset[str], theirs: frozenset[str]) -> float:
    return len(mine & theirs) / max(1, min(len(mine), len(theirs)))


def solved(session: Session, *, limit: int = 20) -> list[BoardCard]:
    """Rants whose trouble was mended, newest first."""
    chosen = select(Voice).where(Voice.board_state == "solved").order_by(col(Voice.at).desc(), col(Voice.id).desc())
    return [_card(voice) for voice in session.exec(chosen.limit(limit))]


def by_receipt(session: Session, receipt: str) -> Voice | None:
    """The voice whose author holds this receipt."""
    return session.exec(select(Voice).where(Voice.receipt_hash == intake.digest(receipt))).first()
