"""What is done with customers: kept under their reference, and every reach for them written down."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from experience.audit.operations import record
from experience.customers.contact_policy import Facts
from experience.customers.tables import Approach, Customer
from experience.ground.errors import Conflict, Forbidden, Invalid
from experience.ground.i18n import say
from experience.organisation.permissions import Scope

ATTRIBUTES_LIMIT = 100


@dataclass(frozen=True, slots=True)
class CustomerIn:
    """What is told of a customer; None leaves what is known. `attributes` are merged, null takes one away."""

    province: str | None = None
    tier: str | None = None
    do_not_ask: bool | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


def keep(session: Session, scope: Scope, ref: str, told: CustomerIn, *, now: datetime) -> Customer:
    """The customer under this reference, made or changed.

    Raises Invalid without a reference or with too many attributes, Forbidden for a province outside the scope,
    Conflict when the customer was erased.
    """
    scope.demand("customers.edit")
    if not ref.strip() or len(ref) > 100:
        raise Invalid(say("客户编号不能为空，最多 100 个字符。"), [{"field": "ref", "sentence": say("客户编号有误。")}])
    reach = scope.reach("customers.edit")
    if told.province and not reach.sees_province(told.province):
        raise Forbidden(say("只能维护本省的客户。"))
    made = insert(Customer).values(ref=ref, province=told.province or "", tier="", attributes={}, created_at=now)
    session.execute(made.values(do_not_ask=False).on_conflict_do_nothing(index_elements=["ref"]))
    known = session.exec(select(Customer).where(Customer.ref == ref).with_for_update()).one()
    if known.erased_at is not None:
        raise Conflict(say("这位客户的资料已按其要求删除，不能再写入。"))
    if not reach.sees_province(known.province):
        raise Forbidden(say("只能维护本省的客户。"))
    _change(known, told)
    session.add(known)
    record(session, scope, "customers.edit", ("customer", known.id), now=now, detail={"fields": _told(told)})
    session.flush()
    return known


def _change(known: Customer, told: CustomerIn) -> None:
    known.province = known.province if told.province is None else told.province
    known.tier = known.tier if told.tier is None else told.tier
    known.do_not_ask = known.do_not_ask if told.do_not_ask is None else told.do_not_ask
    merged = {**known.attributes, **told.attributes}
    known.attributes = {name: value for name, value in merged.items() if value is not None}
    if len(known.attributes) > ATTRIBUTES_LIMIT:
        raise Invalid(say("一位客户最多保存 %(n)s 个属性。", n=ATTRIBUTES_LIMIT))


def _told(told: CustomerIn) -> list[str]:
    single = [name for name in ("province", "tier", "do_not_ask") if getattr(told, name) is not None]
    return [*single, *sorted(told.attributes)]


def known_by_ref(session: Session, ref: str, now: datetime, *, province: str = "") -> int | None:
    """The id of the customer under this reference, made when new; None when erased. For signed identities of probes."""
    made = insert(Customer).values(ref=ref, province=province, tier="", attributes={}, do_not_ask=False, created_at=now)
    session.execute(made.on_conflict_do_nothing(index_elements=["ref"]))
    return session.exec(select(Customer.id).where(Customer.ref == ref, col(Customer.erased_at).is_(None))).first()


def hold(session: Session, subject: str, device: str) -> None:
    """Decisions about one person wait for one another until the transaction ends, so that none is granted twice."""
    for name in sorted({subject, f"device:{device}"} if device else {subject}):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 7))))


def approach(
    session: Session,
    facts: Facts,
    verdict: str,
    *,
    now: datetime,
    device: str = "",
    sitting: str = "",
    touchpoint: str = "",
    reason: str = "",
    invitation_id: int | None = None,
) -> None:
    """Writes down one decision about one person: `reserved`, or `refused` with its reason."""
    session.execute(
        insert(Approach).values(
            at=now,
            changed_at=now,
            subject=facts.subject,
            device=device,
            session=sitting,
            what=facts.what,
            verdict=verdict,
            reason=reason,
            invitation_id=invitation_id,
            touchpoint=touchpoint,
        )
    )


def mark(session: Session, invitation_id: int, verdict: str, *, now: datetime) -> None:
    """Moves the approach of an invitation on; one that was answered stays so."""
    moved = update(Approach).where(col(Approach.invitation_id) == invitation_id, col(Approach.verdict) != "answered")
    session.execute(moved.values(verdict=verdict, changed_at=now))
