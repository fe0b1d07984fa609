"""Counts of topics: equal to what hands count, whether from the day's sums or from the voices, within the scope."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, text
from sqlmodel import Session, col, select

from experience.measures.tables import TopicDay, TopicDayStale
from experience.organisation.permissions import SYSTEM
from experience.voices import operations, queries
from experience.voices.intake import VoiceIn
from experience.voices.operations.counting import count_next
from experience.voices.queries import UNNAMED, Filters, topics
from experience.voices.tables import Reading, Voice
from experience.voices.trends import Span, Tally, added
from tests.people import build_house

BILLING, STORE, PRAISE = (
    "充值话费扣了钱不到账，太失望了",
    "营业厅排队太久没人管",
    "营业厅的姑娘很热情，办得又快又好，谢谢",
)


@pytest.fixture
def span(now: datetime) -> Span:
    today = now.astimezone(topics.BEIJING).date()
    return Span(today - timedelta(days=6), today)


@pytest.fixture
def heard(session: Session, now: datetime) -> list[Voice]:
    """Seven days: billing twice a day in Guangdong, once in Hunan; the store once a day without a province."""
    said = []
    for day in range(7):
        at = now - timedelta(days=day)
        for said_so, province, touchpoint in (
            (BILLING, "guangdong", "web.recharge"),
            (BILLING, "guangdong", "app.login"),
            (BILLING, "hunan", "web.recharge"),
            (STORE if day % 2 else PRAISE, "", ""),
        ):
            told = VoiceIn(said_so, "hotline", province=province, touchpoint=touchpoint, at=at)
            said.append(operations.hear(session, SYSTEM, told, now=now))
    operations.read_now(session, said, now=now)
    return said


def settle(session: Session, now: datetime) -> None:
    while count_next(session, now):
        pass


def totals(found: dict[str, dict[date, Tally]]) -> dict[str, tuple[int, int]]:
    return {topic: (added(days.values()).n, added(days.values()).texts) for topic, days in found.items()}


def test_days_being_counted_again_and_days_that_are_done_say_the_same(
    session: Session, heard: list[Voice], now: datetime, span: Span
) -> None:
    before = topics.by_day(session, SYSTEM, Filters(), span)
    places = topics.by_place(session, SYSTEM, Filters(), span, kind="province")
    assert session.exec(select(func.count()).select_from(TopicDayStale)).one() > 0
    settle(session, now)
    assert session.exec(select(func.count()).select_from(TopicDayStale)).one() == 0
    assert topics.by_day(session, SYSTEM, Filters(), span) == before
    assert topics.by_place(session, SYSTEM, Filters(), span, kind="province") == places
    assert totals(before) == {"billing": (21, 7), "store": (7, 7)}


def test_a_text_said_again_the_same_day_counts_once_as_a_text(
    session: Session, heard: list[Voice], now: datetime, span: Span
) -> None:
    settle(session, now)
    places = topics.by_place(session, SYSTEM, Filters(), span, kind="province")
    assert {place: (tally.n, tally.texts) for (place, _), tally in places.items()} == {
        "guangdong": (14, 7), "hunan": (7, 7), "": (7, 7)
    }  # fmt: skip


@pytest.mark.parametrize("is_settled", [True, False])
def test_every_count_is_the_length_of_the_list_it_opens(
    session: Session, heard: list[Voice], now: datetime, is_settled: bool
) -> None:
    today = now.astimezone(topics.BEIJING).date()
    span = Span(today - timedelta(days=4), today)
    if is_settled:
        settle(session, now)
    since, until = topics.midnight(span.first), topics.midnight(span.last + timedelta(days=1))
    for filters in (
        Filters(),
        Filters(province="guangdong"),
        Filters(province=UNNAMED),
        Filters(touchpoint="web.recharge", province="hunan"),
        Filters(source="hotline"),
        Filters(topic="store"),
        Filters(product="video"),
    ):
        for kind in topics.KINDS:
            for (place, topic), tally in topics.by_place(session, SYSTEM, filters, span, kind=kind).items():
                asked = {"since": since, "until": until, "topic": topic, kind: place or UNNAMED}
                narrowed = {name: getattr(filters, name) for name in topics.KINDS if getattr(filters, name)}
                listed = queries.page(session, SYSTEM, Filters(**(narrowed | asked)), limit=100)
                assert len(listed.items) == tally.n


def test_a_province_counts_its_own_only(session: Session, heard: list[Voice], now: datetime, span: Span) -> None:
    house = build_house(session, now)
    for settled in (False, True):
        if settled:
            settle(session, now)
        assert totals(topics.by_day(session, house.scope("wang"), Filters(), span)) == {"billing": (7, 7)}
        assert totals(topics.by_day(session, house.scope("zhou"), Filters(), span)) == {"billing": (14, 7)}
        assert topics.by_day(session, house.scope("zhou"), Filters(province="hunan"), span) == {}
        assert topics.by_day(session, house.scope("wu"), Filters(), span) == {}


def test_a_corrected_topic_is_counted_where_it_belongs_at_once(
    session: Session, heard: list[Voice], now: datetime, span: Span
) -> None:
    settle(session, now)
    operations.correct(session, SYSTEM, heard[0].id or 0, topic="app", now=now)
    assert totals(topics.by_day(session, SYSTEM, Filters(), span))["app"] == (1, 1)
    settle(session, now)
    assert totals(topics.by_day(session, SYSTEM, Filters(), span))["app"] == (1, 1)


def test_a_voice_that_moves_to_another_day_leaves_the_old_one(
    session: Session, heard: list[Voice], now: datetime, span: Span
) -> None:
    settle(session, now)
    heard[0].at = now - timedelta(days=3)
    session.add(heard[0])
    session.flush()
    moved = topics.by_day(session, SYSTEM, Filters(topic="billing"), span)["billing"]
    assert (moved[span.last].n, moved[span.last - timedelta(days=3)].n) == (2, 4)


def test_a_voice_taken_out_is_counted_no_more(session: Session, heard: list[Voice], now: datetime, span: Span) -> None:
    settle(session, now)
    session.delete(session.get_one(Reading, heard[0].id))
    session.flush()
    settle(session, now)
    assert topics.by_day(session, SYSTEM, Filters(), span)["billing"][span.last].n == 2
    assert session.exec(select(func.sum(col(TopicDay.n))).where(TopicDay.kind == "")).one() == 27


def test_a_months_map_is_read_by_the_index_over_days(session: Session, now: datetime, span: Span) -> None:
    many = text(
        "insert into topic_day (kind, day, value, topic, n, texts, negative, positive, sentiment) "
        "select kind, cast(:today as date) - back, value::text, 'billing', 1, 1, 0, 0, 0 "
        "from unnest(array['', 'province']) kind, generate_series(0, 700) back, generate_series(1, 12) value"
    )
    session.execute(many, {"today": span.last})
    session.execute(text("analyze topic_day"))
    asked = text("explain select * from topic_day where kind = 'province' and day between :first and :last")
    plan = "\n".join(session.execute(asked, {"first": span.first, "last": span.last}).scalars())
    assert "pk_topic_day" in plan
    assert "Seq Scan" not in plan
