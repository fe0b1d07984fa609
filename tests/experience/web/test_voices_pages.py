"""The stream of voices: what is seen, what is corrected, what becomes an issue; nothing in a text ever runs."""

from datetime import timedelta

import pytest

from experience.ground.store import transaction
from experience.organisation.operations import UserIn, ensure_user
from experience.organisation.permissions import SYSTEM
from experience.voices import operations
from experience.voices.intake import VoiceIn
from experience.voices.tables import Reading, Voice
from tests.experience.web.staff import Office
from tests.people import PASSWORD_HASH

XSS = (
    "<script>alert(1)</script>充值失败，太气人了",
    '"><img src=x onerror=alert(1)>话费乱扣',
    "{{7*7}}${7*7}<svg/onload=alert(1)>网速太慢",
    "javascript:alert(1) ' onclick='alert(1) 客服不理人",
)


def say(office: Office, *texts: str, province: str = "guangdong") -> list[int]:
    with transaction(office.engine) as session:
        voices = [
            operations.hear(
                session,
                SYSTEM,
                VoiceIn(
                    text=text,
                    source="hotline",
                    province=province,
                    touchpoint="web.recharge",
                    at=office.now - timedelta(minutes=i),
                ),
                now=office.now,
            )
            for i, text in enumerate(texts)
        ]
        operations.read_now(session, voices, now=office.now)
        return [voice.id or 0 for voice in voices]


def test_the_words_that_made_the_verdict_are_marked(office: Office) -> None:
    say(office, "充值扣了钱不到账，太失望了")
    assert 'class="ev-against' in office.staff("lin").see("/voices")


def test_a_province_sees_its_own_voices_only(office: Office) -> None:
    say(office, "广东的充值扣款不到账")
    assert "不到账" in office.staff("zhou").see("/voices").replace("</mark>", "").replace(
        '<mark class="ev-against">', ""
    )
    assert "还没有听到客户的声音" in office.staff("wang").see("/voices")


def test_another_provinces_voice_is_not_found(office: Office) -> None:
    (voice,) = say(office, "广东的充值扣款不到账")
    office.staff("wang").see(f"/voices/{voice}", status=404)


@pytest.mark.parametrize("text", XSS)
def test_markup_in_a_voice_is_shown_and_never_runs(office: Office, text: str) -> None:
    (voice,) = say(office, text)
    for path in ("/voices", f"/voices/{voice}", "/voices?q=alert"):
        html = office.staff("lin").see(path)
        body = html[html.index("<main") : html.index("</main")]
        assert "<script>alert" not in body
        assert "<img src=x" not in body
        assert "<svg/onload" not in body
        assert "' onclick='" not in body.replace("&#39;", "")


def test_one_press_corrects_a_label_and_gives_the_row_back(office: Office) -> None:
    (voice,) = say(office, "充值扣了钱不到账，太失望了")
    lin = office.staff("lin")
    answer = lin.send("/voices", f"/voices/{voice}/reading", label="neutral")
    assert answer.status_code == 303
    with transaction(office.engine) as session:
        reading = session.get_one(Reading, voice)
        assert (reading.label, reading.corrected_at) == ("neutral", office.now)


def test_a_label_that_is_none_is_refused(office: Office) -> None:
    (voice,) = say(office, "充值扣了钱不到账")
    assert office.staff("lin").send("/voices", f"/voices/{voice}/reading", label="angry").status_code == 422


def test_a_province_may_not_correct(office: Office) -> None:
    (voice,) = say(office, "充值扣了钱不到账")
    assert office.staff("zhou").send("/voices", f"/voices/{voice}/reading", label="neutral").status_code == 403


def test_picked_voices_become_an_issue_once_however_often_the_form_is_sent(office: Office) -> None:
    voices = say(office, "充值扣了钱不到账", "充值不到账，客服不理")
    lin = office.staff("lin")
    html = lin.see("/voices")
    token = html.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "form_token": "once", "voice": [str(v) for v in voices], "title": "网厅充值不到账"}
    first, second = lin.client.post("/voices/issue", data=form), lin.client.post("/voices/issue", data=form)
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    assert "网厅充值不到账" in lin.see(first.location)


