"""How grave an issue is, and when voices make one: rules that say why."""

from dataclasses import dataclass
from datetime import timedelta

from experience.ground.i18n import say

#: Negative voices on one topic at one touchpoint and province within the window that make an issue by themselves.
CLUSTER = 5
CLUSTER_WINDOW = timedelta(hours=24)
#: A burst must also be this many times the same place's own daily mean of the weeks before.
CLUSTER_LIFT = 2.0
BASELINE = timedelta(days=28)
#: Voices older than this make no new issue: an imported archive is history, not news.
NEWS = timedelta(days=7)
#: A case a person dismissed is not raised again by volume for this long (an urgent voice still is).
REST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Signal:
    """What is known of a case: gravest urgency (0–3), negative voices, their mean sentiment (−1..1), key touchpoint."""

    urgency: int = 0
    voices: int = 1
    sentiment: float = 0.0
    is_key: bool = False
    has_anomaly: bool = False


@dataclass(frozen=True, slots=True)
class Graded:
    """A severity, 1 the gravest to 4 the least, and the reason in a sentence."""

    severity: int
    reason: str


def severity(signal: Signal) -> Graded:
    """The severity this signal suggests: points for urgency, place, volume, anomaly and anger, and why."""
    points, reasons = 0, []
    for is_so, worth, reason in _grounds(signal):
        if is_so:
            points += worth
            reasons.append(reason)
    if signal.urgency >= 3:
        level = 1 if points >= 5 else 2
    else:
        level = 2 if points >= 4 else 3 if points >= 2 else 4
    return Graded(level, "；".join(reasons) or say("单条一般反映"))


def _grounds(signal: Signal) -> list[tuple[bool, int, str]]:
    return [
        (signal.urgency >= 3, 3, say("有特急原声（监管、媒体、人身或大面积中断）")),
        (signal.urgency == 2, 2, say("有紧急原声（重复投诉、较大损失或离网意向）")),
        (signal.is_key, 1, say("关键触点")),
        (signal.has_anomaly, 2, say("指标同时出现异动")),
        (signal.voices >= 20, 2, say("相关负面原声 %(n)d 条", n=signal.voices)),
        (3 <= signal.voices < 20, 1, say("相关负面原声 %(n)d 条", n=signal.voices)),
        (signal.sentiment <= -0.7, 1, say("情绪强烈")),
    ]


def is_cluster(recent: int, daily_before: float) -> bool:
    """Whether so many negative voices within the window stand out, given the place's own daily mean before."""
    return recent >= CLUSTER and recent >= CLUSTER_LIFT * daily_before
