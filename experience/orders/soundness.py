"""What keeps a policy from being taken: each fault with its field, in a sentence that says what to do."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from experience.ground.errors import Invalid
from experience.ground.i18n import Sentence, say
from experience.orders import deadline
from experience.orders.deadline import Limit

#: The one that fits everything and stands last, so that no order can lack a due.
LAST = "default"
#: For a form in which the unit is chosen, so that only the number can be wrong.
UNREADABLE = say("请填大于 0 的数字，例如 8；按天的要是整数，不要太大。")
REQUIRED = ("accept", "resolve")
ANSWERED_BY_LAW = frozenset({"complaint", "major"})
MOST_NAME, MOST_POSITION = 80, 100_000
#: The page of a policy to be made has this in the place of a code.
NEW = "new"
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class PolicyIn:
    """A policy as an administrator describes it; `clocks` maps a kind to a limit such as 8wh."""

    code: str
    name: str
    position: int = 100
    match: Mapping[str, Any] = field(default_factory=dict)
    clocks: Mapping[str, str] = field(default_factory=dict)


def faults(told: PolicyIn, others: Iterable[PolicyIn], *, is_new: bool = False) -> list[dict[str, str]]:
    """Every fault as field and sentence; none means that the policy may be taken among these others."""
    found = (
        *(_code(told.code) if is_new else ()),
        *_names(told),
        *_clocks(told.clocks),
        *_law(told),
        *_place(told, list(others)),
    )
    return [{"field": name, "sentence": sentence} for name, sentence in found]


def _code(code: str) -> Iterator[tuple[str, Sentence]]:
    if not _CODE.fullmatch(code) or code == NEW:
        yield "code", say("代码用小写英文字母、数字和短横线，最长 40 个字符，例如 key-complaint。")


def _names(told: PolicyIn) -> Iterator[tuple[str, Sentence]]:
    if not 0 < len(told.name) <= MOST_NAME:
        yield "name", say("请填名称，最长 %(n)s 个字。", n=MOST_NAME)
    if not 0 < told.position <= MOST_POSITION:
        yield "position", say("顺序填 1 到 %(n)s 的整数，小的先匹配。", n=MOST_POSITION)


def _clocks(clocks: Mapping[str, str]) -> Iterator[tuple[str, Sentence]]:
    limits: dict[str, Limit] = {}
    for kind, text in clocks.items():
        try:
            limits[kind] = deadline.parse(text)
        except Invalid:
            yield f"clock-{kind}", UNREADABLE
    yield from ((f"clock-{kind}", say("这一项必须有时限。")) for kind in REQUIRED if kind not in clocks)
    if "statutory" in limits and limits["statutory"].is_working:
        yield "clock-statutory", say("法定答复按自然时间计：单位请选“小时”或“天”。")
    whole = limits.get("resolve")
    for kind in ("accept", "contact"):
        part = limits.get(kind)
        if part and whole and part.unit == whole.unit and part.amount > whole.amount:
            yield f"clock-{kind}", say("比办结时限还长：请缩短，或放宽办结时限。")


def _law(told: PolicyIn) -> Iterator[tuple[str, Sentence]]:
    """What the law wants answered within a time gets a clock for it: MIIT Order 35, as in `policies.DEFAULTS`."""
    if _any_of(told.match.get("type")) & ANSWERED_BY_LAW and "statutory" not in told.clocks:
        yield "clock-statutory", say("投诉和重大事件要有法定答复时限（工信部令第 35 号：15 天）。")


def _place(told: PolicyIn, others: list[PolicyIn]) -> Iterator[tuple[str, Sentence]]:
    if told.code == LAST:
        if told.match:
            yield "match", say("兜底策略不能有条件，否则会有工单没有时限。")
        if any(other.position >= told.position for other in others):
            yield "position", say("兜底策略要排在所有策略之后。")
        return
    if not told.match:
        yield "match", say("请至少选一个条件：没有条件的只能是兜底策略。")
        return
    last = next((other for other in others if other.code == LAST), None)
    if last is not None and told.position >= last.position:
        yield "position", say("顺序要小于兜底策略的 %(position)s，否则永远轮不到。", position=last.position)
    before = shadow(told, others)
    if before is not None:
        yield "position", say("前面的“%(name)s”已经包含这些条件，永远轮不到：请排到它前面。", name=before.name)
    behind = next((other for other in others if other.code != LAST and shadow(other, [told])), None)
    if behind is not None:
        yield "position", say("会把后面的“%(name)s”全部挡住：请排到它后面，或收窄条件。", name=behind.name)


def shadow(told: PolicyIn, others: Iterable[PolicyIn]) -> PolicyIn | None:
    """The policy that stands before this one and takes whatever this one would; None when its turn can come."""
    ahead = (other for other in others if (other.position, other.code) < (told.position, told.code))
    return next((other for other in ahead if covers(other.match, told.match)), None)


def covers(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    """Whether every case that fits `narrow` fits `wide` too."""
    return all(name in narrow and _any_of(narrow[name]) <= _any_of(wanted) for name, wanted in wide.items())


def _any_of(wanted: Any) -> set[Any]:
    return set(wanted) if isinstance(wanted, list) else {wanted}
