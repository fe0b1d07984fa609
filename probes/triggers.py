"""When something that happened is worth a question: rules over the events of one person."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from experience.customers import contact_policy
from experience.ground.errors import Invalid
from experience.ground.i18n import say
from probes.event import TYPES, Kept

KINDS = ("event", "sequence", "anomaly")
LONGEST_WITHIN = 24 * 3600
#: A task that is over, one way or another.
ENDINGS = ("success", "fail", "abandon")
#: Why somebody who met a rule was not asked: the contact policy's reasons and the rule's own.
REASONS = {**contact_policy.REASONS, "hourly_cap": say("已达到这条规则每小时的上限")}


@dataclass(frozen=True, slots=True)
class Rule:
    """WHEN something happens at a touchpoint, offer this survey to the person it happened to."""

    touchpoint: str
    survey: str
    kind: str
    event: str = ""
    count: int = 1
    within_seconds: int = 600
    min_severity: int = 2
    sample: float = 1.0
    sample_class: str = "baseline"
    trigger_id: int | None = None
    hourly_cap: int | None = None


class Past(NamedTuple):
    """What a sitting did before."""

    id: str
    touchpoint: str
    type: str
    at: datetime


def of_survey(code: str, told: Mapping[str, Any]) -> Rule:
    """The rule that a published survey carries itself."""
    return Rule(
        touchpoint=told["touchpoint"],
        survey=code,
        kind=told["type"],
        event=told.get("event") or "",
        min_severity=told.get("minSeverity") or 2,
        sample=1.0 if told.get("sample") is None else told["sample"],
        sample_class=told.get("sampleClass") or "baseline",
    )


def checked(when: Mapping[str, Any]) -> dict[str, Any]:
    """A staff-made rule's WHEN. Raises Invalid for what the rules cannot read."""
    kind = when.get("type")
    if kind not in KINDS:
        raise _refused("type", say("触发类型只能是 %(all)s。", all="、".join(KINDS)))
    if kind == "anomaly":
        severity = when.get("min_severity", 2)
        if severity not in (1, 2, 3):
            raise _refused("min_severity", say("严重程度是 1 到 3。"))
        return {"type": kind, "min_severity": severity}
    if when.get("event") not in TYPES:
        raise _refused("event", say("没有这种事件。"))
    count, within = when.get("count", 1), when.get("within_seconds", 600)
    if not isinstance(count, int) or not 1 <= count <= 100:  # noqa: PLR2004 - more would never be met
        raise _refused("count", say("次数是 1 到 100 的整数。"))
    if not isinstance(within, int) or not 1 <= within <= LONGEST_WITHIN:
        raise _refused("within_seconds", say("时间窗是 1 秒到 24 小时。"))
    return {"type": kind, "event": when["event"], "count": count, "within_seconds": within}


def _refused(field: str, sentence: str) -> Invalid:
    return Invalid(sentence, [{"field": field, "sentence": sentence}])


def matching(rule: Rule, events: Iterable[Kept]) -> list[Kept]:
    """The events a rule counts."""
    if rule.kind not in ("event", "sequence"):
        return []
    return [one for one in events if one.touchpoint == rule.touchpoint and one.type == rule.event]


def hit(rule: Rule, events: Sequence[Kept], earlier: Iterable[Past]) -> Kept | None:
    """The event of this batch that completes the rule, given what the same sitting did before; None if none does."""
    counted = matching(rule, events)
    if not counted:
        return None
    last = max(counted, key=lambda one: one.at)
    since = last.at - timedelta(seconds=rule.within_seconds)
    ids = {one.id for one in counted if one.at >= since}
    ids |= {
        past.id
        for past in earlier
        if (past.touchpoint, past.type) == (rule.touchpoint, rule.event) and since <= past.at <= last.at
    }
    return last if len(ids) >= rule.count else None


def is_drawn(rule: Rule, who: str) -> bool:
    """Whether the rule's own sample holds this person; sticky: never drawn anew for the next event."""
    if rule.sample >= 1:
        return True
    lot = hashlib.blake2b(f"{who}|{rule.survey}|{rule.touchpoint}".encode(), digest_size=8).digest()
    return int.from_bytes(lot, "big") / 2**64 < rule.sample


def snapshot(one: Kept) -> dict[str, Any]:
    """What the probe saw, as a survey's logic reads it: kind, seconds, code, step."""
    found: dict[str, Any] = {"kind": one.type}
    if one.ms is not None:
        found["seconds"] = round(one.ms / 1000, 1)
    if one.code:
        found["code"] = one.code
    if one.step:
        found["step"] = one.step
    return found
