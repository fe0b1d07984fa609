"""The public board: what stands on it, what we answered, who says "me too", and taking one's word back."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from experience.audit.operations import record
from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.voices import intake, moderation
from experience.voices.queries import demand_row_id, visible
from experience.voices.tables import Voice, Vote


def moderate(
    session: Session, scope: Scope, voice_id: int, *, now: datetime, state: str, reply: str | None = None
) -> Voice:
    """The voice with its place on the board and our answer to it; `reply=None` leaves the answer as it is.

    Raises Invalid for an unknown state or a refusal without a reason, NotFound outside the scope.
    """
    scope.demand("voices.moderate")
    demand_row_id(voice_id)
    voice = session.exec(
        select(Voice).where(Voice.id == voice_id, visible(scope, act="voices.moderate")).with_for_update()
    ).first()
    if voice is None:
        raise NotFound(say("没有这条客户原声，或不在您的范围内。"))
    answer = voice.board_reply if reply is None else intake.clean(reply)
    moderation.demand_reply(state, answer)
    detail = {"state": [voice.board_state, state], "replied": answer != voice.board_reply}
    voice.board_state, voice.board_reply = state, answer
    session.add(voice)
    record(session, scope, "voices.moderate", ("voice", voice_id), now=now, detail=detail)
    session.flush()
    return voice


def vote(session: Session, code: str, device: str, *, now: datetime) -> int:
    """How many say "me too" to this rant after this device did; voting again changes nothing.

    Raises NotFound for a rant that does not stand on the board.
    """
    voice_id = session.exec(select(Voice.id).where(Voice.code == code, Voice.board_state != "hidden")).first()
    if voice_id is None:
        raise NotFound(say("这条吐槽已不在公开区。"))
    fresh = session.execute(
        insert(Vote)
        .values(voice_id=voice_id, device=device, at=now)
        .on_conflict_do_nothing()
        .returning(col(Vote.voice_id))
    ).scalar()
    more = 1 if fresh is not None else 0
    counted = (
        update(Voice).where(col(Voice.id) == voice_id).values(votes=Voice.votes + more).returning(col(Voice.votes))
    )
    return int(session.execute(counted).scalar_one())


def withdraw(session: Session, voice_id: int) -> None:
    """Takes the voice off the board and forgets how to reach its author, at the author's own wish."""
    forgotten = {"board_state": "hidden", "contact": "", "consent": False}
    session.execute(update(Voice).where(col(Voice.id) == voice_id).values(**forgotten))


def follow_issue(session: Session, voice_ids: Sequence[int], state: str) -> None:
    """Moves rants on the board along with their issue; what was hidden, declined or folded by a person stays."""
    moved = update(Voice).where(
        col(Voice.id).in_(voice_ids), col(Voice.board_state).in_(("received", "working", "solved"))
    )
    session.execute(moved.values(board_state=state))
