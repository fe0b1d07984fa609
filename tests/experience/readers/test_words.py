"""The operator's own words and terms: live in every process at its next batch, and only the centre's to change."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from analysis import segment, topics
from experience.audit.tables import AuditLine
from experience.ground.errors import Forbidden, Invalid, NotFound
from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM
from experience.readers import directory
from experience.readers.operations import use_current, words
from experience.readers.operations.current import forget
from experience.readers.tables import OperatorWord, ReaderState, TopicTerm
from tests.people import House

_OTHER_PROCESS = """
import sys
from sqlmodel import Session
from analysis import pipeline, segment
from experience.ground import store
from experience.readers.operations import use_current
engine = store.engine(sys.argv[1])
for _ in sys.stdin:
    with Session(engine) as session:
        model = use_current(session)
    first = pipeline.read("店里碰一碰交费坏了", model=model).topics[0]
    print("/".join(segment.tokens("店里碰一碰交费")), first.code, first.detail, flush=True)
"""


@pytest.fixture(autouse=True)
def _nothing_of_ours_stays() -> Iterator[None]:
    forget()
    yield
    forget()


def test_another_process_reads_with_a_new_word_at_its_next_batch(own_database: Engine, now: datetime) -> None:
    url = own_database.url.render_as_string(hide_password=False).replace("+psycopg", "")
    other = subprocess.Popen(
        [sys.executable, "-c", _OTHER_PROCESS, url],
        cwd=Path(__file__).parents[3],
        env=dict(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdin is not None
    assert other.stdout is not None

    def read() -> str:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write("read\n")
        other.stdin.flush()
        return other.stdout.readline().strip()

    try:
        assert "碰一碰" not in read().split()[0].split("/")
        with transaction(own_database) as session:
            words.add_words(session, SYSTEM, ["碰一碰"], now=now)
            words.add_terms(session, SYSTEM, ["碰一碰"], "app", "碰一碰支付", now=now)
        cut, code, detail = read().split()
        assert "碰一碰" in cut.split("/")
        assert (code, detail) == ("app", "碰一碰支付")
        with transaction(own_database) as session:
            word = session.exec(select(OperatorWord)).one()
            words.remove_word(session, SYSTEM, word.id or 0, now=now)
        assert "碰一碰" not in read().split()[0].split("/")
    finally:
        other.communicate(timeout=20)


def test_what_is_not_committed_is_not_read_with(own_database: Engine, now: datetime) -> None:
    with Session(own_database) as one, Session(own_database) as other:
        words.add_words(one, SYSTEM, ["通通盾"], now=now)
        use_current(other)
        assert "通通盾" not in segment.words_in_use()
        one.commit()
        use_current(other)
        assert "通通盾" in segment.words_in_use()


def test_words_are_kept_as_they_stand_in_clean_texts_and_once(house: House, now: datetime) -> None:
    analyst = house.scope("analyst")
    assert words.add_words(house.session, analyst, ["ＡＩ通話助手", " 通通盾 ", "", "通通盾"], now=now) == [
        "ai通话助手",
        "通通盾",
    ]
    assert words.add_words(house.session, analyst, ["AI通话助手", "云手机"], now=now) == ["云手机"]
    found, following = directory.words(house.session, analyst, q="通")
    assert sorted(word.word for word in found) == ["ai通话助手", "通通盾"]
    assert following is None
    acts = house.session.exec(select(AuditLine).where(col(AuditLine.act) == "words.add")).all()
    assert [act.detail["count"] for act in acts] == [2, 1]


@pytest.mark.parametrize(
    "word", ["盾", "1", "12345", "有 空格", "标点，", "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌"]
)
def test_what_cannot_be_a_word_is_refused_by_name(house: House, now: datetime, word: str) -> None:
    with pytest.raises(Invalid):
        words.add_words(house.session, house.scope("analyst"), ["云手机", word], now=now)
    assert not house.session.exec(select(OperatorWord)).all()


def test_a_term_added_again_moves_within_its_first_level(house: House, now: datetime) -> None:
    lin = house.scope("lin")
    assert words.add_terms(house.session, lin, ["碰一碰"], "app", "碰一碰", now=now) == ["碰一碰"]
    assert words.add_terms(house.session, lin, ["碰一碰"], "app", "碰一碰", now=now) == []
    assert words.add_terms(house.session, lin, ["碰一碰"], "app", "近场支付", now=now) == ["碰一碰"]
    assert [(term.code, term.detail) for term in directory.terms(house.session, lin)[0]] == [("app", "近场支付")]
    assert directory.details(house.session, lin) == [("app", "近场支付")]
    assert directory.counts(house.session, lin) == directory.Counts(words=0, terms=1, details=1)


def test_a_term_taken_away_no_longer_names_a_topic(house: House, now: datetime) -> None:
    lin = house.scope("lin")
    words.add_terms(house.session, lin, ["碰一碰"], "app", "碰一碰", now=now)
    use_current(house.session)
    assert len(topics.own_terms()) == 1
    term = house.session.exec(select(TopicTerm)).one()
    words.remove_term(house.session, lin, term.id or 0, now=now)
    use_current(house.session)
    assert topics.own_terms() == ()
    with pytest.raises(NotFound):
        words.remove_term(house.session, lin, term.id or 0, now=now)


def test_adding_nothing_new_tells_nobody(house: House, now: datetime) -> None:
    words.add_words(house.session, house.scope("lin"), ["云手机"], now=now)
    before = house.session.exec(select(ReaderState.revision)).one()
    words.add_words(house.session, house.scope("lin"), ["云手机"], now=now)
    assert house.session.exec(select(ReaderState.revision)).one() == before


@pytest.mark.parametrize("login", ["viewer", "zhou", "wang", "designer"])
def test_words_are_not_everybodys_to_change(house: House, now: datetime, login: str) -> None:
    scope = house.scope(login)
    with pytest.raises(Forbidden):
        words.add_words(house.session, scope, ["云手机"], now=now)
    with pytest.raises(Forbidden):
        words.add_terms(house.session, scope, ["云手机"], "app", "云手机", now=now)


def test_lists_go_on_page_by_page(house: House, now: datetime) -> None:
    lin = house.scope("lin")
    words.add_words(house.session, lin, [f"产品{i}号" for i in range(70)], now=now)
    first, following = directory.words(house.session, lin)
    rest, last = directory.words(house.session, lin, after=following or 0)
    assert (len(first), len(rest), last) == (60, 10, None)
    words.add_terms(house.session, lin, [f"说法{i}号" for i in range(120)], "app", "名", now=now)
    some, place = directory.terms(house.session, lin, code="app")
    others, end = directory.terms(house.session, lin, code="app", after=place)
    assert (len(some), len(others), end) == (100, 20, None)
