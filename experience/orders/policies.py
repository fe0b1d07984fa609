"""Which deadlines an order gets: the first policy that matches, and a default that always does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.orders import deadline

CLOCK_KINDS = ("dispatch", "accept", "contact", "resolve", "hold", "review", "callback", "supervise", "statutory")
TYPES = {"major": "重大/监管", "complaint": "投诉", "experience": "体验问题", "suggestion": "建议/需求"}
_COMMON = {"review": "4wh", "callback": "1wd", "supervise": "1wd", "dispatch": "4wh"}
#: Shipped defaults; every number can be changed. The statutory 15 natural days: MIIT Order 35, answer to a complaint.
#: 24 h contact and 48 h result: DB3212/T 1102-2022.
DEFAULTS: tuple[dict[str, Any], ...] = (
    {
        "code": "major",
        "name": "重大/监管",
        "position": 10,
        "match": {"type": "major"},
        "clocks": {**_COMMON, "accept": "2wh", "contact": "4wh", "resolve": "24nh", "statutory": "15nd"},
    },
    {
        "code": "complaint",
        "name": "投诉",
        "position": 20,
        "match": {"type": "complaint"},
        "clocks": {**_COMMON, "accept": "2wh", "contact": "24nh", "resolve": "48nh", "statutory": "15nd"},
    },
    {
        "code": "suggestion",
        "name": "建议/需求",
        "position": 30,
        "match": {"type": "suggestion"},
        "clocks": {**_COMMON, "accept": "1wd", "contact": "2wd", "resolve": "10wd"},
    },
    {
        "code": "default",
        "name": "体验问题",
        "position": 1000,
        "match": {},
        "clocks": {**_COMMON, "accept": "4wh", "contact": "1wd", "resolve": "5wd"},
    },
)


@dataclass(frozen=True, slots=True)
class Case:
    """What a policy may look at."""

    type: str
    touchpoint: str = ""
    severity: int = 3
    is_key: bool = False


def fits(match: Mapping[str, Any], case: Case) -> bool:
    """Whether every word of the match says the same as the case; lists mean any of them."""
    for name, wanted in match.items():
        found = getattr(case, "is_key" if name == "key" else name)
        if found not in wanted if isinstance(wanted, list) else found != wanted:
            return False
    return True


def first(policies: Iterable[tuple[str, Mapping[str, Any]]], case: Case) -> str:
    """The code of the first policy, by position, that fits; policies end with one that fits everything."""
    return next(code for code, match in policies if fits(match, case))


def demand_sound(match: Mapping[str, Any], clocks: Mapping[str, Any]) -> None:
    """Raises Invalid for an unknown word in `match`, an unknown clock or an unreadable limit, or no `resolve`."""
    unknown = set(match) - {"type", "touchpoint", "severity", "key"} | set(clocks) - set(CLOCK_KINDS)
    if unknown:
        raise Invalid(say("时限策略里有不认识的项：%(names)s。", names="、".join(sorted(unknown))))
    for limit in clocks.values():
        deadline.parse(str(limit))
    if "resolve" not in clocks or "accept" not in clocks:
        raise Invalid(say("时限策略至少要有 accept 和 resolve 两项。"))
