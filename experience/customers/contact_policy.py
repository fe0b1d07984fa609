"""Whom we may bother, and when: one policy for surveys, follow-ups and everything else that asks for a moment.

Checked in the order of the document; the first refusal is the answer, and its reason is logged.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
#: Channels by which we reach into what the customer is doing; on the others they come of themselves.
PUSHED = frozenset({"popover", "inline", "sms"})
#: Reasons in the order they are looked at, with the sentence staff read.
REASONS = {
    "not_open": "问卷没有开放",
    "channel": "这个渠道不投放该问卷",
    "audience": "客户不在目标人群内",
    "sample": "抽样未抽中",
    "max_shows": "已达到该问卷对同一客户的展示次数上限",
    "repeat": "不久前已经答过这份问卷",
    "cooldown": "最近已经向客户展示过问卷",
    "session": "本次会话已经展示过问卷",
    "dismissed": "客户近期多次关闭问卷",
    "quiet_hours": "现在是免打扰时段",
    "holdout": "客户属于固定的不调查对照组",
    "do_not_ask": "客户要求不再被打扰",
    "one_at_a_time": "客户面前已有一份问卷",
    "quota": "配额已满",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The policy's numbers; defaults as the document has them. `quiet` is a local window, None for none."""

    sample: float = 1.0
    max_shows: int = 1
    repeat_after_days: float = 90
    cooldown_days: float = 7
    max_per_session: int = 1
    dismissals: int = 2
    dismiss_backoff_days: float = 30
    quiet: tuple[time, time] | None = (time(22), time(8))
    holdout: float = 0.02


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one person at one moment; `what` names the thing we would ask (a survey's code).

    `shows` and `answered_at` are of this very thing, `last_shown_at`, `shows_in_session` and `dismissals`
    (within the back-off) of anything.
    """

    subject: str
    what: str
    channel: str = "popover"
    is_open: bool = True
    has_channel: bool = True
    is_audience: bool = True
    shows: int = 0
    answered_at: datetime | None = None
    last_shown_at: datetime | None = None
    shows_in_session: int = 0
    dismissals: int = 0
    is_do_not_ask: bool = False
    is_being_asked: bool = False
    is_quota_full: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to ask; `reason` is a key of REASONS when not."""

    show: bool
    reason: str = ""


def draw(subject: str, what: str) -> float:
    """The sticky lot of this person for this thing, in [0, 1): the same on every trigger, server and day."""
    digest = hashlib.sha256(f"{subject}|{what}".encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56


def decide(facts: Facts, settings: Settings, now: datetime) -> Verdict:
    """Whether this person may be asked now; the first refusal in the document's order, else show."""
    reason = next((name for name, refuses in checked(facts, settings, now) if refuses), "")
    return Verdict(show=not reason, reason=reason)


def checked(facts: Facts, settings: Settings, now: datetime) -> tuple[tuple[str, bool], ...]:
    """Every check in its order and whether it refuses."""
    return (
        ("not_open", not facts.is_open),
        ("channel", not facts.has_channel),
        ("audience", not facts.is_audience),
        ("sample", draw(facts.subject, facts.what) >= settings.sample),
        ("max_shows", facts.shows >= settings.max_shows),
        ("repeat", _within(facts.answered_at, settings.repeat_after_days, now)),
        ("cooldown", _within(facts.last_shown_at, settings.cooldown_days, now)),
        ("session", facts.shows_in_session >= settings.max_per_session),
        ("dismissed", facts.dismissals >= settings.dismissals),
        ("quiet_hours", facts.channel in PUSHED and is_quiet(settings.quiet, now)),
        ("holdout", draw(facts.subject, "holdout") < settings.holdout),
        ("do_not_ask", facts.is_do_not_ask),
        ("one_at_a_time", facts.is_being_asked),
        ("quota", facts.is_quota_full),
    )


def is_quiet(window: tuple[time, time] | None, now: datetime) -> bool:
    """Whether local time lies in [start, end); a window may pass midnight."""
    if window is None:
        return False
    start, end = window
    local = now.astimezone(ZONE).time()
    return start <= local < end if start <= end else local >= start or local < end


def _within(at: datetime | None, days: float, now: datetime) -> bool:
    return at is not None and now - at < timedelta(days=days)
