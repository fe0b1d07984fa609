"""A search understands segmented Chinese, keeps to the scope, and pages stay put."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql
from sqlmodel import Session

from analysis import segment
from experience.ground.errors import Invalid, NotFound
from experience.organisation.permissions import SYSTEM, Scope
from experience.organisation.tables import Unit
from experience.voices import queries, search
from experience.voices.intake import VoiceIn
from experience.voices.operations import hear, read_now
from experience.voices.queries import Filters
from experience.voices.tables import Voice
from tests.people import someone

WANG = someone("viewer", name="王", territories=frozenset({"hunan"}))


def said(session: Session, now: datetime, *texts: str, **more: str) -> list[Voice]:
    heard = [hear(session, SYSTEM, VoiceIn(text, "app", **more), now=now) for text in texts]  # type: ignore[arg-type]
    read_now(session, heard, now=now)
    return heard


def found(session: Session, q: str, scope: Scope = SYSTEM) -> list[str]:
    return [heard.voice.text for heard in queries.page(session, scope, Filters(q=q)).items]


def test_words_are_found_wherever_they_stand(session: Session, now: datetime) -> None:
    said(session, now, "充值100元两小时没到账", "宽带老是掉线", "到账很快，充值方便")
    assert set(found(session, "充值 到账")) == {"充值100元两小时没到账", "到账很快，充值方便"}
    assert found(session, "掉线") == ["宽带老是掉线"]


def test_a_phrase_in_quotes_is_found_in_its_order(session: Session, now: datetime) -> None:
    said(session, now, "信号很差", "差在信号")
    assert found(session, "“信号很差”") == ["信号很差"]


def test_traditional_characters_find_simplified_ones(session: Session, now: datetime) -> None:
    said(session, now, "网络信号很差")
    assert found(session, "網絡信號") == ["网络信号很差"]


@pytest.mark.parametrize("q", ["'", "\\", "a & | !", "<->", "(((", ":*", "%", "🙂", "' or 1=1 --", "“", "  ", "的"])
def test_strange_queries_find_something_or_nothing_but_never_fail(session: Session, now: datetime, q: str) -> None:
    said(session, now, "网络信号很差 ' \\ : & | 的")
    found(session, q)


def test_the_best_match_comes_first_and_is_highlighted(session: Session, now: datetime) -> None:
    said(session, now, "充值" + "，其他的都还可以，没有什么问题" * 5 + "到账", "充值到账慢")
    best = queries.page(session, SYSTEM, Filters(q="充值到账")).items[0]
    assert best.voice.text == "充值到账慢"
    assert "".join(best.voice.masked[start:end] for start, end in best.found) == "充值到账"


def test_another_province_finds_nothing(session: Session, now: datetime) -> None:
    voice = said(session, now, "充值不到账", province="guangdong")[0]
    assert found(session, "充值", WANG) == []
    assert queries.page(session, WANG, Filters()).items == []
    with pytest.raises(NotFound):
        queries.one(session, WANG, voice.id or 0)


def test_a_base_sees_its_product_line(session: Session, now: datetime) -> None:
    said(session, now, "咪咕视频卡", product="video")
    base = someone("viewer", product_lines=frozenset({"video"}))
    assert found(session, "视频", base) == ["咪咕视频卡"]


def test_filters_narrow_the_list(session: Session, now: datetime) -> None:
    said(session, now, "充值话费扣了钱不到账", province="guangdong", touchpoint="web.recharge")
    said(session, now, "营业厅态度很好", province="hunan", touchpoint="store.counter")

    def texts(**filters: object) -> list[str]:
        return [h.voice.text for h in queries.page(session, SYSTEM, Filters(**filters)).items]  # type: ignore[arg-type]

    assert texts(label="positive") == texts(topic="store") == texts(province="hunan") == ["营业厅态度很好"]
    assert texts(touchpoint="web.recharge", source="app", label="negative") == ["充值话费扣了钱不到账"]
    assert texts(since=now + timedelta(seconds=1)) == texts(until=now) == texts(source="weibo") == []


def test_a_unit_stands_for_the_provinces_under_it(session: Session, now: datetime) -> None:
    said(session, now, "广东的声音", province="guangdong")
    said(session, now, "湖南的声音", province="hunan")
    centre = Unit(code="centre", name="中心", kind="centre", path="/1/")
    session.add(centre)
    session.flush()
    session.add(Unit(code="gd", name="广东", kind="province", parent_id=centre.id, path="/1/2/", territory="guangdong"))
    session.flush()
    assert [h.voice.text for h in queries.page(session, SYSTEM, Filters(unit="gd")).items] == ["广东的声音"]
    assert len(queries.page(session, SYSTEM, Filters(unit="centre")).items) == 2
    assert queries.page(session, SYSTEM, Filters(unit="nowhere")).items == []


@pytest.mark.parametrize("q", ["", "信号"])
def test_pages_hold_every_voice_once(session: Session, now: datetime, q: str) -> None:
    said(session, now, *(f"第{i}处信号差" for i in range(25)))
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = queries.page(session, SYSTEM, Filters(q=q), cursor=cursor, limit=10)
        seen += [heard.voice.id or 0 for heard in page.items]
        cursor = page.next
        said(session, now, "翻页时又来一条信号差")
    assert len(set(seen)) == len(seen) >= 25


@pytest.mark.parametrize("cursor", ["x", "####", "W10", "eyJhIjoxfQ", "WyJ4IiwgMV0"])
def test_a_cursor_that_is_not_ours_is_refused(session: Session, cursor: str) -> None:
    with pytest.raises(Invalid):
        queries.page(session, SYSTEM, Filters(), cursor=cursor)


def test_fifty_copies_fold_into_one_and_are_counted(session: Session, now: datetime) -> None:
    for number in range(50):
        said(session, now + timedelta(minutes=number), "【转发】校园网一到晚上就掉线，客服推来推去，谁来管管！")
    other = said(session, now, "充值话费扣了钱不到账")[0]
    items = queries.page(session, SYSTEM, Filters(), limit=20, is_folded=True).items
    assert [heard.times for heard in items] == [50, 1]
    assert items[1].voice.id == other.id


def test_a_fold_counts_only_what_the_caller_may_see(session: Session, now: datetime) -> None:
    for province in ("hunan", "guangdong", "guangdong"):
        said(session, now, "校园网一到晚上就掉线，客服推来推去，谁来管管", province=province)
    items = queries.page(session, WANG, Filters(), is_folded=True).items
    assert [heard.times for heard in items] == [1]


@given(st.text(max_size=200))
def test_any_text_makes_a_vector_and_a_query_postgresql_takes(text: str) -> None:
    tokens = segment.tokens(text)
    assert "\0" not in search.vector(tokens)
    search.wanted(text, segment.tokens)


@given(st.text(max_size=60), st.lists(st.text(max_size=5), max_size=5))
def test_highlights_lie_in_the_text_in_order(text: str, terms: list[str]) -> None:
    spans = search.spans(text, terms)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one[1] < other[0] for one, other in zip(spans, spans[1:], strict=False))


@pytest.mark.parametrize("text", ["O'Neil \\' 5G\\", "a:1,2 'b'", "😀😀 emoji 单", "x" * 3000, "‘’“”'':*&|!()<->"])
def test_awkward_words_are_stored_and_found_as_they_are(session: Session, text: str) -> None:
    vector = search.vector(segment.tokens(text))
    query = search.wanted(text, segment.tokens).query
    if query:
        assert (
            session.connection()
            .execute(sql("select cast(:v as tsvector) @@ cast(:q as tsquery)"), {"v": vector, "q": query})
            .scalar()
        )
