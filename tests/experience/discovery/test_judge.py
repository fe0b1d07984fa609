from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlmodel import col, select

from analysis import segment, topics
from experience.audit.tables import AuditLine
from experience.discovery import operations, queries, rules
from experience.discovery.operations import Promotion
from experience.discovery.tables import Cluster, DiscoveryRun, EmergingWord
from experience.ground.errors import Conflict, Forbidden, Invalid
from experience.readers.operations import use_current
from experience.readers.operations.current import forget
from experience.readers.tables import OperatorWord, TopicTerm
from experience.voices import operations as voices
from experience.voices.intake import VoiceIn
from experience.voices.tables import Reading, Voice
from tests.experience.discovery.conftest import until_done
from tests.people import House


@pytest.fixture(autouse=True)
def _nothing_of_ours_stays() -> Iterator[None]:
    yield
    forget()


@pytest.fixture
def word(heard: House, now: datetime) -> EmergingWord:
    row = EmergingWord(
        word="碰一碰", first_at=now, found_at=now, since=now, until=now, n=15, expected=0.1, q=0.001, history=[0] * 8
    )
    heard.session.add(row)
    heard.session.flush()
    return row


@pytest.fixture
def heaps(heard: House, now: datetime) -> list[Cluster]:
    run = DiscoveryRun(kind="clusters", asked_at=now, state="done")
    heard.session.add(run)
    heard.session.flush()
    rows = [
        Cluster(
            run_id=run.id or 0, name=f"堆{size}", size=size, share=size / 100, tightness=0.5, negative_share=0.5,
            words=[f"词{size}", "共有"], voice_ids=[size, size + 1],
        )
        for size in (30, 20, 10)
    ]  # fmt: skip
    heard.session.add_all(rows)
    heard.session.flush()
    return rows


def _id(row: Cluster | EmergingWord) -> int:
    assert row.id is not None
    return row.id


def _acts(house: House, act: str) -> int:
    return len(house.session.exec(select(AuditLine).where(col(AuditLine.act) == act)).all())


def test_a_promoted_word_is_a_topic_for_the_next_voice(heard: House, word: EmergingWord, now: datetime) -> None:
    into = Promotion("app", "碰一碰支付", ["碰一碰"])
    operations.promote_word(heard.session, heard.scope("analyst"), _id(word), into, now=now)
    assert heard.session.exec(select(OperatorWord.word)).all() == ["碰一碰"]
    voices.hear_many(heard.session, [VoiceIn("店里那个碰一碰又坏了", "app", at=now)], now=now)
    voices.read_next(heard.session, now)
    newest = heard.session.exec(select(Reading).order_by(col(Reading.voice_id).desc()).limit(1)).one()
    assert (newest.topic, newest.topics[0]["detail"]) == ("app", "碰一碰支付")
    assert (word.state, word.code, word.detail) == ("promoted", "app", "碰一碰支付")
    assert not queries.emerging(heard.session, heard.scope("lin"), now=now)
    assert _acts(heard, "discovery.promote") == 1


def test_the_past_is_read_again_when_asked_for(heard: House, word: EmergingWord, now: datetime) -> None:
    into = Promotion("app", "碰一碰支付", ["碰一碰"], rereads=True)
    operations.promote_word(heard.session, heard.scope("analyst"), _id(word), into, now=now)
    until_done(heard.session, operations.look_next, now)
    run = heard.session.exec(select(DiscoveryRun).where(DiscoveryRun.kind == "reread")).one()
    assert (run.state, run.looked_at) == ("done", 15)
    heard.session.expire_all()
    said = select(Reading).join(Voice).where(col(Voice.masked).contains("碰一碰"))
    assert {(one.topic, one.topics[0]["detail"]) for one in heard.session.exec(said)} == {("app", "碰一碰支付")}


def test_a_word_is_promoted_once(heard: House, word: EmergingWord, now: datetime) -> None:
    into = Promotion("app", "碰一碰支付", ["碰一碰"])
    operations.promote_word(heard.session, heard.scope("analyst"), _id(word), into, now=now)
    with pytest.raises(Conflict):
        operations.promote_word(heard.session, heard.scope("lin"), _id(word), into, now=now)
    with pytest.raises(Conflict):
        operations.dismiss_word(heard.session, heard.scope("lin"), _id(word), now=now)


def test_a_dismissal_can_be_taken_back(heard: House, word: EmergingWord, now: datetime) -> None:
    lin = heard.scope("lin")
    operations.dismiss_word(heard.session, lin, _id(word), now=now)
    assert not queries.emerging(heard.session, lin, now=now)
    operations.restore_word(heard.session, lin, _id(word), now=now)
    assert [one.id for one in queries.emerging(heard.session, lin, now=now)] == [word.id]


