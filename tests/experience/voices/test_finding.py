"""The newest that fit are found by the intended way, whatever is asked, and pages hold every voice once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from analysis import segment
from experience.ground import store
from experience.organisation.permissions import EVERYWHERE, SYSTEM, Reach, RoleHeld, Scope
from experience.voices import queries, search
from experience.voices.operations import correct
from experience.voices.queries import Filters, finding, pages
from tests.conftest import NOW, _admin, address

COUNT = 6_000
#: Every third speaks of 宽带, one in a thousand of 量子; 湖南 has one in ten; praise comes from the store alone.
_MADE = """
insert into voice (code, source, text, masked, at, heard_at, read_at, triaged_at, touchpoint, product, province, device,
                   contact, consent, fingerprint, board_state, board_reply, votes, tokens, search_form)
select 'v' || n, case n % 5 when 0 then 'store' else 'app' end, t.said, t.said, a.at, a.at, a.at, a.at, '', '',
       case n % 10 when 0 then 'hunan' else 'guangdong' end, '', '', false, (1 + n % 1500) * 6148914691236517,
       'hidden', '', 0,
       cast(t.vector as tsvector), 1
from generate_series(1, :count) n
cross join lateral (select cast(:now as timestamptz) - n * interval '1 hour' as at) a
cross join lateral (select case when n % 1000 = 7 then '量子密话' when n % 3 = 0 then '宽带' else '信号' end as said,
       case when n % 1000 = 7 then '量子:1 子密:2 密话:3' when n % 3 = 0 then '宽带:1' else '信号:1' end as vector) t
"""
_READ = """
insert into reading (voice_id, model, read_at, sentiment, label, confidence, topic, topics, aspects, keywords, urgency,
                     urgency_reasons, intent, evidence, abstains)
select id, 'm', at, 0, case source when 'store' then 'positive' else 'negative' end, 1, case source when 'store' then
       'store' else 'broadband' end, '[]', '[]', '{}', case source when 'store' then 0 else 2 end, '{}', 'complaint',
       '[]', false from voice
"""
HUNAN = Scope(user_id=None, held=(RoleHeld("viewer", Reach(territories=frozenset({"hunan"}))),))


@pytest.fixture(scope="module")
def many(server: str, template: str) -> Iterator[Engine]:
    """Some thousands of voices, one an hour, in a database of this file's own."""
    name = f"{template}_finding"
    _admin(server, f"create database {name} template {template}")
    engine = store.engine(address(server, name))
    with engine.begin() as connection:
        connection.execute(text(_MADE), {"count": COUNT, "now": NOW})
        connection.execute(text(_READ))
        connection.execute(text("update voice set read_at = read_at"))  # labels follow the readings
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum (analyze) voice"))
    yield engine
    engine.dispose()
    _admin(server, f"drop database {name} with (force)")


