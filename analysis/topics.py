"""The two-level tree of topics: fixed first-level codes, second level as data."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from analysis import lexicons
from analysis.matcher import Matcher, longest

#: First level; the codes are a contract with outside programs, the names are shown.
TOPICS: dict[str, str] = {
    "billing": "资费账单",
    "plan": "套餐合约",
    "mobile_network": "移动网络",
    "broadband": "宽带电视",
    "data": "流量",
    "value_added": "增值业务",
    "number": "号卡",
    "store": "营业厅",
    "hotline": "客服热线",
    "app": "线上渠道",
    "marketing": "营销活动",
    "security": "信息安全",
    "roaming": "国际漫游",
    "enterprise": "政企业务",
    "terminal": "终端",
    "other": "其他",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What a term points to: a first-level code and a second-level name."""

    code: str
    detail: str


def _terms() -> Iterator[tuple[str, Rule]]:
    for code, detail, words in lexicons.rows("topics.tsv"):
        for word in words.split():
            yield word, Rule(code, detail)


@cache
def _matcher() -> Matcher[Rule]:
    return Matcher((term, rule) for term, rule in _terms() if len(term) > 1)


@cache
def rules() -> tuple[Rule, ...]:
    """Every second-level topic there is a rule for, in the order of the lexicon."""
    return tuple(dict.fromkeys(rule for _, rule in _terms()))


def hits(clean_text: str) -> list[tuple[int, int, Rule]]:
    """Where the terms of the lexicon stand in a clean text; a term inside a longer term does not count."""
    return longest(_matcher().find(clean_text))


def detail_of(code: str, found: Iterable[tuple[int, int, Rule]]) -> str:
    """The second-level topic of a first-level one with the most characters behind it, or ""."""
    votes: dict[str, int] = {}
    for start, end, rule in found:
        if rule.code == code:
            votes[rule.detail] = votes.get(rule.detail, 0) + end - start
    return max(votes, key=lambda name: votes[name]) if votes else ""
