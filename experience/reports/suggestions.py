"""Which units an issue should go to, each with the reason a dispatcher can check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experience.ground.i18n import say

#: A province that said at least this share of an issue's voices is suggested.
SHARE = 0.2
MOST = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A first-level unit that could take the issue."""

    code: str
    name: str
    kind: str
    territory: str = ""
    product_line: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A unit and why; `is_chosen` marks those ticked to begin with."""

    code: str
    name: str
    reason: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Grounds:
    """What is known: the province, the touchpoint's product line, who said it, who solved the like before."""

    province: str
    product_line: str
    voices: Mapping[str, int]  # province code -> how many of the voices
    solvers: Mapping[str, str]  # unit code -> code of the similar issue it solved


def suggest(grounds: Grounds, units: Sequence[Candidate]) -> list[Suggestion]:
    """Units in the order of how strongly the grounds point at them; a unit is named once, with its strongest reason."""
    total = sum(grounds.voices.values())
    made: dict[str, Suggestion] = {}

    def add(unit: Candidate, reason: str, *, is_chosen: bool) -> None:
        made.setdefault(unit.code, Suggestion(unit.code, unit.name, reason, is_chosen))

    for unit in units:
        if unit.kind == "base" and unit.product_line and unit.product_line == grounds.product_line:
            add(unit, say("该触点由其归口"), is_chosen=True)
    for unit in units:
        if unit.territory and unit.territory == grounds.province:
            add(unit, say("问题发生在本省"), is_chosen=True)
    told = [u for u in units if u.kind == "province" and grounds.voices.get(u.territory, 0) >= max(1, SHARE * total)]
    for unit in sorted(told, key=lambda u: -grounds.voices[u.territory]):
        n = grounds.voices[unit.territory]
        reason = say("%(share)d%% 的原声来自本省（%(n)d/%(total)d）", share=round(n / total * 100), n=n, total=total)
        add(unit, reason, is_chosen=not grounds.province)
    for unit in units:
        if unit.code in grounds.solvers:
            add(unit, say("解决过类似问题 %(code)s", code=grounds.solvers[unit.code]), is_chosen=False)
    return list(made.values())[:MOST]