def test_a_phrase_of_known_words_is_a_term_but_no_word_of_its_own(
    heard: House, heaps: list[Cluster], now: datetime
) -> None:
    into = Promotion("value_added", "彩铃盲盒", ["彩铃盲盒", "抽盲盒", "通通盾"])
    heap = operations.promote_cluster(heard.session, heard.scope("lin"), _id(heaps[0]), into, now=now)
    assert heap.state == "promoted"
    assert sorted(heard.session.exec(select(TopicTerm.term))) == ["彩铃盲盒", "抽盲盒", "通通盾"]
    assert "彩铃盲盒" not in set(heard.session.exec(select(OperatorWord.word)))
    assert "通通盾" in set(heard.session.exec(select(OperatorWord.word)))


def test_a_refused_promotion_changes_nothing(heard: House, heaps: list[Cluster], now: datetime) -> None:
    for into in (Promotion("nowhere", "名", ["词语"]), Promotion("app", " ", ["词语"]), Promotion("app", "名", [" "])):
        with pytest.raises(Invalid):
            operations.promote_cluster(heard.session, heard.scope("lin"), _id(heaps[0]), into, now=now)
    assert heaps[0].state == "new"
    assert not heard.session.exec(select(TopicTerm)).all()


def test_merged_heaps_are_one_with_the_biggest_ones_name(heard: House, heaps: list[Cluster], now: datetime) -> None:
    big, middle, small = heaps
    into = operations.merge(heard.session, heard.scope("lin"), [_id(small), _id(big), _id(middle)], now=now)
    assert into is big
    assert (big.size, round(big.share, 2), big.name) == (60, 0.6, "堆30")
    assert big.words[:4] == ["词30", "词20", "词10", "共有"]
    assert set(big.voice_ids) == {10, 11, 20, 21, 30, 31}
    assert {one.state for one in (middle, small)} == {"merged"}
    assert {one.merged_into_id for one in (middle, small)} == {big.id}
    assert [one.id for one in queries.clusters(heard.session, heard.scope("lin"), big.run_id)] == [big.id]
    assert _acts(heard, "discovery.merge") == 1


def test_a_given_name_wins_when_heaps_are_merged(heard: House, heaps: list[Cluster], now: datetime) -> None:
    operations.rename(heard.session, heard.scope("lin"), _id(heaps[1]), " 刷卡机 ", now=now)
    into = operations.merge(heard.session, heard.scope("lin"), [_id(one) for one in heaps[:2]], now=now)
    assert (into.id, into.name, into.is_named) == (heaps[0].id, "刷卡机", True)


def test_heaps_of_two_runs_or_one_alone_are_not_merged(heard: House, heaps: list[Cluster], now: datetime) -> None:
    other = DiscoveryRun(kind="clusters", asked_at=now, state="done")
    heard.session.add(other)
    heard.session.flush()
    stranger = Cluster(run_id=other.id or 0, name="外", size=1, share=0.1, tightness=0.5, negative_share=0)
    heard.session.add(stranger)
    heard.session.flush()
    for chosen in ([_id(heaps[0])], [_id(heaps[0])] * 2, [_id(heaps[0]), _id(stranger)]):
        with pytest.raises(Invalid):
            operations.merge(heard.session, heard.scope("lin"), chosen, now=now)


def test_dismissed_heaps_leave_the_list(heard: House, heaps: list[Cluster], now: datetime) -> None:
    assert operations.dismiss_clusters(heard.session, heard.scope("lin"), [_id(one) for one in heaps[:2]], now=now) == 2
    assert [one.id for one in queries.clusters(heard.session, heard.scope("lin"), heaps[0].run_id)] == [heaps[2].id]
    assert queries.cluster_counts(heard.session, heard.scope("lin"), heaps[0].run_id) == {"dismissed": 2, "new": 1}
    with pytest.raises(Conflict):
        operations.rename(heard.session, heard.scope("lin"), _id(heaps[0]), "名", now=now)


def test_only_who_edits_words_judges(heard: House, word: EmergingWord, heaps: list[Cluster], now: datetime) -> None:
    viewer = heard.scope("viewer")
    with pytest.raises(Forbidden):
        operations.dismiss_word(heard.session, viewer, _id(word), now=now)
    with pytest.raises(Forbidden):
        operations.merge(heard.session, viewer, [_id(one) for one in heaps], now=now)
    with pytest.raises(Forbidden):
        operations.promote_word(heard.session, viewer, _id(word), Promotion("app", "名", ["碰一碰"]), now=now)


def test_what_is_promoted_reads_in_this_process_after_the_next_look(heard: House, now: datetime) -> None:
    assert rules.is_new_word("通通盾")
    assert not rules.is_new_word("彩铃盲盒")
    use_current(heard.session)
    assert not topics.own_terms()
    assert "通通盾" not in segment.words_in_use()
