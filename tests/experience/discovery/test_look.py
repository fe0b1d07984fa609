from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from experience.discovery import operations, queries
from experience.discovery.jobs import ask
from experience.discovery.operations.asking import Narrowed
from experience.discovery.tables import Cluster, DiscoveryRun, EmergingWord
from experience.ground.errors import Conflict, Forbidden, NotFound
from experience.organisation.permissions import SYSTEM
from experience.voices.queries import Filters
from tests.experience.discovery.conftest import texts, until_done
from tests.people import House


def test_the_night_asks_once_whatever_the_number_of_workers(heard: House, now: datetime) -> None:
    assert ask(heard.session, now)
    assert not ask(heard.session, now)
    kinds = sorted(heard.session.exec(select(DiscoveryRun.kind)))
    assert kinds == ["clusters", "emerging"]
    assert ask(heard.session, now + timedelta(days=1))
    assert sorted(heard.session.exec(select(DiscoveryRun.kind))) == ["clusters", "emerging", "emerging"]


def test_nothing_is_asked_before_two_in_the_night(heard: House, now: datetime) -> None:
    assert not ask(heard.session, now.replace(hour=16, minute=30))  # half past midnight in Beijing


def test_a_word_nobody_said_before_is_found_with_why_and_examples(heard: House, now: datetime) -> None:
    ask(heard.session, now)
    until_done(heard.session, operations.look_next, now)
    found = queries.emerging(heard.session, heard.scope("lin"), now=now)
    assert [word.word for word in found] == ["碰一碰"]
    word = found[0]
    assert (word.n, sum(word.history)) == (15, 0)
    assert word.q < 0.05
    assert all("碰一碰" in text for text in texts(heard.session, word.voice_ids))
    shown = queries.examples(heard.session, heard.scope("lin"), found)[word.id or 0]
    assert [one.voice.id for one in shown] == word.voice_ids[:3]


def test_a_dismissed_word_found_again_stays_away_for_two_months(heard: House, now: datetime) -> None:
    ask(heard.session, now)
    until_done(heard.session, operations.look_next, now)
    word = heard.session.exec(select(EmergingWord)).one()
    operations.dismiss_word(heard.session, heard.scope("lin"), word.id or 0, now=now - timedelta(days=61))
    later = now + timedelta(days=1)
    ask(heard.session, later)
    until_done(heard.session, operations.look_next, later)
    heard.session.refresh(word)
    assert (word.state, word.found_at) == ("new", later)
    operations.dismiss_word(heard.session, heard.scope("lin"), word.id or 0, now=later)
    ask(heard.session, later + timedelta(days=1))
    until_done(heard.session, operations.look_next, later + timedelta(days=1))
    heard.session.refresh(word)
    assert word.state == "dismissed"


def test_heaps_are_made_in_two_steps_and_hold_kindred_voices(heard: House, now: datetime) -> None:
    run = operations.ask_clusters(heard.session, heard.scope("lin"), Narrowed(label="negative"), now=now)
    assert operations.look_next(heard.session, now)
    assert (run.state, run.looked_at > 0) == ("running", True)
    until_done(heard.session, operations.look_next, now)
    heaps = queries.clusters(heard.session, heard.scope("lin"), run.id or 0)
    assert run.state == "done"
    assert run.found == len(heaps) > 0
    assert any("碰一碰" in word for heap in heaps for word in heap.words)
    assert all(heap.negative_share == 1 for heap in heaps)


def test_one_look_at_a_time_for_each_person(heard: House, now: datetime) -> None:
    operations.ask_clusters(heard.session, heard.scope("lin"), Narrowed(), now=now)
    with pytest.raises(Conflict):
        operations.ask_clusters(heard.session, heard.scope("lin"), Narrowed(), now=now)
    operations.ask_clusters(heard.session, heard.scope("analyst"), Narrowed(), now=now)


def test_a_province_sees_nothing_of_the_whole_countrys_words_and_heaps(heard: House, now: datetime) -> None:
    ask(heard.session, now)
    until_done(heard.session, operations.look_next, now)
    run = operations.ask_clusters(heard.session, SYSTEM, Narrowed(label="negative"), now=now)
    until_done(heard.session, operations.look_next, now)
    heap = heard.session.exec(select(Cluster).where(Cluster.run_id == run.id).limit(1)).one()
    for login in ("zhou", "wang"):
        scope = heard.scope(login)
        assert not queries.emerging(heard.session, scope, now=now)
        assert not queries.runs(heard.session, scope)
        assert not queries.clusters(heard.session, scope, run.id or 0)
        with pytest.raises(NotFound):
            queries.held_clusters(heard.session, scope, [heap.id or 0])
        with pytest.raises(NotFound):
            queries.run(heard.session, scope, run.id or 0)


def test_a_province_sees_its_own_words(heard: House, now: datetime) -> None:
    heard.session.add(DiscoveryRun(kind="emerging", province="guangdong", asked_at=now))
    heard.session.flush()
    until_done(heard.session, operations.look_next, now)
    assert [word.word for word in queries.emerging(heard.session, heard.scope("zhou"), now=now)] == ["碰一碰"]
    assert not queries.emerging(heard.session, heard.scope("wang"), now=now)


def test_who_may_not_edit_words_may_not_ask(heard: House, now: datetime) -> None:
    with pytest.raises(Forbidden):
        operations.ask_clusters(heard.session, heard.scope("viewer"), Narrowed(), now=now)


def test_a_place_without_voices_has_nothing_new(heard: House, now: datetime) -> None:
    heard.session.add(DiscoveryRun(kind="emerging", province="tibet", asked_at=now))
    heard.session.add(DiscoveryRun(kind="clusters", province="tibet", asked_at=now))
    heard.session.flush()
    until_done(heard.session, operations.look_next, now)
    assert [(run.state, run.found) for run in heard.session.exec(select(DiscoveryRun))] == [("done", 0)] * 2


def test_a_topic_is_summed_up_in_its_customers_words(heard: House, now: datetime) -> None:
    told = queries.topic_summary(heard.session, heard.scope("zhou"), Filters(touchpoint="app.bill"))
    assert told
    assert any("碰一碰" in sentence for sentence in told)
    assert not queries.topic_summary(heard.session, heard.scope("wang"), Filters(touchpoint="app.bill"))
