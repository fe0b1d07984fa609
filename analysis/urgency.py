"""How soon somebody must look: 0 not at all, 1 in turn, 2 soon, 3 at once; always with reasons."""

import re
from dataclasses import dataclass
from functools import cache

from analysis import lexicons

_DIGITS = {**dict(zip("零一二三四五六七八九", range(10), strict=True)), "两": 2, "〇": 0, "几": 3}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000}
_MONEY = re.compile(
    r"([0-9][0-9,]*(?:\.[0-9]+)?|[一二两三四五六七八九十百千几]+)\s?([千万百]?)[多余来几]?\s?(?:元|块|蚊|刀|美元|话费|大洋)"
)
_LOSS = re.compile(
    r"扣|收费|收我|收取|损失|赔|退|骗|多花|多付|欠|充|不见|没了|被偷|罚|坑|自动续|押金|违约金|转走|花了|套餐外|超|到账|要我"
)
#: From about this much lost a complaint is urgent. Source: labelling rules of the development set.
_MUCH, _FORTUNE = 100.0, 10_000.0
_SETTLED = re.compile(
    r"已(?:告知|解释|说明|解答|答复|介绍|下发|发送|处理完|致歉)|(?:表示|用户)(?:知晓|明白|理解|认可|满意|清楚|知道)|满意挂机|无其他(?:需求|疑问)|问题已?经?解决|不用再打"
)
_OPEN = re.compile(r"不认可|不接受|不满意|仍|要求|尽快|未解决|不理解")


@dataclass(frozen=True, slots=True)
class Urgency:
    """A level from 0 to 3 and why, in words for staff."""

    level: int
    reasons: tuple[str, ...]


@cache
def _cues() -> tuple[tuple[int, str, re.Pattern[str]], ...]:
    return tuple((int(level), reason, re.compile(pattern)) for level, reason, pattern in lexicons.rows("urgency.tsv"))


def number(text: str) -> float:
    """A figure in digits or simple Chinese numerals: 1,380 → 1380, 三百 → 300, 两千五 → 2005 (rough on purpose)."""
    if text[0].isdigit():
        return float(text.replace(",", ""))
    total = digit = 0
    for character in text:
        if character in _UNITS:
            total += max(digit, 1) * _UNITS[character]
            digit = 0
        else:
            digit = _DIGITS[character]
    return float(total + digit)


def money_lost(text: str) -> float:
    """The largest sum in yuan that stands in a clause about paying, owing or losing; 0 when none."""
    most = 0.0
    for found in _MONEY.finditer(text):
        around = text[max(0, found.start() - 18) : found.end() + 10]
        if _LOSS.search(around):
            most = max(most, number(found.group(1)) * _UNITS.get(found.group(2), 1))
    return most


def urgency(text: str, intent: str) -> Urgency:
    """The urgency of a clean text with its intent. Praise, remarks and suggestions wait; a settled question too."""
    if intent in ("praise", "other"):
        return Urgency(0, ())
    level = 0 if intent == "suggestion" else 1
    if intent == "inquiry" and _SETTLED.search(text) and not _OPEN.search(text):
        return Urgency(0, ("已当场答复",))
    reasons: list[str] = []
    for strength, reason, pattern in _cues():
        if pattern.search(text):
            reasons.append(reason)
            level = max(level, _allowed(strength, intent))
    lost = money_lost(text)
    if lost >= _MUCH:
        reasons.append(f"涉及金额 {lost:.0f} 元")
        level = max(level, _allowed(3 if lost >= _FORTUNE else 2, intent))
    return Urgency(level, tuple(reasons))


def _allowed(strength: int, intent: str) -> int:
    """A question or suggestion that names a danger is told one step lower than a complaint."""
    if intent == "complaint":
        return strength
    return min(strength - 1, 1) if intent == "suggestion" else max(1, strength - 1)