def test_picking_nothing_says_so(office: Office) -> None:
    say(office, "充值扣了钱不到账")
    answer = office.staff("lin").send("/voices", "/voices/issue", title="x")
    assert answer.status_code == 422
    assert "请先选中" in answer.text


def test_the_unmasked_words_need_the_right_and_a_reason(office: Office) -> None:
    (voice,) = say(office, "我的号码13812345678充值不到账")
    assert "13812345678" not in office.staff("lin").see(f"/voices/{voice}")
    assert "13812345678" not in office.staff("privacy").see(f"/voices/{voice}")
    callback = office.staff("callback")
    refused = callback.send(f"/voices/{voice}", f"/voices/{voice}/unmask", reason="")
    assert refused.status_code == 422
    shown = callback.send(f"/voices/{voice}", f"/voices/{voice}/unmask", reason="回访核实充值号码")
    assert "13812345678" in shown.text


def test_what_may_be_done_with_a_voice_is_offered_where_it_lies_only(office: Office) -> None:
    """A viewer of everything who corrects in one province and calls back in another."""
    near, far = (*say(office, "充值扣了钱不到账"), *say(office, "话费乱扣", province="hunan"))
    with transaction(office.engine) as session:
        held = (("centre", "viewer"), ("guangdong", "analyst"), ("hunan", "callback"))
        ensure_user(session, UserIn("tan", "谭", held, password_hash=PASSWORD_HASH), now=office.now)
    tan = office.staff("tan")
    stream = tan.see("/voices")
    assert f'data-judges="{near}"' in stream
    assert f'data-judges="{far}"' not in stream
    here, there = tan.see(f"/voices/{near}"), tan.see(f"/voices/{far}")
    assert f'/voices/{near}/reading"' in here
    assert f'/voices/{near}/unmask"' not in here
    assert f'/voices/{far}/reading"' not in there
    assert f'/voices/{far}/unmask"' in there


def test_an_id_beyond_every_row_is_not_found_rather_than_an_error(office: Office) -> None:
    lin = office.staff("lin")
    lin.see("/voices/9223372036854775808", status=404)
    lin.see("/voices/9223372036854775807", status=404)


@pytest.mark.parametrize(
    "query", ["?urgency=x", "?from=2026-13-45", "?q=" + "长" * 500, "?import=%F0%9F%98%80", "?label=';--"]
)
def test_a_strange_filter_never_breaks_the_page(office: Office, query: str) -> None:
    office.staff("lin").see("/voices" + query)


def test_a_voice_not_read_yet_is_shown_as_such(office: Office) -> None:
    with transaction(office.engine) as session:
        operations.hear(session, SYSTEM, VoiceIn(text="刚刚说的", source="hotline"), now=office.now)
    assert "研读中" in office.staff("lin").see("/voices")


def test_a_page_says_who_is_not_logged_in_where_to_go(office: Office) -> None:
    answer = office.app.test_client().get("/voices")
    assert answer.status_code == 302
    assert answer.location.startswith("/login?next=%2Fvoices")


def test_a_form_without_its_token_changes_nothing(office: Office) -> None:
    (voice,) = say(office, "充值扣了钱不到账")
    answer = office.staff("lin").client.post(f"/voices/{voice}/reading", data={"label": "neutral"})
    assert answer.status_code == 400
    with transaction(office.engine) as session:
        assert session.get_one(Voice, voice) is not None
        assert session.get_one(Reading, voice).corrected_at is None


def test_the_export_holds_what_the_list_shows_masked_and_safe_to_open(office: Office) -> None:
    say(office, "=cmd|' /C calc'!A0 充值扣了钱不到账", "我的号码13812345678网速太慢")
    answer = office.staff("lin").client.get("/voices/export.csv?q=")
    lines = answer.get_data(as_text=True).lstrip("\ufeff").splitlines()
    assert len(lines) == 3
    assert ",'=cmd|" in lines[1]
    assert "13812345678" not in answer.text
    assert office.staff("wang").client.get("/voices/export.csv").text.count("\n") == 1
