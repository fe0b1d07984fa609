"""What is typed finds what was said, however either was written and cut."""

from datetime import datetime

import pytest
from sqlalchemy import text as sql
from sqlmodel import Session

from analysis import segment
from experience.organisation.permissions import SYSTEM
from experience.voices import queries, search
from experience.voices.intake import VoiceIn
from experience.voices.operations import hear, read_now, refreshing
from experience.voices.queries import Filters

TABLE: tuple[tuple[str, str, bool], ...] = (
    ("宽带", "宽带费又涨了", True),
    ("宽带费", "宽带的费用太高", True),
    ("费", "宽带费又涨了", True),
    ("网速慢", "晚上网速慢", True),
    ("网速慢", "网速太慢了", True),
    ("“网速慢”", "晚上网速慢得很", True),
    ("“网速慢”", "网速太慢", False),
    ("\"网速慢\"", "慢的不是网速", False),
    ("「充值不到账」", "充值不到账", True),
    ("“充值，不到账”", "充值不到账", True),
    ("通信", "普通信号都没有", False),
    ("“通信”", "普通信号都没有", True),
    ("通信", "星禾通信客服", True),
    ("網絡信號", "网络信号很差", True),
    ("网络信号", "網絡信號很差", True),
    ("５Ｇ套餐", "办了5G套餐", True),
    ("wifi", "家里的WiFi6连不上", True),
    ("WIFI6", "家里的wifi6连不上", True),
    ("ifi", "家里的wifi6连不上", False),
    ("100", "充了1000元", False),
    ("100元", "充值100元没到", True),
    ("13812345678", "我的号码13812345678停机了", True),
    ("13812340000", "我的号码13812345678停机了", False),
    ("宽带 退款", "宽带装不上，要求退款", True),
    ("宽带 退款", "宽带装不上", False),
    ("宽带 -退款", "宽带装不上，要求退款", False),
    ("宽带 -退款", "宽带装不上", True),
    ("宽带 －“要求退款”", "宽带装不上，要求退款", False),
    ("-宽带", "信号很差", True),
    ("-宽带", "宽带很差", False),
    ("2024-2025", "合约2024-2025年", True),
    ("不满意", "我很不满意", True),
    ("不满意", "我很满意", False),
    ("没信号", "地下室没信号", True),
    ("的", "这是我的", True),
    ("携号转网", "想携号转网到别家", True),
    ("转网", "想携号转网到别家", True),
    ("ひかり", "ひかり回線が遅い", True),
)  # fmt: skip


def heard(session: Session, now: datetime, *texts: str) -> list[int]:
    voices = [hear(session, SYSTEM, VoiceIn(text, "app"), now=now) for text in texts]
    read_now(session, voices, now=now)
    return [voice.id or 0 for voice in voices]


def found(session: Session, q: str, **more: str) -> list[str]:
    return [one.voice.text for one in queries.page(session, SYSTEM, Filters(q=q, **more)).items]  # type: ignore[arg-type]


@pytest.mark.parametrize(("typed", "said", "is_found"), TABLE)
def test_what_is_typed_finds_what_was_said(
    session: Session, now: datetime, typed: str, said: str, is_found: bool
) -> None:
    heard(session, now, said, "完全是另一回事：营业厅排队")
    assert (said in found(session, typed)) is is_found


@pytest.mark.parametrize(
    ("said", "word"), [("我的沃派套餐怎么取消", "沃派"), ("云宽带盒子坏了", "云宽带盒子"), ("魔百和开不了机", "魔百和")]
)
def test_a_new_word_of_the_operator_finds_what_was_said_before_it(
    session: Session, now: datetime, said: str, word: str
) -> None:
    segment.use(())
    heard(session, now, said)
    try:
        segment.use((word,))
        assert found(session, word) == [said]
        segment.use(())
        assert found(session, word) == [said]
    finally:
        segment.use(())


@pytest.mark.parametrize(
    "typed",
    [
        "宽带 " * 10_000, "很" * 200, "\0宽带\0", "'宽带' & !'x':*", "宽带:*A | <-> (", "\\", "''", '"' * 200,
        "-" * 200, "- - -", "“”", "(((((", "😀" * 100, "\ud800", "a" * 200, "1 " * 100, "“" + "宽带" * 99, "-“", "%_%",
    ],
)  # fmt: skip
def test_hostile_queries_are_answered(session: Session, now: datetime, typed: str) -> None:
    heard(session, now, "宽带很慢")
    for sort in ("", "newest"):
        found(session, typed, sort=sort)


def test_highlights_show_the_words_as_they_were_written(session: Session, now: datetime) -> None:
    heard(session, now, "網絡信號很差，ＷｉＦｉ也不行")
    (one,) = queries.page(session, SYSTEM, Filters(q="网络 wifi")).items
    assert [one.voice.masked[start:end] for start, end in one.found] == ["網絡", "ＷｉＦｉ"]


def test_words_not_wanted_are_not_highlighted(session: Session, now: datetime) -> None:
    assert search.wanted("宽带 -退款", segment.tokens).terms == ("宽带",)


def test_voices_kept_in_an_older_form_are_brought_up(session: Session, now: datetime) -> None:
    (voice_id,) = heard(session, now, "宽带费又涨了")
    session.execute(sql("update voice set tokens = '''宽带费''\\:1', search_form = 0"))
    assert found(session, "宽带") == []
    assert refreshing.refresh_next(session, now)
    assert not refreshing.refresh_next(session, now)
    assert found(session, "宽带") == ["宽带费又涨了"]
    assert voice_id
