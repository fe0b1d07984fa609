"""What the demo's customers have begun to speak of lately, and what the clock then finds."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Engine

from experience.demo import operator, rhythm
from experience.demo.past import Past
from experience.discovery import operations as discovery
from experience.discovery.operations.asking import Narrowed
from experience.ground import sweep
from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM
from experience.voices import operations
from experience.voices.intake import VoiceIn

#: What nobody spoke of before: how many voices, over how many days, where, and what is said of it.
_NEW: tuple[tuple[int, int, str, tuple[str, ...]], ...] = (
    (
        34,
        6,
        "app.recharge",
        (
            "碰一碰交话费，钱扣了{when}还没到账", "营业厅那个碰一碰机器刷了两次，扣了两份钱", "手机碰一碰没反应，店员也不会弄",
            "碰一碰缴费一直转圈，{place}的机器也一样", "宣传说碰一碰立减5元，我{when}碰了根本没减", "安卓手机能用碰一碰，苹果的碰了没用",
            "{place}营业厅的碰一碰又坏了，排队半小时", "碰一碰扣的钱在账单里查不到", "碰一碰支付要开什么权限，{when}弄了好久",
        ),
    ),
    (
        26,
        7,
        "app.bill",
        (
            "抽了三次彩铃盲盒都是同一首，钱能退吗", "彩铃盲盒怎么取消，{when}又扣了9块9", "孩子误点了彩铃盲盒，扣了二十多",
            "彩铃盲盒根本没说要连续包月", "我没买过彩铃盲盒，账单上{when}多了一笔", "彩铃盲盒抽到的铃声放不出来，{place}也查不到",
        ),
    ),
)  # fmt: skip
#: What no topic fits: talked of all the time, little of each.
_APART: tuple[tuple[str, ...], ...] = (
    (
        "爱心驿站的饮水机{when}空了", "{place}爱心驿站的药箱是空的", "爱心驿站的微波炉坏了，热不了饭", "爱心驿站能不能周末也开着",
        "感谢{place}爱心驿站，送外卖能进来歇脚喝水",
    ),
    (
        "校园招聘的笔试结果{when}还没出", "投了校园招聘的简历，一直没消息", "{place}的校园招聘宣讲会人太多进不去", "校园招聘能不能不限专业",
        "{when}去校园招聘，面试官很和气",
    ),
    (
        "你们的工程车停在{place}小区门口挡路", "{place}的工程车把花坛压坏了", "{when}你们工程车刮了我的车就走了", "工程车半夜在楼下开着发动机",
    ),
    (
        "你们赞助的马拉松{when}发的水不够", "马拉松{place}赛段没有厕所", "报了马拉松，参赛包还没寄", "马拉松的志愿者{when}很热情",
    ),
)  # fmt: skip
_WHEN = ("昨天", "前天", "今天", "上周", "上个月", "周末", "这个月", "前几天")
_ENDS = ("", "", "。", "！", "，什么时候能解决？", "，请尽快处理。", "，给个说法吧", "，希望有人管一管。")
#: How often in the whole past something of that is said.
_APART_COUNT = 90
_SOURCES = ("app", "rant", "wechat", "hotline", "store")


def hear(engine: Engine, past: Past) -> int:
    """Hears what is new and what is apart; returns how many voices."""
    chance = past.chance("novelty")
    told = [*_new(chance, past), *_apart(chance, past)]
    with transaction(engine) as session:
        operations.hear_many(session, sorted(told, key=lambda said: said.at or past.now), now=past.now)
    return len(told)


def _new(chance: random.Random, past: Past) -> Iterator[VoiceIn]:
    for thing, (count, days, touchpoint, sentences) in enumerate(_NEW):
        for number in range(past.count(count, least=8)):
            back = timedelta(days=days) * chance.betavariate(1.2, 2.0) + timedelta(days=1)
            yield _said(chance, sentences[number % len(sentences)], past.now - back, f"n{thing}-{number}", touchpoint)


def _apart(chance: random.Random, past: Past) -> Iterator[VoiceIn]:
    moments = rhythm.moments(chance, past.count(_APART_COUNT, least=48), past.now - timedelta(hours=1))
    for number, at in enumerate(moments):
        sentences = _APART[number % len(_APART)]
        yield _said(chance, chance.choice(sentences), at, f"o{number}", "store.counter")


def _said(chance: random.Random, sentence: str, at: datetime, mark: str, touchpoint: str) -> VoiceIn:
    province = chance.choice([code for code, _, _ in operator.PROVINCES])
    text = sentence.format(when=chance.choice(_WHEN), place=chance.choice(("市区", "东街", "老城", "学校旁", "万达")))
    return VoiceIn(
        text=text + chance.choice(_ENDS),
        source=chance.choice(_SOURCES),
        external_id=f"demo-{mark}",
        at=at,
        touchpoint=touchpoint,
        province=province,
    )


def find(engine: Engine, past: Past) -> int:
    """Looks for new words and makes heaps, as the clock does at night; returns how many were found."""
    with transaction(engine) as session:
        discovery.ask_nightly(session, now=past.now)
        discovery.ask_clusters(session, SYSTEM, Narrowed(days=90), now=past.now)
    return sweep.run(engine, sweep.Job("discovery.look", discovery.look_next, 1), past.now)
