"""Offer a survey to one person, or say why not; then whether it was shown, closed, or never seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from experience.customers import contact_policy
from experience.customers import operations as customers
from experience.customers import queries as ledger
from experience.customers.contact_policy import Facts
from experience.customers.tables import Customer
from experience.ground.config import settings as house
from experience.ground.errors import Conflict, NotFound
from experience.ground.i18n import say
from surveys import conditions, eligibility, runtime
from surveys.eligibility import Setting
from surveys.queries.published import Published, published
from surveys.tables import Invitation, Publication, QuotaTaken, Survey


@dataclass(frozen=True, slots=True)
class OfferIn:
    """One person at one moment. `subject` is `customer:REF` or `device:ID`; `snapshot` what the probe saw."""

    subject: str
    customer_id: int | None = None
    device: str = ""
    session: str = ""
    touchpoint: str = ""
    province: str = ""
    channel: str = "popover"
    sample_class: str = "open"
    snapshot: Mapping[str, Any] = field(default_factory=dict)
    firing_id: int | None = None


@dataclass(frozen=True, slots=True)
class Offered:
    """A reserved invitation. `snapshot` holds the facts that the widget's logic is judged by."""

    invitation_id: int
    token: str
    survey: str
    version: int
    url: str
    definition: Mapping[str, Any]
    snapshot: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """Not now; `reason` is a key of contact_policy.REASONS."""

    reason: str


def offer(session: Session, survey_code: str, asked: OfferIn, *, now: datetime) -> Offered | Refused:
    """An invitation reserved for this person, or the contact policy's first refusal; either is written down.

    Decisions about one person wait for one another, so that no cap is passed in a race.
    Raises NotFound when there is no such survey or it was never published.
    """
    survey, out = current(session, survey_code)
    customers.hold(session, asked.subject, asked.device)
    person = known_person(session, asked)
    facts, verdict = judge(session, survey, out, asked, person=person, now=now)
    if not verdict.show:
        _note(session, facts, asked, "refused", now=now, reason=verdict.reason)
        return Refused(verdict.reason)
    text = runtime.signed(runtime.issue(survey_code, out.version, asked.device, now), house().key())
    tags = {name: value for name, value in person.tags.items() if name in out.tags}
    invitation_id = _reserve(session, out, asked, token=text, tags=tags, now=now)
    _note(session, facts, asked, "reserved", now=now, invitation_id=invitation_id)
    snapshot = place(asked, tags).facts()
    url = f"/s/{survey_code}?token={text}"
    return Offered(invitation_id, text, survey_code, out.version, url, out.public, snapshot)


def current(session: Session, survey_code: str) -> tuple[Survey, Published]:
    """The survey and its current version. Raises NotFound when it was never published."""
    found = session.exec(
        select(Survey, Publication.id, Publication.sha256)
        .join(Publication, col(Publication.survey_id) == Survey.id)
        .where(Survey.code == survey_code, Publication.version == Survey.current_version)
    ).first()
    if found is None:
        raise NotFound(say("没有这份问卷，或它还没有发布。"))
    survey, publication_id, sha256 = found
    return survey, published(session, publication_id or 0, sha256)


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision laid open: each check in its order and whether it refuses, and the numbers they went by."""

    show: bool
    checks: tuple[tuple[str, bool], ...]
    settings: contact_policy.Settings


def explain(session: Session, survey_code: str, asked: OfferIn, *, now: datetime) -> Explained:
    """What would be decided for this person now, and from what; nothing is reserved or written down."""
    survey, out = current(session, survey_code)
    facts, verdict = judge(session, survey, out, asked, person=known_person(session, asked), now=now)
    chosen = eligibility.settings(out.definition.distribution.contact, survey.purpose)
    return Explained(verdict.show, contact_policy.checked(facts, chosen, now), chosen)


@dataclass(frozen=True, slots=True)
class Person:
    """What the customer's row says: tags for the audience, and whether they asked to be left alone."""

    tags: Mapping[str, Any] = field(default_factory=dict)
    is_do_not_ask: bool = False


def known_person(session: Session, asked: OfferIn) -> Person:
    """What is known of the one asked; nothing of a device."""
    if asked.customer_id is None:
        return Person()
    known = session.exec(
        select(Customer.attributes, Customer.tier, Customer.do_not_ask).where(Customer.id == asked.customer_id)
    ).first()
    return Person({**known[0], "tier": known[1]}, known[2]) if known else Person()


def place(asked: OfferIn, tags: Mapping[str, Any]) -> Setting:
    """Where the offer is made, as conditions read it."""
    return Setting(asked.touchpoint, asked.province, asked.channel, tags=tags, probe=asked.snapshot)


