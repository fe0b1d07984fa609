"""Pages of discovery and of the operator's words: judged through forms, refusals shown where they belong."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from experience.discovery.tables import Cluster, DiscoveryRun, EmergingWord
from experience.ground.store import transaction
from experience.readers.operations.current import forget
from experience.readers.tables import OperatorWord, TopicTerm
from experience.voices import operations as voices
from experience.voices.intake import VoiceIn
from experience.voices.tables import Voice
from tests.experience.web.staff import Office

SAID = ("店里碰一碰交费没反应", "<b>碰一碰</b>扣了两次钱", "碰一碰的机器坏了")


@pytest.fixture
def office(own_database: Engine, tmp_path: Path, now: datetime) -> Iterator[Office]:
    """An office whose night found one word and whose week found two heaps."""
    made = Office(own_database, tmp_path, now)
    with transaction(own_database) as session:
        voices.hear_many(session, [VoiceIn(text, "app", at=now, province="guangdong") for text in SAID], now=now)
        voices.read_next(session, now)
        ids = [id or 0 for id in session.exec(select(Voice.id).order_by(col(Voice.id)))]
        session.add(
            EmergingWord(
                word="碰一碰", first_at=now, found_at=now, since=now, until=now, n=15, expected=0.1, q=0.001,
                history=[0] * 8, together=["机器"], voice_ids=ids,
            )
        )  # fmt: skip
        run = DiscoveryRun(kind="clusters", asked_at=now, state="done", narrowed={"days": 28}, looked_at=40)
        session.add(run)
        session.flush()
        session.add_all(
            Cluster(
                run_id=run.id or 0, name=name, size=size, share=size / 40, tightness=0.6, negative_share=0.5,
                words=[name, "机器"], voice_ids=ids[:2],
            )
            for name, size in (("碰一碰", 20), ("通通盾", 8))
        )  # fmt: skip
    yield made
    forget()


def _rows(office: Office, table: type[Cluster]) -> list[Cluster]:
    with Session(office.engine) as session:
        return list(session.exec(select(table).order_by(col(table.id))))


def test_a_word_is_shown_with_why_and_its_voices_escaped(office: Office) -> None:
    html = office.staff("lin").see("/discovery")
    assert "碰一碰" in html
    assert "首次出现" in html
    assert "<b>碰一碰" not in html
    assert "/dismiss" not in office.staff("viewer").see("/discovery")


def test_a_word_becomes_a_topic_by_one_form(office: Office) -> None:
    analyst = office.staff("analyst")
    page = "/discovery/words/1"
    assert "card-now" in analyst.see(page)
    sent = analyst.send(page, f"{page}/promote", code="app", detail="碰一碰支付", terms="碰一碰\n碰付", are_words="y")
    assert sent.status_code == 303
    with Session(office.engine) as session:
        assert sorted(session.exec(select(TopicTerm.term))) == ["碰一碰", "碰付"]
        assert "碰一碰" in set(session.exec(select(OperatorWord.word)))
    assert "线上渠道 / 碰一碰支付" in analyst.see("/discovery?state=promoted")


def test_a_refused_form_keeps_what_was_typed(office: Office) -> None:
    page = "/discovery/words/1"
    sent = office.staff("analyst").send(page, f"{page}/promote", code="app", detail="碰一碰支付", terms="盾")
    assert sent.status_code == 422
    assert 'value="碰一碰支付"' in sent.text
    assert "要有 2 到 20 个字" in sent.text
    sent = office.staff("analyst").send(page, f"{page}/promote", code="", detail="x", terms="碰一碰")
    assert sent.status_code == 422
    assert "请选择一级主题。" in sent.text


def test_a_word_is_dismissed_and_restored(office: Office) -> None:
    lin = office.staff("lin")
    assert lin.send("/discovery", "/discovery/words/1/dismiss").status_code == 303
    assert "客户最近没有说什么新的" in lin.see("/discovery")
    assert lin.send("/discovery?state=dismissed", "/discovery/words/1/restore").status_code == 303
    assert "碰一碰" in lin.see("/discovery")


def test_heaps_are_picked_and_merged(office: Office) -> None:
    lin = office.staff("lin")
    sent = lin.send("/discovery/clusters", "/discovery/clusters/merge", cluster=["1", "2"])
    assert sent.headers["Location"] == "/discovery/clusters/1"
    assert "28 条原声" in lin.see("/discovery/clusters/1")
    assert "已合并进" in lin.see("/discovery/clusters/2")
    refused = lin.send("/discovery/clusters", "/discovery/clusters/merge", cluster=["1"])
    assert refused.status_code == 422
    assert "请选中 2 到" in refused.text


def test_a_heap_is_named_dismissed_and_asked_for_again(office: Office) -> None:
    lin = office.staff("lin")
    assert lin.send("/discovery/clusters/1", "/discovery/clusters/1/name", name="近场支付").status_code == 303
    assert lin.send("/discovery/clusters", "/discovery/clusters/dismiss", cluster="2").status_code == 303
    assert [(one.name, one.state) for one in _rows(office, Cluster)] == [("近场支付", "new"), ("通通盾", "dismissed")]
    sent = lin.send("/discovery/clusters", "/discovery/clusters", days="90", label="negative")
    assert sent.headers["Location"] == "/discovery/clusters?run=2"
    assert "正在排队" in lin.see("/discovery/clusters")
    assert lin.send("/discovery/clusters", "/discovery/clusters", days="5").status_code == 422


def test_a_province_finds_nothing_of_the_whole_country(office: Office) -> None:
    zhou = office.staff("zhou")
    assert "碰一碰" not in zhou.see("/discovery")
    for path in ("/discovery/words/1", "/discovery/clusters/1", "/discovery/runs/1", "/discovery/clusters?run=1"):
        zhou.see(path, status=404)


def test_words_are_pasted_and_live_on_the_same_page(office: Office) -> None:
    lin = office.staff("lin")
    before = lin.see("/words?try=店里碰一碰坏了")
    assert "切分没有变化" in before
    assert lin.send("/words", "/words", words="碰一碰、通通盾\n云手机", note="新品").status_code == 303
    after = lin.see("/words?try=店里碰一碰坏了")
    assert '<span class="cut is-new">碰一碰</span>' in after
    assert "通通盾" in after
    with Session(office.engine) as session:
        word_id = session.exec(select(OperatorWord.id).where(OperatorWord.word == "云手机")).one()
    assert lin.send("/words", f"/words/{word_id}/remove").status_code == 303
    assert "云手机" not in lin.see("/words?q=云手机").split("<tbody>")[-1].split("value=")[0]


def test_terms_are_added_found_and_taken_away(office: Office) -> None:
    lin = office.staff("lin")
    page = "/words?tab=terms"
    assert (
        lin.send(page, "/words/terms", code="security", detail="通通盾", terms="通通盾", rereads="y").status_code == 303
    )
    assert "信息安全 / 通通盾" in lin.see(f"{page}&code=security")
    with Session(office.engine) as session:
        assert session.exec(select(DiscoveryRun.kind).where(DiscoveryRun.kind == "reread")).one() == "reread"
    assert lin.send(page, "/words/terms", code="security", detail="", terms="通通盾").status_code == 422
    assert lin.send(page, "/words/terms/1/remove").status_code == 303
    assert "还没有自己的主题词" in lin.see(page)


def test_who_reads_only_sees_the_words_without_forms(office: Office) -> None:
    html = office.staff("viewer").see("/words")
    assert 'name="words"' not in html
    assert "由集团的分析师或研判员维护" in html


def test_empty_pages_say_what_will_come(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    lin = Office(own_database, tmp_path, now).staff("lin")
    assert "客户最近没有说什么新的" in lin.see("/discovery")
    assert "还没有聚过类" in lin.see("/discovery/clusters")
    assert "还没有自己的新词" in lin.see("/words")
    assert "New words and clusters" in lin.see("/discovery?lang=en")