@pytest.fixture(params=[10, 100_000])
def walks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Few of the newest are looked through, or all."""
    monkeypatch.setattr(finding, "WALKED", request.param)
    return int(request.param)


def plan(session: Session, statement: Any) -> str:
    compiled = statement.compile(dialect=session.connection().dialect)
    rows = session.connection().exec_driver_sql(f"explain (analyze) {compiled.string}", compiled.params)
    return "\n".join(rows.scalars())


def asked(session: Session, scope: Scope = SYSTEM, **filters: Any) -> finding.Asked:
    made = Filters(**filters)
    return finding.asked(session, scope, made, query=search.wanted(made.q, segment.tokens).query, is_folded=True)


def turned(session: Session, scope: Scope, filters: Filters, **more: Any) -> list[queries.Heard]:
    """All pages, one after another."""
    found: list[queries.Heard] = []
    cursor: str | None = ""
    while cursor is not None:
        page = queries.page(session, scope, filters, cursor=cursor, limit=200, **more)
        found += page.items
        cursor = page.next
    return found


def test_what_is_common_is_found_by_walking_through_the_newest(many: Engine) -> None:
    with Session(many) as session:
        told = plan(session, finding.walk(asked(session, q="宽带"), None, 41))
        assert "ix_voice_at_id" in told
        assert "Sort Key: voice.at" not in told


@pytest.mark.parametrize(
    "filters",
    [
        {"q": "量子密话"},
        {"q": "量子密话", "label": "negative"},
        {"label": "positive", "urgency": 2},
        {"q": "量子密话", "province": "hunan"},
        {"topic": "store", "urgency": 3, "source": "app"},
    ],
)
def test_what_is_rare_is_found_by_the_index_over_words_and_labels(many: Engine, filters: dict[str, Any]) -> None:
    with Session(many) as session:
        told = plan(session, finding.look_up(asked(session, **filters), None, 41))
    assert "ix_voice_find" in told
    assert "ix_voice_at_id" not in told
    assert "Seq Scan" not in told


def test_a_list_without_filters_stops_at_its_page(many: Engine) -> None:
    with Session(many) as session:
        told = plan(session, finding.walk(asked(session, until=NOW - timedelta(days=30)), None, 41))
    assert "ix_voice_at_id" in told
    assert "ix_voice_fingerprint_at" in told
    assert "Sort" not in told


@pytest.mark.parametrize(
    ("scope", "filters", "count"),
    [
        (SYSTEM, Filters(q="宽带", sort="newest"), 1998),
        (SYSTEM, Filters(q="量子密话"), 6),
        (SYSTEM, Filters(label="positive"), 1200),
        (SYSTEM, Filters(label="positive", urgency=1), 0),
        (SYSTEM, Filters(province="hunan"), 600),
        (SYSTEM, Filters(province="-"), 0),
        (HUNAN, Filters(), 600),
        (HUNAN, Filters(province="guangdong"), 0),
        (HUNAN, Filters(q="宽带", sort="newest"), 200),
        (SYSTEM, Filters(q="宽带", since=NOW - timedelta(hours=30), until=NOW), 10),
        (SYSTEM, Filters(unit="nowhere"), 0),
        (Scope(user_id=None, held=(RoleHeld("viewer", Reach()),)), Filters(), 0),
        (Scope(user_id=None, held=(RoleHeld("viewer", EVERYWHERE),)), Filters(source="store"), 1200),
    ],
)
def test_both_ways_find_the_same_and_every_voice_once(
    many: Engine, *, walks: int, scope: Scope, filters: Filters, count: int
) -> None:
    with Session(many) as session:
        found = turned(session, scope, filters)
    assert walks
    assert len({heard.voice.id for heard in found}) == len(found) == count
    if filters.sort == "newest":
        assert [h.voice.at for h in found] == sorted((h.voice.at for h in found), reverse=True)


def test_repeats_within_a_week_fold_once_across_pages(many: Engine) -> None:
    with Session(many) as session:
        session.execute(
            text("update voice set fingerprint = 3074457345618258602 where id <= 400")
        )  # 400 hours: more than two weeks
        found = [
            h for h in turned(session, SYSTEM, Filters(), is_folded=True) if h.voice.fingerprint == 3074457345618258602
        ]
        assert [heard.times for heard in found] == [168]
        session.rollback()


def test_ranked_matches_fold_as_one_set_across_pages(many: Engine) -> None:
    with Session(many) as session:
        session.execute(text("update voice set fingerprint = 3074457345618258602 where id <= 900 and masked = '宽带'"))
        found = turned(session, SYSTEM, Filters(q="宽带"), is_folded=True)
        assert sum(heard.times for heard in found) == pages.RANKED
        assert [heard.times for heard in found if heard.voice.fingerprint == 3074457345618258602] == [300]
        session.rollback()


def test_the_database_keeps_the_labels_true_when_a_person_puts_a_reading_right(many: Engine) -> None:
    with Session(many) as session:
        correct(session, SYSTEM, 7, now=NOW, label="positive", topic="billing")
        session.flush()
        kept = session.execute(text("select labels from voice where id = 7")).scalar_one()
        assert {"l:positive", "t:billing", "u:1", "u:2", "p:guangdong", "s:app", "m:2026-11"} <= set(kept)
        assert "l:negative" not in kept
        session.rollback()
