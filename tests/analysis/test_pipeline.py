import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opencc import OpenCC

from analysis import pipeline, topics
from analysis.reading import INTENTS, LABELS
from bench.reading import HOSTILE

ANY = st.text(alphabet=st.characters(exclude_categories=()), max_size=300)


@given(ANY)
def test_any_text_gets_a_whole_reading(text: str) -> None:
    reading = pipeline.read(text)
    assert -1 <= reading.sentiment <= 1
    assert reading.label in LABELS
    assert 0 <= reading.confidence <= 1
    assert reading.intent in INTENTS
    assert reading.urgency in range(4)
    assert reading.topics
    assert all(one.code in topics.TOPICS for one in reading.topics)
    for span in reading.evidence:
        assert 0 <= span.start < span.end <= len(text)
        assert -1 <= span.weight <= 1
        assert math.isfinite(span.weight)


@given(ANY)
def test_reading_twice_gives_the_same(text: str) -> None:
    assert pipeline.read(text) == pipeline.read(text)


def test_texts_read_together_are_read_as_alone() -> None:
    texts = ["信号不错但是太贵", "", "怎么退订？", "😀", "宽带师傅很好" * 900, "\ud800"]
    together = list(pipeline.read_many(texts))
    alone = [pipeline.read(text) for text in texts]
    assert together == alone
    assert [round(one, 4) for one in pipeline.sentiments(texts)] == [one.sentiment for one in alone]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_answered_at_once(name: str) -> None:
    pipeline.read("热身")
    started = time.process_time()
    pipeline.read(HOSTILE[name])
    assert time.process_time() - started < 0.2  # the bar is 50 ms; a busy test machine gets four times that


@pytest.mark.parametrize("text", ["", "   ", "。。。", "\ud800", "<b></b>"])
def test_a_text_that_says_nothing_is_neutral_and_other(text: str) -> None:
    reading = pipeline.read(text)
    assert (reading.label, reading.intent, reading.topics[0].code, reading.sentiment) == (
        "neutral",
        "other",
        "other",
        0,
    )


def test_a_clause_has_its_own_aspect_and_polarity() -> None:
    found = {(one.aspect, one.polarity) for one in pipeline.read("信号不错但是太贵").aspects}
    assert found == {("信号", 1), ("资费", -1)}


def test_the_evidence_points_at_the_words_in_the_original() -> None:
    text = "<p>宽带师傅態度很好</p>，谢谢"
    words = [text[span.start : span.end] for span in pipeline.read(text).evidence if span.weight > 0]
    assert any("好" in word for word in words)


def test_traditional_and_simplified_text_score_the_same() -> None:
    text = "昨天报修的宽带到现在没人来，客服说了三次马上处理，太失望了"
    assert pipeline.read(OpenCC("s2t").convert(text)).sentiment == pipeline.read(text).sentiment


def test_repeating_a_sentence_does_not_raise_certainty() -> None:
    once, often = pipeline.read("信号太差了，"), pipeline.read("信号太差了，" * 30)
    assert abs(once.sentiment - often.sentiment) < 0.1


def test_a_question_is_no_complaint() -> None:
    for text in ("请问营业厅几点关门", "怎么查话费余额？", "携号转网需要带什么证件"):
        reading = pipeline.read(text)
        assert (reading.label, reading.intent) == ("neutral", "inquiry")


def test_double_negation_is_praise_and_not_satisfied_is_not() -> None:
    assert pipeline.read("不满意").label == "negative"
    assert pipeline.read("没什么不满意的，挺好").label == "positive"


@pytest.mark.parametrize(
    ("text", "level", "reason"),
    [
        ("再不处理我就去工信部投诉你们", 3, "监管申诉"),
        ("光猫冒烟了差点着火，太危险了", 3, "人身安全"),
        ("多扣了我三百多块，不给退，太差了", 2, "涉及金额 300 元"),
        ("宽带报修五次了还没修好", 2, "多次反映"),
        ("信号差", 1, ""),
        ("师傅态度很好，给个赞", 0, ""),
    ],
)
def test_urgency_comes_with_its_reasons(text: str, level: int, reason: str) -> None:
    reading = pipeline.read(text)
    assert reading.urgency == level
    assert not reason or reason in reading.urgency_reasons


def test_keywords_are_words_of_the_trade_before_everyday_words() -> None:
    assert set(pipeline.read("我昨天办理携号转网，营业厅说还有违约金").keywords[:3]) == {"携号转网", "违约金", "营业厅"}


def test_another_engines_sentiment_takes_the_place_of_the_models() -> None:
    reading = pipeline.read("信号很好", positive=lambda _: 0.0)
    assert reading.sentiment == -1
    assert reading.label == "negative"


def test_personal_data_reaches_no_keyword_and_no_token() -> None:
    reading = pipeline.read("我的号码13812345678，身份证11010519491231002X，没信号")
    assert not {"13812345678", "11010519491231002x"} & {*reading.tokens, *reading.keywords}
