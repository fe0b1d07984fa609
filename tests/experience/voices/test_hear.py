"""Voices come in once, clean, masked, and from where the caller may speak for."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, func, select

from experience.audit.tables import AuditLine
from experience.customers.tables import Customer
from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.organisation.permissions import SYSTEM
from experience.voices.intake import VoiceIn, digest
from experience.voices.operations import hear, hear_many, unmask
from experience.voices.tables import Voice
from tests.people import someone

ZHOU = someone("coordinator", name="周", territories=frozenset({"guangdong"}))
PRIVACY = someone("privacy", name="密", is_everything=True)


def test_a_voice_heard_twice_is_one_voice(session: Session, now: datetime) -> None:
    said = VoiceIn("信号太差了", "hotline", external_id="T-1")
    first = hear(session, SYSTEM, said, now=now)
    again = hear(session, SYSTEM, VoiceIn("改了字也还是同一条", "hotline", external_id="T-1"), now=now)
    assert first.id == again.id
    assert session.exec(select(func.count()).select_from(Voice)).one() == 1


def test_the_same_words_without_an_id_are_two_voices(session: Session, now: datetime) -> None:
    one, other = (hear(session, SYSTEM, VoiceIn("太慢", "app"), now=now) for _ in range(2))
    assert one.id != other.id
    assert one.code != other.code


def test_a_phone_number_is_masked_and_kept_for_those_with_the_right(session: Session, now: datetime) -> None:
    voice = hear(session, SYSTEM, VoiceIn("请回电13800138000，套餐扣错了", "hotline"), now=now)
    assert "13800138000" not in voice.masked
    assert "13800138000" in voice.text


def test_unmasking_needs_the_right_and_a_reason_and_leaves_a_trace(session: Session, now: datetime) -> None:
    voice = hear(session, SYSTEM, VoiceIn("请回电13800138000", "hotline"), now=now)
    assert voice.id is not None
    with pytest.raises(Forbidden):
        unmask(session, ZHOU, voice.id, "联系客户核实退款", now=now)
    with pytest.raises(Invalid):
        unmask(session, PRIVACY, voice.id, " ", now=now)
    assert "13800138000" in unmask(session, PRIVACY, voice.id, "联系客户核实退款", now=now).text
    line = session.exec(select(AuditLine).where(AuditLine.act == "voices.unmask")).one()
    assert line.subject_id == str(voice.id)
    assert "13800138000" not in str(line.detail)


def test_what_lies_outside_the_scope_cannot_be_unmasked(session: Session, now: datetime) -> None:
    voice = hear(session, SYSTEM, VoiceIn("请回电", "hotline", province="hunan"), now=now)
    mine = someone("callback", territories=frozenset({"guangdong"}))
    with pytest.raises(NotFound):
        unmask(session, mine, voice.id or 0, "回访核实情况", now=now)


def test_names_become_codes(session: Session, now: datetime) -> None:
    voice = hear(session, SYSTEM, VoiceIn("办理很快", "客服热线", province="广东省"), now=now)
    assert (voice.source, voice.province) == ("hotline", "guangdong")


def test_control_characters_and_lone_surrogates_are_left_out(session: Session, now: datetime) -> None:
    voice = hear(session, SYSTEM, VoiceIn("太\x00慢\ud800了\x1b", "app"), now=now)
    assert voice.text == "太慢了"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (VoiceIn("", "app"), "text"),
        (VoiceIn(" \n\x00 ", "app"), "text"),
        (VoiceIn("长" * 20_001, "app"), "text"),
        (VoiceIn("长" * 5_001, "rant"), "text"),
        (VoiceIn("慢", ""), "source"),
        (VoiceIn("慢", "<script>"), "source"),
        (VoiceIn("慢", "app", province="火星"), "province"),
        (VoiceIn("慢", "app", touchpoint="a b'--"), "touchpoint"),
        (VoiceIn("慢", "app", mood=6), "mood"),
        (VoiceIn("慢", "rant", contact="1" * 81), "contact"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_field(session: Session, now: datetime, said: VoiceIn, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        hear(session, SYSTEM, said, now=now)
    assert [error["field"] for error in refusal.value.errors] == [field]
    assert session.exec(select(func.count()).select_from(Voice)).one() == 0


def test_a_voice_from_the_future_is_refused(session: Session, now: datetime) -> None:
    with pytest.raises(Invalid):
        hear(session, SYSTEM, VoiceIn("慢", "app", at=now + timedelta(days=3)), now=now)


def test_a_province_speaks_for_itself_only(session: Session, now: datetime) -> None:
    assert hear(session, ZHOU, VoiceIn("装机慢", "store"), now=now).province == "guangdong"
    with pytest.raises(Forbidden):
        hear(session, ZHOU, VoiceIn("装机慢", "store", province="hunan"), now=now)


def test_only_the_digest_of_a_receipt_is_kept(session: Session, now: datetime) -> None:
    voice = hear(session, SYSTEM, VoiceIn("慢", "rant", receipt="secret-of-chen"), now=now)
    assert voice.receipt_hash == digest("secret-of-chen")


def test_a_customer_met_for_the_first_time_gets_a_row(session: Session, now: datetime) -> None:
    voice = hear(session, SYSTEM, VoiceIn("慢", "app", customer="C-1"), now=now)
    again = hear(session, SYSTEM, VoiceIn("还是慢", "app", customer="C-1"), now=now)
    assert voice.customer_id == again.customer_id == session.exec(select(Customer.id)).one()


def test_many_are_heard_in_one_statement_and_repeats_are_not_counted(session: Session, now: datetime) -> None:
    many = [VoiceIn(f"第{i}条", "hotline", external_id=str(i % 40), customer=f"C{i % 3}") for i in range(50)]
    assert hear_many(session, many, now=now) == 40
    assert hear_many(session, many, now=now) == 0


def test_a_rant_with_a_link_waits_for_a_person(session: Session, now: datetime) -> None:
    clean = hear(session, SYSTEM, VoiceIn("充值不到账", "rant", is_for_board=True), now=now)
    touting = hear(session, SYSTEM, VoiceIn("加我微信办卡 www.bad.example.com", "rant", is_for_board=True), now=now)
    assert (clean.board_state, touting.board_state) == ("received", "hidden")
