import random
import subprocess
import sys

import pytest

from analysis import clusters, emerging

_THINGS = {
    "盲盒": ("彩铃盲盒抽不到", "盲盒退不了款", "抽盲盒扣了会员费", "彩铃盲盒不知道怎么取消"),
    "碰一碰": ("碰一碰付款没反应", "手机碰一碰交不了话费", "碰一碰支付失败", "营业厅碰一碰坏了"),
    "云电脑": ("云电脑打开黑屏", "云电脑卡得不行", "云电脑登录不上", "云电脑资料丢了"),
}
_PLACES = (
    "家里",
    "单位",
    "学校",
    "车上",
    "小区",
    "商场",
    "早上",
    "晚上",
    "周末",
    "开会",
    "上班",
    "路边",
    "老家",
    "宿舍",
)


def _texts(count: int, seed: int = 3) -> list[str]:
    chance = random.Random(seed)
    said = [one for ones in _THINGS.values() for one in ones]
    return [f"{chance.choice(_PLACES)}用，{chance.choice(said)}，{chance.choice(_PLACES)}也试过" for _ in range(count)]


def test_kindred_voices_lie_together_and_are_named_by_what_they_tell() -> None:
    texts = _texts(240)
    found = clusters.clusters([emerging.cut(text) for text in texts])
    assert found
    for heap in found:
        things = {thing for at in heap.members for thing in _THINGS if thing in texts[at]}
        most = max(sum(thing in texts[at] for at in heap.members) for thing in things)
        assert most >= 0.9 * heap.size, heap.name
    for thing in _THINGS:
        assert any(word in thing for heap in found for word in heap.words)


def test_the_same_voices_and_seed_give_the_same_heaps() -> None:
    texts = [emerging.cut(text) for text in _texts(150)]
    assert clusters.clusters(texts, seed=5) == clusters.clusters(texts, seed=5)


def test_members_are_counted_with_their_repeats_and_shares_are_of_all() -> None:
    texts = _texts(100) + ["云电脑打开黑屏怎么回事"] * 50
    found = clusters.clusters([emerging.cut(text) for text in texts])
    assert sum(heap.size for heap in found) <= len(texts)
    assert sum(heap.share for heap in found) == pytest.approx(sum(heap.size for heap in found) / len(texts))
    assert max(found, key=lambda heap: heap.size).size >= 50
    for heap in found:
        assert set(heap.examples) <= set(heap.members)
        assert len({tuple(emerging.cut(texts[at])) for at in heap.examples}) == len(heap.examples)


@pytest.mark.parametrize("texts", [[], ["宽带断了"] * 500, ["。", "！？", "123"], [chr(0x4E00 + i) for i in range(60)]])
def test_too_little_or_nothing_said_makes_no_heaps(texts: list[str]) -> None:
    assert clusters.clusters([emerging.cut(text) for text in texts]) == []


def test_more_than_the_bound_is_refused() -> None:
    texts = [[f"词语{i}"] for i in range(clusters.MOST + 1)]
    with pytest.raises(ValueError, match="at most"):
        clusters.clusters(texts)


def test_importing_it_brings_no_scikit_learn() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys, analysis.clusters; print('sklearn' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "False"
