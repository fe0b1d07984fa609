from collections.abc import Iterator

import pytest

from analysis import segment


@pytest.fixture(autouse=True)
def _shipped_words_again() -> Iterator[None]:
    yield
    segment.use()


def test_words_of_the_trade_stay_whole() -> None:
    assert segment.tokens("我要携号转网，不想再被套餐外扣费") == [
        "我要",
        "携号转网",
        "不想",
        "再",
        "被",
        "套餐外",
        "扣费",
    ]


def test_the_words_joined_are_the_text() -> None:
    text = "充值100元,没到账!wifi6 也不行"
    assert "".join(segment.cut(text)) == text


def test_an_operators_word_is_live_and_can_be_taken_back() -> None:
    before = segment.tokens("沃畅享悦套餐")
    segment.use(["沃畅享悦"])
    assert "沃畅享悦" in segment.tokens("沃畅享悦套餐")
    assert segment.words_in_use() == {"沃畅享悦"}
    segment.use([])
    assert segment.tokens("沃畅享悦套餐") == before


def test_jieba_itself_cuts_by_the_same_protocol() -> None:
    segment.use(["沃畅享悦"], engine=segment.Python)
    assert segment.tokens("沃畅享悦的宽带") == ["沃畅享悦", "的", "宽带"]


def test_a_search_and_a_voice_are_cut_alike_whatever_the_script() -> None:
    assert segment.tokens("寬頻斷線") == segment.tokens("宽带断线")
