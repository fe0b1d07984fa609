"""What is acceptable as a voice: sources, sizes, clean text, province codes."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from experience.ground.errors import Invalid
from experience.ground.i18n import say

#: Longest utterance taken, in characters; the longest real complaint letters stay below a tenth of it.
TEXT_LIMIT = 20_000
#: Longest utterance of the public rant zone, in characters.
RANT_LIMIT = 5_000
CONTACT_LIMIT = 80
#: A voice may be dated this far ahead of us: clocks of other systems run fast.
AHEAD = timedelta(hours=26)
EARLIEST_YEAR = 2000

#: The dictionary of sources: code -> (what it is called, how it is collected).
SOURCES: dict[str, tuple[str, str]] = {
    "rant": ("吐槽专区", "客户主动"),
    "survey": ("问卷", "邀约调查"),
    "app": ("手机 App", "客户主动"),
    "web": ("网上营业厅", "客户主动"),
    "chat": ("在线客服", "服务记录"),
    "hotline": ("客服热线", "服务记录"),
    "store": ("营业厅", "服务记录"),
    "complaint": ("投诉工单", "服务记录"),
    "appeal": ("监管申诉", "服务记录"),
    "weibo": ("微博", "社交聆听"),
    "wechat": ("微信", "社交聆听"),
    "douyin": ("抖音", "社交聆听"),
    "xiaohongshu": ("小红书", "社交聆听"),
    "appstore": ("应用商店评论", "社交聆听"),
    "forum": ("论坛贴吧", "社交聆听"),
    "internal_trial": ("体验达人", "内部体验"),
    "import": ("批量导入", "线下采集"),
    "api": ("接口", "系统对接"),
}
_SOURCE_NAMES = {name: code for code, (name, _) in SOURCES.items()} | {
    "热线": "hotline",
    "10086": "hotline",
    "营业网点": "store",
    "微信公众号": "wechat",
    "app": "app",
    "客户端": "app",
    "网厅": "web",
    "吐槽": "rant",
    "投诉": "complaint",
    "工信部": "appeal",
}
_SLUG = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,39}")
_TOUCHPOINT = re.compile(r"[\w.\-]{1,64}")

#: Province code -> name without 省/市/自治区.
PROVINCES: dict[str, str] = {
    "beijing": "北京", "tianjin": "天津", "hebei": "河北", "shanxi": "山西", "neimenggu": "内蒙古",
    "liaoning": "辽宁", "jilin": "吉林", "heilongjiang": "黑龙江", "shanghai": "上海", "jiangsu": "江苏",
    "zhejiang": "浙江", "anhui": "安徽", "fujian": "福建", "jiangxi": "江西", "shandong": "山东",
    "henan": "河南", "hubei": "湖北", "hunan": "湖南", "guangdong": "广东", "guangxi": "广西",
    "hainan": "海南", "chongqing": "重庆", "sichuan": "四川", "guizhou": "贵州", "yunnan": "云南",
    "xizang": "西藏", "shaanxi": "陕西", "gansu": "甘肃", "qinghai": "青海", "ningxia": "宁夏",
    "xinjiang": "新疆", "hongkong": "香港", "macau": "澳门", "taiwan": "台湾",
}  # fmt: skip
_PROVINCE_NAMES = {name: code for code, name in PROVINCES.items()}

_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")
_BLANK_LINES = re.compile(r"\n[ \t\u3000]*(?:\n[ \t\u3000]*){2,}")
_CODE_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # no 0/o, 1/l/i: people read codes out on the phone


@dataclass(frozen=True, slots=True)
class VoiceIn:
    """One utterance on its way in. `customer` is the operator's pseudonymous id; `receipt` its author's secret."""

    text: str
    source: str
    external_id: str | None = None
    at: datetime | None = None
    touchpoint: str = ""
    product: str = ""
    province: str = ""
    customer: str = ""
    customer_id: int | None = None
    device: str = ""
    mood: int | None = None
    contact: str = ""
    consent: bool = False
    receipt: str = ""
    response_id: int | None = None
    import_id: int | None = None
    is_for_board: bool = False


def clean(text: str) -> str:
    """The text without control characters, lone surrogates and heaps of empty lines, trimmed."""
    plain = _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _BLANK_LINES.sub("\n\n", plain).strip()


def source_code(name: str) -> str:
    """The code of a source given by code or by its Chinese name; '' when it can be neither."""
    wanted = name.strip()
    known = _SOURCE_NAMES.get(wanted) or _SOURCE_NAMES.get(wanted.lower())
    if known:
        return known
    return wanted.lower() if _SLUG.fullmatch(wanted.lower()) else ""


def source_name(code: str) -> str:
    """What the source is called; an unknown one is called by its code."""
    return SOURCES[code][0] if code in SOURCES else code


def province_code(name: str) -> str:
    """The code of a province given by code or by name (广东, 广东省, 广西壮族自治区, 广东公司); '' when unknown."""
    wanted = name.strip()
    if wanted.lower() in PROVINCES:
        return wanted.lower()
    for length in (3, 2):
        if wanted[:length] in _PROVINCE_NAMES:
            return _PROVINCE_NAMES[wanted[:length]]
    return ""


def faults(said: VoiceIn, now: datetime) -> list[dict[str, str]]:
    """Why this cannot be taken, field by field; empty when it can. `said` is as `tidied` returns it."""
    found: list[tuple[str, str]] = []
    limit = RANT_LIMIT if said.source == "rant" else TEXT_LIMIT
    if not said.text:
        found.append(("text", say("请写下您想说的话。")))
    elif len(said.text) > limit:
        found.append(
            ("text", say("最多 %(limit)d 个字，现在是 %(length)d 个，请删减。", limit=limit, length=len(said.text)))
        )
    if not said.source:
        found.append(("source", say("缺少来源，或来源不认识：请用小写字母代码，如 hotline、weibo、app。")))
    if said.touchpoint and not _TOUCHPOINT.fullmatch(said.touchpoint):
        found.append(("touchpoint", say("触点代码只能用字母、数字、点和横线，不超过 64 个字符。")))
    if said.province and said.province not in PROVINCES:
        found.append(("province", say("省份不认识：请用代码（如 guangdong）或名称（如 广东）。")))
    if said.mood is not None and not 1 <= said.mood <= 5:
        found.append(("mood", say("心情请用 1（很生气）到 5（很开心）。")))
    if len(said.contact) > CONTACT_LIMIT:
        found.append(("contact", say("联系方式最多 %(limit)d 个字符。", limit=CONTACT_LIMIT)))
    if said.at and (said.at.year < EARLIEST_YEAR or said.at > now + AHEAD):
        found.append(("at", say("时间不对：应在 2000 年之后、不晚于现在。")))
    for field, value, most in (("external_id", said.external_id or "", 200), ("product", said.product, 64)):
        if len(value) > most:
            found.append((field, say("这一项最多 %(limit)d 个字符。", limit=most)))
    return [{"field": field, "sentence": sentence} for field, sentence in found]


def invalid(field: str, sentence: str) -> Invalid:
    """The refusal of one field."""
    return Invalid(sentence, [{"field": field, "sentence": sentence}])


def demand_sound(said: VoiceIn, now: datetime) -> None:
    """Raises Invalid, with a sentence for each field, unless this can be taken."""
    if found := faults(said, now):
        raise Invalid(found[0]["sentence"], found)


def new_code() -> str:
    """A short public code, such as `v7k3m9qfx2pa`; with 11 letters of 31 a clash in a million voices is a rarity."""
    return "v" + "".join(secrets.choice(_CODE_LETTERS) for _ in range(11))


def digest(secret: str) -> str:
    """SHA-256 of a receipt, the only thing kept of it."""
    return hashlib.sha256(secret.encode()).hexdigest()
