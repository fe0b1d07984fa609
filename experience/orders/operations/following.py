"""Ask affected customers again, and take their answers: yes ends, no begins again."""

from datetime import datetime, timedelta

from sqlalchemy import func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from experience.ground.errors import Conflict, NotFound
from experience.ground.i18n import say
from experience.issues.tables import IssueSource
from experience.orders.operations.archiving import archive, follow_children, reopen
from experience.orders.operations.holding import Held, settle, step, with_surroundings
from experience.orders.tables import FollowUp, WorkOrder
from experience.organisation.permissions import SYSTEM
from experience.voices.tables import Voice

#: Customers asked of one order; more would say the same and be bothered for nothing.
MOST_ASKED = 200
#: A "no" that comes later than this after the end is kept, and begins nothing.
REOPEN_WITHIN = timedelta(days=30)


def ask_again(session: Session, found: Held, *, now: datetime) -> int:
    """Leaves a follow-up for each customer of the issue who can be reached; returns how many."""
    order = found.order
    reachable = or_(
        col(Voice.receipt_hash).is_not(None),
        col(Voice.customer_id).is_not(None),
        col(Voice.response_id).is_not(None),
        col(Voice.contact) != "",
    )
    said = (
        select(Voice.id, Voice.customer_id, Voice.device)
        .join(IssueSource, (col(IssueSource.row) == Voice.id) & (col(IssueSource.kind) == "voice"))
        .where(IssueSource.issue_id == order.issue_id, reachable)
        .order_by(col(Voice.at))
        .limit(MOST_ASKED * 2)
    )
    if found.unit.territory:
        said = said.where(col(Voice.province).in_((found.unit.territory, "")))
    people: set[object] = set()
    rows: list[dict[str, object]] = []
    for voice_id, customer_id, _device in session.exec(said):
        person = ("customer", customer_id) if customer_id else ("voice", voice_id)
        if person not in people and len(rows) < MOST_ASKED:
            people.add(person)
            rows.append(
                {
                    "order_id": order.id,
                    "cycle": order.cycle,
                    "voice_id": voice_id,
                    "customer_id": customer_id,
                    "state": "waiting",
                    "created_at": now,
                    "note": "",
                }
            )
    if rows:
        session.execute(insert(FollowUp).values(rows).on_conflict_do_nothing())
    return len(rows)


def record_followup(
    session: Session, follow_up_id: int, *, is_solved: bool, score: int | None, note: str = "", now: datetime
) -> WorkOrder:
    """The order after a customer said whether it helped. "No" begins a new cycle; the last "yes" archives.

    Raises NotFound for an unknown follow-up, Conflict when it was answered differently before.
    """
    order_id = session.exec(select(FollowUp.order_id).where(FollowUp.id == follow_up_id)).first()
    if order_id is None:
        raise NotFound(say("没有这次回访。"))
    found = with_surroundings(session, SYSTEM, order_id, now=now)  # the order first, as the clock's own acts lock it
    order = found.order
    one = session.exec(
        select(FollowUp).where(FollowUp.id == follow_up_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if one.state == "answered":
        if one.is_solved != is_solved:
            raise Conflict(say("这次回访已经回答过了。"), {"state": order.state})
        return order
    one.state, one.answered_at = "answered", now
    one.is_solved, one.score, one.note = is_solved, score, note[:2000]
    session.add(one)
    session.flush()
    if one.cycle == order.cycle and order.state in ("callback", "archived"):
        _act_on(session, found, one, now)
        follow_children(session, SYSTEM, order, now=now)
    return order


def _is_long_past(order: WorkOrder, now: datetime) -> bool:
    return order.archived_at is not None and now - order.archived_at > REOPEN_WITHIN


def _act_on(session: Session, found: Held, one: FollowUp, now: datetime) -> None:
    order = found.order
    detail = {"follow_up": one.id, "solved": one.is_solved, "score": one.score}
    if not one.is_solved and not _is_long_past(order, now):
        step(session, SYSTEM, order, "followup", now=now, detail=detail)
        reopen(session, SYSTEM, found, "reopen", reason=say("客户回访表示没有解决").template, now=now)
        return
    step(session, SYSTEM, order, "followup", now=now, detail=detail)
    settle(session, order)
    awaited = select(func.count()).where(
        FollowUp.order_id == order.id,
        FollowUp.cycle == order.cycle,
        col(FollowUp.state).in_(("waiting", "invited")),
    )
    if order.state == "callback" and session.exec(awaited).one() == 0:
        archive(session, SYSTEM, found, now=now, note=say("回访的客户都表示已解决").template)
