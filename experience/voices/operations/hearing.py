"""Take voices in: checked, masked, fingerprinted, each once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from analysis import normalise
from experience.audit.operations import record
from experience.customers.tables import Customer
from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.voices import intake, moderation
from experience.voices.intake import VoiceIn
from experience.voices.queries import demand_row_id, visible
from experience.voices.tables import Voice

REASON_LENGTH = (4, 200)


def hear(session: Session, scope: Scope, said: VoiceIn, *, now: datetime) -> Voice:
    """The voice of this utterance; the one already there when source and external id were heard before.

    Raises Invalid for what cannot be taken, Forbidden for a province outside the scope.
    """
    scope.demand("voices.hear")
    said = _placed(scope, tidied(said))
    intake.demand_sound(said, now)
    if said.customer and said.customer_id is None:
        said = replace(said, customer_id=_customers(session, [said.customer], now).get(said.customer))
    heard_id = session.execute(_once(insert(Voice).values(_row(said, now))).returning(col(Voice.id))).scalar()
    if heard_id is None:
        return session.exec(
            select(Voice).where(Voice.source == said.source, Voice.external_id == said.external_id)
        ).one()
    if scope.user_id is not None:  # a customer's own word needs no second record beside the voice
        record(session, scope, "voices.hear", ("voice", heard_id), now=now, detail={"source": said.source})
    return session.get_one(Voice, heard_id)


def hear_many(session: Session, many: Sequence[VoiceIn], *, now: datetime) -> int:
    """How many of these sound, tidied utterances were new; one statement for all of them. For importers."""
    if not many:
        return 0
    customers = _customers(session, {said.customer for said in many if said.customer}, now)
    rows = [_row(replace(said, customer_id=customers.get(said.customer)), now) for said in many]
    table = Voice.__table__  # type: ignore[attr-defined]
    added = session.connection().execute(_once(insert(table)).returning(table.c.id), rows).all()
    return len(added)


def unlike(session: Session, many: Sequence[VoiceIn]) -> set[tuple[str, str | None, str]]:
    """Those of these utterances, as (source, external id, text), whose id is held by a voice with other words."""
    wanted = {(said.source, said.external_id) for said in many}
    named = tuple_(col(Voice.source), col(Voice.external_id)).in_(wanted)
    found = session.exec(select(Voice.source, Voice.external_id, Voice.text).where(named))
    held = {(source, external_id): text for source, external_id, text in found}
    return {
        (said.source, said.external_id, said.text)
        for said in many
        if held.get((said.source, said.external_id), said.text) != said.text
    }


def tidied(said: VoiceIn) -> VoiceIn:
    """The utterance with clean text and codes for names; what has no code keeps its name, for the fault to be told."""
    return replace(
        said,
        text=intake.clean(said.text),
        source=intake.source_code(said.source),
        province=intake.province_code(said.province) or intake.clean(said.province),
        touchpoint=intake.clean(said.touchpoint),
        product=intake.clean(said.product),
        contact=intake.clean(said.contact),
        external_id=intake.clean(said.external_id) or None if said.external_id else None,
        customer=intake.clean(said.customer),
    )


def _placed(scope: Scope, said: VoiceIn) -> VoiceIn:
    """The utterance in the caller's own province when it names none; Forbidden when it names another's."""
    reach = scope.reach("voices.hear")
    if reach.is_everything:
        return said
    if not said.province and len(reach.territories) == 1:
        return replace(said, province=next(iter(reach.territories)))
    if not reach.sees_province(said.province):
        raise Forbidden(say("只能登记本省的客户原声。"))
    return said


def _once(statement: Any) -> Any:
    return statement.on_conflict_do_nothing(index_elements=["source", "external_id"])


def _row(said: VoiceIn, now: datetime) -> dict[str, Any]:
    masked = normalise.mask(said.text)
    return {
        "code": intake.new_code(),
        "source": said.source,
        "external_id": said.external_id,
        "text": said.text,
        "masked": masked,
        "at": min(said.at or now, now),
        "heard_at": now,
        "touchpoint": said.touchpoint,
        "product": said.product,
        "province": said.province,
        "customer_id": said.customer_id,
        "device": said.device[:64],
        "mood": said.mood,
        "contact": said.contact,
        "consent": said.consent,
        "receipt_hash": intake.digest(said.receipt) if said.receipt else None,
        "response_id": said.response_id,
        "import_id": said.import_id,
        "fingerprint": normalise.fingerprint(said.text),
        "board_state": moderation.state_on_arrival(masked) if said.is_for_board else "hidden",
        "board_reply": "",
        "votes": 0,
    }


def _customers(session: Session, refs: Iterable[str], now: datetime) -> dict[str, int]:
    """Ids of these customers, the erased left out; new ones get a bare row under their pseudonym."""
    wanted = sorted(set(refs))
    if not wanted:
        return {}
    fresh = [
        {"ref": ref, "province": "", "tier": "", "attributes": {}, "do_not_ask": False, "created_at": now}
        for ref in wanted
    ]
    session.execute(insert(Customer).values(fresh).on_conflict_do_nothing(index_elements=["ref"]))
    living = col(Customer.erased_at).is_(None)
    found = session.exec(select(Customer.ref, Customer.id).where(col(Customer.ref).in_(wanted), living))
    return {ref: id for ref, id in found if id is not None}


def unmask(session: Session, scope: Scope, voice_id: int, reason: str, *, now: datetime) -> Voice:
    """The voice with its unmasked text and contact, for one who holds the right and says why; audited.

    Raises Forbidden without the right, Invalid without a reason, NotFound outside the scope.
    """
    scope.demand("voices.unmask")
    demand_row_id(voice_id)
    least, most = REASON_LENGTH
    if not least <= len(reason.strip()) <= most:
        sentence = say("请写明查看原文的原因（%(least)d–%(most)d 个字），它会记入审计。", least=least, most=most)
        raise Invalid(sentence, [{"field": "reason", "sentence": sentence}])
    voice = session.exec(select(Voice).where(Voice.id == voice_id, visible(scope, act="voices.unmask"))).first()
    if voice is None:
        raise NotFound(say("没有这条客户原声，或不在您的范围内。"))
    record(session, scope, "voices.unmask", ("voice", voice_id), now=now, detail={"reason": normalise.mask(reason)})
    return voice


def mark_triaged(session: Session, voice_ids: Sequence[int], *, now: datetime) -> None:
    """Notes that the clock has looked whether these voices make an issue."""
    session.execute(update(Voice).where(col(Voice.id).in_(voice_ids)).values(triaged_at=now))