def judge(
    session: Session, survey: Survey, out: Published, asked: OfferIn, *, person: Person, now: datetime
) -> tuple[Facts, contact_policy.Verdict]:
    """What the contact policy says, and of what; changes nothing."""
    chosen = eligibility.settings(out.definition.distribution.contact, survey.purpose)
    here = place(asked, person.tags)
    facts = Facts(
        subject=asked.subject,
        what=survey.code,
        channel=asked.channel,
        is_open=survey.state == "open",
        has_channel=eligibility.has_channel(out.definition, asked.channel),
        is_audience=eligibility.is_audience(out.definition, here),
        is_do_not_ask=person.is_do_not_ask,
        is_quota_full=_is_quota_full(session, survey, out, here),
    )
    known = ledger.with_past(session, facts, chosen, now, device=asked.device, sitting=asked.session)
    return known, contact_policy.decide(known, chosen, now)


def _is_quota_full(session: Session, survey: Survey, out: Published, here: Setting) -> bool:
    """Whether a quota that this person certainly falls under (it asks nothing of the answers) is taken up."""
    certain = {
        quota.id: quota.limit
        for quota in out.definition.quotas
        if not any(leaf["ref"].startswith("a.") for leaf in conditions.leaves(quota.when))
        and conditions.holds(quota.when, here.facts())
    }
    if not certain:
        return False
    wanted = (QuotaTaken.survey_id == survey.id, col(QuotaTaken.quota).in_(certain))
    taken = session.exec(select(QuotaTaken.quota, QuotaTaken.taken).where(*wanted)).all()
    return any(count >= certain[quota] for quota, count in taken)


def _reserve(
    session: Session, out: Published, asked: OfferIn, *, token: str, tags: Mapping[str, Any], now: datetime
) -> int:
    made = Invitation(
        publication_id=out.id,
        token_hash=runtime.digest(token),
        subject=asked.subject,
        customer_id=asked.customer_id,
        device=asked.device,
        session=asked.session,
        channel=asked.channel,
        touchpoint=asked.touchpoint,
        province=asked.province,
        sample_class=asked.sample_class,
        snapshot=dict(asked.snapshot),
        tags=dict(tags),
        firing_id=asked.firing_id,
        created_at=now,
        expires_at=now + timedelta(seconds=runtime.RESERVED_SECONDS),
    )
    session.add(made)
    session.flush()
    return made.id or 0


def _note(
    session: Session,
    facts: Facts,
    asked: OfferIn,
    verdict: str,
    *,
    now: datetime,
    reason: str = "",
    invitation_id: int | None = None,
) -> None:
    customers.approach(
        session,
        facts,
        verdict,
        now=now,
        device=asked.device,
        sitting=asked.session,
        touchpoint=asked.touchpoint,
        reason=reason,
        invitation_id=invitation_id,
    )


def shown(session: Session, survey_code: str, token: str, *, now: datetime) -> None:
    """The survey was seen: at least half of it for at least a second. Repeating it changes nothing.

    Raises Conflict when the reservation was given back meanwhile: then the survey must not be displayed.
    """
    invitation = _invited(session, survey_code, token)
    moved = _move(session, invitation, ("reserved",), {"state": "shown", "shown_at": now})
    if moved:
        customers.mark(session, invitation.id or 0, "shown", now=now)
    elif invitation.state == "released":
        raise Conflict(say("这次邀约已经收回。"), {"state": "released"})


def dismiss(session: Session, survey_code: str, token: str, *, now: datetime) -> None:
    """The customer closed the survey without answering. Repeating it changes nothing."""
    invitation = _invited(session, survey_code, token)
    if _move(session, invitation, ("reserved", "shown", "released"), {"state": "dismissed"}):
        customers.mark(session, invitation.id or 0, "dismissed", now=now)


def release_next(session: Session, now: datetime) -> bool:
    """Gives back one reservation that was not displayed in time; whether there was one."""
    due = session.exec(
        select(Invitation)
        .where(Invitation.state == "reserved", Invitation.expires_at <= now, col(Invitation.follow_up_id).is_(None))
        .order_by(col(Invitation.expires_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if due is None:
        return False
    _move(session, due, ("reserved",), {"state": "released"})
    customers.mark(session, due.id or 0, "released", now=now)
    return True


def _invited(session: Session, survey_code: str, token: str) -> Invitation:
    said = runtime.opened(token, house().key())
    found = session.exec(select(Invitation).where(Invitation.token_hash == runtime.digest(token))).first()
    if found is None or said.survey != survey_code:
        raise NotFound(say("没有这份邀约。"))
    return found


def _move(session: Session, invitation: Invitation, states: tuple[str, ...], changes: dict[str, Any]) -> bool:
    moved = (
        update(Invitation)
        .where(col(Invitation.id) == invitation.id, col(Invitation.state).in_(states))
        .values(**changes)
        .returning(col(Invitation.id))
    )
    return session.execute(moved).scalar() is not None
