"""The table of states: which act moves an order from where to where, who may do it, and what it must say.

Source: the two-level loop's state machine; anything not in this table is a conflict that names what is allowed.
Requests (return, suspend, extend) are objects beside the state: while one is pending every clock keeps running.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from experience.ground.errors import Invalid
from experience.ground.i18n import say

FINAL = frozenset({"archived", "merged", "cancelled"})
#: The holding unit must act: these count against its clock.
WITH_UNIT = frozenset({"dispatched", "processing", "suspended", "internal_review"})
OPEN = WITH_UNIT | {"submitted", "callback", "returned"}
#: Actors, as facts about the caller and the order (see `Standing`).
ACTORS = ("unit", "coordinator", "approver", "superior", "reviewer", "leader", "callback")
MOST_RETURNS = 2
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Move:
    """One line of the table. `target=None` leaves the state; `required` and `optional` name the fields."""

    sources: frozenset[str]
    target: str | None
    actors: tuple[str, ...]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    is_request: bool = False


def _at(*states: str) -> frozenset[str]:
    return frozenset(states)


_REPLY = ("note", "cause", "measure", "contacted")
MOVES: dict[str, Move] = {
    "accept": Move(_at("dispatched"), "processing", ("unit",)),
    "transfer": Move(_at("dispatched", "processing"), None, ("coordinator",), ("unit", "reason")),
    "dispatch": Move(_at("processing", "returned"), None, ("coordinator", "superior"), ("unit", "instructions")),
    "return": Move(
        _at("dispatched", "processing"), None, ("coordinator",), ("reason",), ("evidence", "suggest"), is_request=True
    ),
    "suspend": Move(_at("processing"), None, ("coordinator",), ("reason", "until"), ("evidence",), is_request=True),
    "extend": Move(
        _at("dispatched", "processing"), None, ("coordinator",), ("reason", "due_at"), ("evidence",), is_request=True
    ),
    "resume": Move(_at("suspended"), "processing", ("unit",), (), ("note",)),
    "urge": Move(WITH_UNIT, None, ("superior", "reviewer", "leader"), (), ("note",)),
    "supervise": Move(OPEN, None, ("leader",), (), ("note",)),
    "escalate": Move(OPEN, None, ("leader", "superior"), (), ("reason",)),
    "submit": Move(_at("processing"), "submitted", ("unit",), _REPLY, ("evidence",)),
    "reply": Move(_at("processing"), "submitted", ("unit",), _REPLY, ("evidence",)),
    "approve_internal": Move(_at("internal_review"), "submitted", ("approver",), (), ("note",)),
    "reject_internal": Move(_at("internal_review"), "processing", ("approver",), ("reason",)),
    "confirm": Move(_at("submitted"), "callback", ("reviewer",), (), ("score", "note")),
    "reject": Move(_at("submitted"), "processing", ("reviewer",), ("reason",)),
    "callback": Move(_at("callback"), "archived", ("callback",), ("result",), ("note", "responsible")),
    "archive": Move(_at("callback"), "archived", ("callback", "reviewer"), (), ("note",)),
    "reopen": Move(_at("archived"), "processing", ("reviewer",), ("reason",)),
    "merge": Move(_at("dispatched", "processing"), "merged", ("superior",), ("into",), ("reason",)),
    "cancel": Move(_at("draft", "dispatched"), "cancelled", ("superior",), ("reason",)),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands between an order and an act: its state, the caller's parts, and the order's circumstances."""

    state: str
    actors: frozenset[str]
    has_internal_review: bool = False
    has_open_children: bool = False
    pending: frozenset[str] = frozenset()
    returns: int = 0
    is_forced: bool = False
    is_extended: bool = False
    is_due_past: bool = False
    is_above_past: bool = False  # the province's own order, which this one helps, is no longer being worked on
    is_parent_of_all: bool = False  # the centre's own order over several units: its state follows its children


def allowed(standing: Standing) -> list[str]:
    """The acts this caller may do now, in the table's order."""
    return [act for act in MOVES if _is_open(act, standing)]


def _is_open(act: str, standing: Standing) -> bool:
    if standing.state not in MOVES[act].sources or not is_actor(act, standing):
        return False
    return not any(is_so(act, standing) for is_so, _ in _HINDRANCES)


def is_actor(act: str, standing: Standing) -> bool:
    """Whether the caller is one who may do this act at all, whatever the state."""
    if act == "dispatch" and standing.state == "returned":
        return "superior" in standing.actors
    if act == "dispatch":
        return "coordinator" in standing.actors
    return not standing.actors.isdisjoint(MOVES[act].actors)


