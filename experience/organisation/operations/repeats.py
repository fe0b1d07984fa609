"""Answer a repeated write with what was answered the first time.

The answer is stored in the transaction of the act itself: whatever is killed when, there is an answer exactly when
the act was done. An advisory lock held until the transaction's end tells that the first request is still under way.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from experience.ground.errors import Conflict, Invalid
from experience.ground.i18n import say
from experience.ground.store import run
from experience.organisation.queries import Answered, answered
from experience.organisation.tables import IdempotencyKey

#: Built once: this is written at every write of the API.
_KEPT = (
    insert(IdempotencyKey.__table__)  # type: ignore[attr-defined]
    .on_conflict_do_nothing()
    .returning(IdempotencyKey.__table__.c.key)  # type: ignore[attr-defined]
)


@dataclass(frozen=True, slots=True)
class Repeat:
    """What makes two requests the same: who, the client's key, and the fingerprint of what is asked."""

    actor: str
    key: str
    fingerprint: str


def seen_before(session: Session, repeat: Repeat, known: Answered | None = None) -> tuple[int, str] | None:
    """The status and body answered before, or None when this request is the first. `known` saves the asking.

    Raises Conflict while the first is still under way, Invalid when the key was used for something else.
    """
    found = known or answered(session, repeat.actor, repeat.key)
    if found.fingerprint is None:
        if not found.is_free:
            raise Conflict(say("同一 Idempotency-Key 的请求正在处理，请稍候再查结果。"))
        return None
    if found.fingerprint != repeat.fingerprint:
        raise Invalid(say("这个 Idempotency-Key 已用于另一个请求，请为新的请求换一个。"))
    return found.status, found.response


def remember(session: Session, repeat: Repeat, answer: tuple[int, str], *, now: datetime) -> None:
    """Stores the answer beside the act. Raises Conflict when another request with the key has just been first."""
    kept = {
        "actor": repeat.actor,
        "key": repeat.key,
        "fingerprint": repeat.fingerprint,
        "status": answer[0],
        "response": answer[1],
        "created_at": now,
    }
    if not run(session, _KEPT, kept):
        raise Conflict(say("同一 Idempotency-Key 的请求刚刚处理完，请重发以取得结果。"))
