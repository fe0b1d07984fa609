import math

from hypothesis import given
from hypothesis import strategies as st

from analysis import series


def test_five_times_the_usual_is_a_burst() -> None:
    found = series.bursts({"充值": 50, "信号": 11}, {"充值": [10, 9, 11, 10], "信号": [10, 12, 9, 10]}, periods=4)
    assert [one.key for one in found] == ["充值"]
    assert 4 < found[0].lift < 6


def test_a_word_never_seen_before_is_a_burst_at_a_few_mentions() -> None:
    found = series.bursts({"闪信": 6, "话费": 20}, {"话费": [19, 22, 18, 20]}, periods=4)
    assert found[0].key == "闪信"


def test_one_mention_of_a_new_word_is_no_burst() -> None:
    assert series.bursts({"闪信": 1}, {}, periods=8) == ()


def test_quiet_weeks_raise_few_alarms() -> None:
    past = [[(week * 7 + word * 3) % 5 + 8 for week in range(8)] for word in range(50)]
    counts = {f"w{word}": (word * 3) % 5 + 8 for word in range(50)}
    assert series.bursts(counts, {f"w{word}": one for word, one in enumerate(past)}, periods=8) == ()


@given(st.integers(0, 200), st.lists(st.integers(0, 100), max_size=10))
def test_the_tail_is_a_probability_and_falls_with_the_count(count: int, past: list[int]) -> None:
    here, next_one = series.gamma_poisson_tail(count, past), series.gamma_poisson_tail(count + 1, past)
    assert 0 <= next_one <= here <= 1


def test_the_tail_approaches_poisson_where_the_past_is_long() -> None:
    poisson = 1 - sum(math.exp(-4) * 4**k / math.factorial(k) for k in range(9))
    assert abs(series.gamma_poisson_tail(9, [4] * 2000) - poisson) < 1e-3


def test_telling_words_explain_what_is_different() -> None:
    here = {"充值": 30, "失败": 25, "信号": 10}
    there = {"充值": 5, "失败": 3, "信号": 40, "宽带": 30}
    words = [word for word, score in series.telling_words(here, there) if score > 2]
    assert set(words) == {"充值", "失败"}
    assert series.telling_words({}, there) == []