def refusal(act: str, standing: Standing) -> str | None:
    """Why the act cannot be done now, as a sentence; None when it can (who may do it included)."""
    move = MOVES[act]
    if not is_actor(act, standing):
        return say("这一步不由您的岗位来做。")
    if standing.state not in move.sources:
        return say("工单现在的状态不能这样做。")
    return _circumstance(act, standing)


def _circumstance(act: str, standing: Standing) -> str | None:
    for is_so, sentence in _HINDRANCES:
        if is_so(act, standing):
            return sentence()
    return None


_OVER_CHILDREN = ("urge", "supervise", "escalate", "cancel")
#: What stands in the way of an act that the state allows: (whether it does, the sentence).
_HINDRANCES: tuple[tuple[Callable[[str, Standing], bool], Callable[[], str]], ...] = (
    (
        lambda act, so: so.is_parent_of_all and act not in _OVER_CHILDREN,
        lambda: say("主单的状态随子单变化，请在子单上操作。"),
    ),
    (
        lambda act, so: act in ("submit", "reply") and so.has_open_children,
        lambda: say("还有子单没有办结，不能回单。"),
    ),
    (
        lambda act, so: act in ("return", "merge") and so.has_open_children,
        lambda: say("还有子单没有办结，不能退单或并单。"),
    ),
    (
        lambda act, so: act == "reopen" and so.is_above_past,
        lambda: say("上级工单已经回单或办结，请先退回或重开上级工单。"),
    ),
    (lambda act, so: act in so.pending, lambda: say("同样的申请正在等待审批。")),
    (
        lambda act, so: act == "return" and (so.is_forced or so.returns >= MOST_RETURNS),
        lambda: say("本工单已经终审强派，不能再退单。"),
    ),
    (lambda act, so: act == "extend" and so.is_extended, lambda: say("只能延期一次。")),
    (lambda act, so: act == "extend" and so.is_due_past, lambda: say("延期要在到期前申请。")),
)


def target(act: str, standing: Standing) -> str:
    """The state after the act."""
    if act in ("submit", "reply") and standing.has_internal_review:
        return "internal_review"
    if act == "dispatch" and standing.state == "returned":
        return "dispatched"
    return MOVES[act].target or standing.state


RESULTS = ("satisfied", "basically", "dissatisfied", "unreachable")
_CAUSE = re.compile(r"[a-z][a-z0-9_]{0,39}")
PAUSE_REASONS = ("等用户", "等第三方", "不可抗力")


def checked(act: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The act's fields, each of its kind. Raises Invalid naming every missing, unknown or unsound one."""
    move = MOVES[act]
    known = {*move.required, *move.optional}
    faults: list[tuple[str, str]] = [(name, say("这一步没有这个字段。")) for name in sorted(set(fields) - known)]
    faults += [(name, say("这一项必须填写。")) for name in move.required if _is_empty(fields.get(name))]
    for name in sorted(known & set(fields)):
        if not _is_empty(fields[name]) and (fault := _fault(act, name, fields[name])):
            faults.append((name, fault))
    if faults:
        told = [{"field": name, "sentence": sentence} for name, sentence in faults]
        raise Invalid(say("这一步的内容不完整或有误，请按提示修改。"), told)
    return {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()}


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _fault(act: str, name: str, value: Any) -> str | None:
    if name in _KINDS:
        is_fine, sentence = _KINDS[name]
        return None if is_fine(value) else sentence
    if not isinstance(value, str):
        return say("应是文字。")
    if len(value) > LONGEST:
        return say("太长，最多 %(limit)d 个字。", limit=LONGEST)
    if name == "reason" and act == "suspend" and value.strip() not in PAUSE_REASONS:
        return say("挂起原因只能是等用户、等第三方或不可抗力。")
    return None


def _is_score(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100


_TRUTH = (lambda value: isinstance(value, bool), say("只能是 true 或 false。"))
#: field -> (whether a value is sound, the sentence when it is not)
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "contacted": _TRUTH,
    "responsible": _TRUTH,
    "score": (_is_score, say("质检评分是 0 到 100 的整数。")),
    "result": (
        lambda value: value in RESULTS,
        say("回访结果只能是 satisfied、basically、dissatisfied 或 unreachable。"),
    ),
    "cause": (
        lambda value: isinstance(value, str) and bool(_CAUSE.fullmatch(value)),
        say("原因请用代码，例如 system、network、process。"),
    ),
}
