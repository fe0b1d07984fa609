from datetime import date

import numpy as np
import pytest

from analysis import emerging
from analysis.emerging import Alarm, Period

#: Voices of a period, phrases of the language, and like periods of the past.
_VOICES, _PHRASES, _PAST = 2_000, 3_000, 8
_TRIALS = 100


def _period(chance: np.random.Generator, rates: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Period:
    """One period of a language whose rates wander by a tenth from period to period."""
    counts = chance.poisson(rates * _VOICES * np.exp(chance.normal(0, 0.1, len(rates))))
    return Period(_VOICES, {f"词{i}": int(counts[i]) for i in np.flatnonzero(counts)})


def test_a_new_word_at_five_in_a_thousand_is_caught_and_quiet_weeks_stay_quiet() -> None:
    chance = np.random.default_rng(20261122)
    rates = np.minimum(0.3, 0.5 / np.arange(1, _PHRASES + 1))
    false_weeks = caught = 0
    for _ in range(_TRIALS):
        past = [_period(chance, rates) for _ in range(_PAST)]
        now = _period(chance, rates)
        false_weeks += bool(emerging.alarms(now, past))
        with_new = Period(_VOICES, {**now.counts, "碰一碰": int(chance.poisson(0.005 * _VOICES))})
        caught += "碰一碰" in {alarm.phrase for alarm in emerging.alarms(with_new, past)}
    assert false_weeks / _TRIALS <= 0.05
    assert caught / _TRIALS >= 0.93


def test_a_bigger_week_alone_is_no_alarm() -> None:
    past = [Period(1_000, {"宽带": 40, "话费": 90}) for _ in range(8)]
    assert emerging.alarms(Period(5_000, {"宽带": 200, "话费": 450}), past) == []
    assert [one.phrase for one in emerging.alarms(Period(1_000, {"宽带": 200, "话费": 90}), past)] == ["宽带"]


def test_without_a_past_nothing_is_new() -> None:
    assert emerging.alarms(Period(100, {"宽带": 50}), []) == []
    assert emerging.emerging([["宽带", "断", "了"]] * 9, []) == []


def test_figures_dates_people_places_and_empty_words_are_no_phrases() -> None:
    words = emerging.cut("王女士周三在广东充值100元，3月5日没到账，我们觉得这个问题已经三次了")
    told = emerging.phrases(words)
    assert "充值" in told
    barred = ("女士", "周三", "广东", "100", "元", "月", "我们", "这个", "三次", "问题")
    assert not [phrase for phrase in told if any(word in phrase for word in barred)]


def test_a_phrase_goes_over_no_mark() -> None:
    told = emerging.phrases(["宽带", "，", "彩铃", "盲盒"])
    assert told == {"宽带", "彩铃", "盲盒", "彩铃盲盒"}


def _alarm(phrase: str, count: int, expected: float = 0.1) -> Alarm:
    return Alarm(phrase, count, expected, 1e-9, 1e-6, (0, 0))


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ([_alarm("碰一碰", 20), _alarm("碰一", 20), _alarm("一碰", 21)], ["碰一碰"]),
        ([_alarm("盲盒", 30), _alarm("彩铃盲盒", 12)], ["盲盒"]),
        ([_alarm("失败", 90, 40.0), _alarm("碰一碰失败", 12)], ["失败", "碰一碰失败"]),
    ],
)
def test_pieces_fold_into_the_phrase_they_are_said_in(told: list[Alarm], kept: list[str]) -> None:
    assert [one.phrase for one in emerging.folded(told)] == kept


def test_a_piece_grows_to_the_word_it_is_cut_from_and_no_further() -> None:
    texts = ["碰一碰交不了费", "手机碰一碰总失败", "说好的碰一碰优惠没有", "用了碰一碰没反应"]
    assert emerging.grown("碰一", texts) == "碰一碰"
    assert emerging.grown("碰一碰", texts) == "碰一碰"


def test_a_piece_of_a_stock_sentence_is_a_word_only_where_the_dictionary_knows_it() -> None:
    texts = [f"{start}提速以后开视频会议再也没卡过" for start in ("说真的，", "给好评，", "家里")]
    assert emerging.grown("议再也", texts) == ""
    assert emerging.grown("视频", texts) == "视频"


def _week(day: date, *, new: int) -> list[list[str]]:
    things = ("宽带断网", "流量超套", "话费多扣", "营业厅排队", "客服难打通", "套餐太贵")
    said = [f"{things[i % 6]}第{day.toordinal()}件{i}号，请尽快处理吧{chr(0x4E00 + i)}" for i in range(300)]
    said += [f"{chr(0x5B00 + i)}，彩铃盲盒，退款一直没有{chr(0x6000 + i)}" for i in range(new)]
    said += [f"退款一直没有{chr(0x6100 + i)}" for i in range(12)]
    return [emerging.cut(text) for text in said]


def test_texts_tell_what_is_new_why_and_where() -> None:
    past = [_week(date(2026, 9, day), new=0) for day in (1, 8, 15, 22)]
    now = _week(date(2026, 9, 29), new=12)
    found = emerging.emerging(now, past)
    assert [one.alarm.phrase for one in found] == ["彩铃盲盒"]
    only = found[0]
    assert only.alarm.count == 12
    assert only.alarm.is_new
    assert "退款" in only.together
    assert len(only.voices) == 5
    assert all("盲盒" in now[place] for place in only.voices)


def test_one_text_sent_a_hundred_times_is_one_voice() -> None:
    past = [_week(date(2026, 9, day), new=0) for day in (1, 8, 15, 22)]
    spam = emerging.cut("加微信领彩铃盲盒大奖")
    assert emerging.emerging([*_week(date(2026, 9, 29), new=0), *[spam] * 100], past) == []
