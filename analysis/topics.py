"""The two-level tree of topics: fixed first-level codes, second level as data."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from analysis import lexicons, normalise
from analysis.matcher import Hit

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
def rules() -> tuple[Rule, ...]:
    """Every second-level topic there is a rule for, in the order of the lexicon; a rule's number is its place."""
    return tuple(dict.fromkeys(rule for _, rule in _terms()))


@cache
def terms() -> tuple[tuple[str, int], ...]:
    """Each term with the number of its rule."""
    numbers = {rule: number for number, rule in enumerate(rules())}
    return tuple((term, numbers[rule]) for term, rule in _terms() if len(term) > 1)


@cache
def codes_of_rules() -> tuple[int, ...]:
    """For each rule the place of its first-level code among `TOPICS`."""
    places = {code: place for place, code in enumerate(TOPICS)}
    return tuple(places[rule.code] for rule in rules())


@dataclass(frozen=True, slots=True)
class Own:
    """A term of the operator's own: as it stands in clean texts, and what it points to."""

    term: str
    rule: Rule


class _Desk:
    """Holds the operator's own terms, swapped as one step while other threads read."""

    def __init__(self) -> None:
        self.own: tuple[Own, ...] = ()


_desk = _Desk()


def use(terms: Iterable[tuple[str, str, str]]) -> None:
    """From now on these (term, first-level code, second-level name) stand beside the shipped lexicon; the whole list.

    The shipped rules keep their numbers, which are the model's inputs: own terms never reach the model. They name the
    second level, and lead the first where they are strong (`led`). What is shorter than two characters, or of
    an unknown code, is left out.
    """
    cleaned = ((normalise.clean(term).text, Rule(code, detail)) for term, code, detail in terms)
    _desk.own = tuple(Own(term, rule) for term, rule in cleaned if len(term) > 1 and rule.code in TOPICS)


def own_terms() -> tuple[Own, ...]:
    """The operator's terms in use; the same object until others are used."""
    return _desk.own


def votes(hits: Iterable[Hit[int]]) -> list[float]:
    """How the lexicon votes: each code's share of the hits (by the root of their length), then 1 for the first."""
    shares = [0.0] * (2 * len(TOPICS))
    places = codes_of_rules()
    total = 0.0
    first = -1
    for start, end, number in hits:
        weight = math.sqrt(end - start)
        shares[places[number]] += weight
        total += weight
        if first < 0:
            first = places[number]
    if total:
        shares = [share / total for share in shares]
        shares[len(TOPICS) + first] = 1.0
    return shares


#: Money that went and did not arrive is the object of the business wherever it happened: the place it happened at
#: (网厅, App, 营业厅) is named in nearly every such text and would lead the model astray.
_MONEY_ASTRAY = re.compile(
    r"(?:充值|充的?话?费|充了|缴费|交费|付款|支付|扣了|扣款|扣钱|被扣)[^。！？]{0,24}?"
    r"(?:不到账|没到账|未到账|没有到账|没到|不给退|没退|不退|银行卡扣|扣了\d)"
)


#: A longer text says more than that, and the model reads all of it.
_ONE_THING = 32


def leading(text: str) -> str:
    """The first-level code a short text is certainly about whatever the model says, or ""."""
    return "billing" if len(text) <= _ONE_THING and _MONEY_ASTRAY.search(text) else ""


#: So many characters of own terms lead whatever the model says; fewer lead only where it is not sure.
_STRONG = 3


def led(own: Iterable[Hit[Rule]], *, is_sure: bool) -> str:
    """The first-level code the operator's own terms lead to, or "". `is_sure`: the model knows another topic well."""
    weights: dict[str, int] = {}
    for start, end, rule in own:
        weights[rule.code] = weights.get(rule.code, 0) + end - start
    best = max(weights, key=weights.__getitem__, default="")
    return best if best and (weights[best] >= _STRONG or not is_sure) else ""


def detail_of(code: str, hits: Iterable[Hit[int]], own: Iterable[Hit[Rule]] = ()) -> str:
    """The second-level topic of a first-level one with the most characters behind it, or ""; own terms come first."""
    mine = _detail(code, ((start, end, rule) for start, end, rule in own))
    return mine or _detail(code, ((start, end, rules()[number]) for start, end, number in hits))


def _detail(code: str, hits: Iterable[Hit[Rule]]) -> str:
    counts: dict[str, int] = {}
    for start, end, rule in hits:
        if rule.code == code:
            counts[rule.detail] = counts.get(rule.detail, 0) + end - start
    return max(counts, key=counts.__getitem__) if counts else ""
