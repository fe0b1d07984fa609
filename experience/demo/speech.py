"""The demo's customers speak: thousands of sentences that differ, from `phrases.yaml` and the habits of each channel."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CITIES: dict[str, tuple[str, ...]] = {
    "beijing": ("朝阳", "昌平"), "tianjin": ("滨海", "河西"), "hebei": ("石家庄", "保定"), "shanxi": ("太原", "大同"),
    "neimenggu": ("呼和浩特", "包头"), "liaoning": ("沈阳", "大连"), "jilin": ("长春", "吉林市"), "heilongjiang": ("哈尔滨", "齐齐哈尔"),
    "shanghai": ("浦东", "闵行"), "jiangsu": ("南京", "苏州"), "zhejiang": ("杭州", "宁波"), "anhui": ("合肥", "芜湖"),
    "fujian": ("福州", "泉州"), "jiangxi": ("南昌", "赣州"), "shandong": ("济南", "青岛"), "henan": ("郑州", "洛阳"),
    "hubei": ("武汉", "宜昌"), "hunan": ("长沙", "衡阳"), "guangdong": ("广州", "东莞", "惠州"), "guangxi": ("南宁", "桂林"),
    "hainan": ("海口", "三亚"), "chongqing": ("渝北", "万州"), "sichuan": ("成都", "绵阳"), "guizhou": ("贵阳", "遵义"),
    "yunnan": ("昆明", "大理"), "xizang": ("拉萨", "日喀则"), "shaanxi": ("西安", "咸阳"), "gansu": ("兰州", "天水"),
    "qinghai": ("西宁", "海东"), "ningxia": ("银川", "吴忠"), "xinjiang": ("乌鲁木齐", "喀什"),
}  # fmt: skip
PLANS = ("59元套餐", "89元5G套餐", "129元畅享套餐", "39元青春卡", "199元融合套餐", "19元轻享套餐")
#: intent -> share among ordinary voices; people who write in mostly complain
MOODS = {"complaint": 0.58, "inquiry": 0.2, "suggestion": 0.1, "praise": 0.12}
SOURCES = {"rant": 0.22, "app": 0.2, "hotline": 0.28, "wechat": 0.12, "weibo": 0.1, "store": 0.08}

_OPENERS = {
    "complaint": ("", "", "", "气死了，", "真是服了，", "我想投诉：", "你好，", "反映一个问题，", "用了八年的老用户，", "您好，", "说实话，", "请问你们管不管？"),
    "inquiry": ("", "", "你好，", "麻烦问一下，", "客服您好，", "想咨询一下，"),
    "suggestion": ("", "", "提个小建议：", "个人意见，", "一点想法，"),
    "praise": ("", "", "必须表扬一下，", "难得说句好话，", "给个好评，"),
}  # fmt: skip
_CLOSERS = {
    "complaint": ("", "", "。", "！", "，什么时候能解决？", "，请尽快处理。", "，再这样我就转网了。", "，给个说法吧", "，太让人失望了。", "，希望有人管一管。", "，这就是你们的服务？", "，不解决我就打12300。", "，影响生活了。"),
    "inquiry": ("？", "？谢谢", "", "，麻烦告知"),
    "suggestion": ("。", "，谢谢。", "", "，仅供参考"),
    "praise": ("！", "。", "，继续保持", "，谢谢"),
}  # fmt: skip
_HABITS = {
    "hotline": ("客户来电反映：{said}。要求尽快核实并回复。", "用户称{said}，情绪较激动，请跟进。", "来电，{said}，已安抚，待处理。"),
    "weibo": ("#星禾通信# {said}", "@星禾通信客服 {said}[怒]", "{said} 有没有一样的？"),
    "store": ("现场登记：{said}", "客户到厅反映{said}"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """One made-up utterance, where and how it was made."""

    text: str
    topic: str
    intent: str
    touchpoint: str
    source: str
    province: str


def phrases() -> list[dict[str, Any]]:
    """The phrase book: a list of topics, each with touchpoints and sentences by intent."""
    loaded: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("phrases.yaml").read_text("utf-8"))
    return loaded


def speak(chance: random.Random, provinces: dict[str, float], *, topic: str = "", intent: str = "") -> Iterator[Said]:
    """Endless utterances; provinces by their share of customers, topics by how much there is to say of them.

    `topic` and `intent` fix these, for planted incidents.
    """
    book = [entry for entry in phrases() if topic in ("", entry["topic"])]
    weights = [len(entry["complaint"]) ** 1.3 for entry in book]
    while True:
        entry = chance.choices(book, weights)[0]
        mood = intent or chance.choices(list(MOODS), list(MOODS.values()))[0]
        province = chance.choices(list(provinces), list(provinces.values()))[0]
        source = chance.choices(list(SOURCES), list(SOURCES.values()))[0]
        said = _fill(chance, chance.choice(entry[mood]), province)
        yield Said(
            text=_in_the_manner_of(chance, source, mood, said),
            topic=entry["topic"],
            intent=mood,
            touchpoint=chance.choice(entry["touchpoints"]),
            source=source,
            province=province,
        )


def _fill(chance: random.Random, sentence: str, province: str) -> str:
    slots = {
        "yuan": chance.choice((50, 100, 100, 200, 300, 500)),
        "small": chance.choice((3, 5, 6, 8, 10, 15, 18, 20, 29, 30, 38, 45)),
        "minute": chance.choice((10, 15, 20, 30, 40, 50)),
        "hour": chance.randint(2, 9),
        "day": chance.randint(2, 15),
        "times": chance.randint(2, 6),
        "city": chance.choice(CITIES[province]),
        "plan": chance.choice(PLANS),
        "month": f"{chance.randint(5, 11)}月",
        "speed": chance.choice((200, 300, 500, 1000)),
    }
    return sentence.format(**slots)


def _in_the_manner_of(chance: random.Random, source: str, mood: str, said: str) -> str:
    if source in _HABITS and mood == "complaint":
        return chance.choice(_HABITS[source]).format(said=said)
    text = chance.choice(_OPENERS[mood]) + said + chance.choice(_CLOSERS[mood])
    if source == "wechat" and chance.random() < 0.3:
        return text.replace("，", " ").rstrip("。")
    return text
