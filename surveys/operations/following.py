"""Ask affected customers again: orders leaves follow-up rows, surveys invites and hands the answer back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from experience.customers import contact_policy
from experience.customers import operations as customers
from experience.customers.contact_policy import Facts
from experience.customers.tables import Customer
from experience.ground.config import settings as house
from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.orders.operations import record_followup
from experience.orders.tables import FollowUp
from experience.voices.tables import Voice
from surveys import eligibility, library, runtime
from surveys.operations.asking import current
from surveys.operations.builtin import install
from surveys.tables import Invitation, Response

LINK_DAYS = 30  # a follow-up waits on the receipt page for this long


def invite_next(session: Session, now: datetime) -> bool:
    """Turns one waiting follow-up into an invitation on the customer's receipt page; whether there was one."""
    waiting = session.exec(
        select(FollowUp)
        .where(FollowUp.state == "waiting")
        .order_by(col(FollowUp.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if waiting is None:
        return False
    install(session, library.RECHECK, now=now)
    voice = session.get_one(Voice, waiting.voice_id)
    subject, is_do_not_ask = _subject(session, waiting, voice)
    facts = Facts(subject=subject, what=library.RECHECK, channel="link", is_do_not_ask=is_do_not_ask)
    verdict = contact_policy.decide(facts, eligibility.PURPOSES["follow_up"], now)
    if not verdict.show:
        customers.approach(session, facts, "refused", now=now, reason=verdict.reason, touchpoint=voice.touchpoint)
        waiting.state = "unreachable"
    else:
        waiting.invitation_id = _invite(session, waiting, voice, facts, now)
        waiting.state = "invited"
    session.add(waiting)
    session.flush()
    return True


def _subject(session: Session, waiting: FollowUp, voice: Voice) -> tuple[str, bool]:
    customer_id = waiting.customer_id or voice.customer_id
    known = session.get(Customer, customer_id) if customer_id else None
    if known is not None:
        return f"customer:{known.ref}", known.do_not_ask
    return (f"device:{voice.device}" if voice.device else f"voice:{voice.code}"), False


def _invite(session: Session, waiting: FollowUp, voice: Voice, facts: Facts, now: datetime) -> int:
    _, out = current(session, library.RECHECK)
    token = runtime.signed(runtime.issue(library.RECHECK, out.version, "", now), house().key())
    made = Invitation(
        publication_id=out.id,
        token_hash=runtime.digest(token),  # the link is the receipt's; this token is never sent
        subject=facts.subject,
        customer_id=waiting.customer_id or voice.customer_id,
        channel="link",
        touchpoint=voice.touchpoint,
        province=voice.province,
        sample_class="follow_up",
        created_at=now,
        expires_at=now + timedelta(days=LINK_DAYS),
        follow_up_id=waiting.id,
    )
    session.add(made)
    session.flush()
    customers.approach(
        session, facts, "invited", now=now, touchpoint=voice.touchpoint, invitation_id=made.id, device=voice.device
    )
    return made.id or 0


def invited_by_receipt(session: Session, receipt: str, *, now: datetime) -> Invitation:
    """The newest follow-up that waits for the author with this receipt, of a rant or of a survey's answer.

    Raises NotFound when there is none: wrong receipt, nothing asked yet, or the time is over.
    """
    hashed = runtime.digest(receipt)
    wanted = (
        select(Invitation)
        .join(FollowUp, col(FollowUp.invitation_id) == Invitation.id)
        .join(Voice, col(Voice.id) == FollowUp.voice_id)
        .outerjoin(Response, col(Response.id) == Voice.response_id)
        .where(or_(col(Voice.receipt_hash) == hashed, col(Response.receipt_hash) == hashed))
        .where(col(Invitation.expires_at) > now)
        .order_by(col(FollowUp.id).desc())
        .limit(1)
    )
    found = session.exec(wanted).first()
    if found is None:
        raise NotFound(say("没有等您确认的事项：可能已经确认过，或者确认期已过。"))
    return found


def expire_next(session: Session, now: datetime) -> bool:
    """Closes one follow-up that nobody answered in its time; whether there was one."""
    due = session.exec(
        select(Invitation)
        .where(
            col(Invitation.follow_up_id).is_not(None),
            col(Invitation.state).in_(("reserved", "shown", "dismissed")),
            col(Invitation.expires_at) <= now,
        )
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if due is None:
        return False
    due.state = "expired"
    session.add(due)
    session.execute(
        update(FollowUp)
        .where(col(FollowUp.id) == due.follow_up_id, col(FollowUp.state) == "invited")
        .values(state="expired")
        .execution_options(synchronize_session=False)
    )
    return True


def hand_back(session: Session, follow_up_id: int, answers: Mapping[str, Any], *, now: datetime) -> None:
    """Gives a recheck's answer to the order it belongs to; "no" reopens it there."""
    record_followup(
        session,
        follow_up_id,
        is_solved=answers.get("solved") == "o_yes",
        score=answers.get("csat"),
        note=answers.get("note", ""),
        now=now,
    )
