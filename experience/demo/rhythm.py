"""When things happen: the day and the week of a telecom customer, and the incidents planted in the demo's past."""

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")
DAYS = 90
#: Share of a day's contacts in each hour: quiet at night, peaks in mid-morning and in the evening.
HOURS = (6, 3, 2, 1, 1, 2, 6, 14, 30, 46, 52, 44, 34, 36, 42, 44, 42, 40, 42, 52, 60, 54, 36, 16)
#: Monday to Sunday: Mondays bring the weekend's troubles, weekends are calmer.
WEEK = (1.15, 1.02, 1.0, 1.0, 1.04, 0.88, 0.8)
#: Somebody is at the desks of centre and provinces, in two shifts a day, on weekends too.
SHIFT = time(8, 30), time(21, 0)
EVENING = timedelta(hours=3, minutes=30)


@dataclass(frozen=True, slots=True)
class Incident:
    """A planted trouble: where, from when (before now), how long, how deep, and what customers say of it."""

    touchpoint: str
    provinces: tuple[str, ...]  # empty: everywhere
    began: timedelta
    lasted: timedelta
    success_share: float  # of the usual success rate
    slowdown: float
    topic: str
    voices: int
    code: str
    says: tuple[str, ...]  # words by which complaints about it are known; see tales.yaml


INCIDENTS = (
    Incident(
        "web.recharge", ("guangdong",), timedelta(days=3, hours=2), timedelta(hours=5), 0.55, 2.5, "billing", 90, "PAY_TIMEOUT",
        ("没到账", "银行卡扣了", "扣了我两次", "另一个金额"),
    ),
    Incident("app.plan_change", (), timedelta(days=26), timedelta(days=2), 0.78, 1.2, "plan", 150, "CONFIRM_500",
        ("一直报错", "找不到入口", "次月生效")),
    Incident(
        "web.broadband", ("sichuan", "chongqing"), timedelta(days=52), timedelta(days=6), 0.82, 3.5, "broadband", 120, "SLOT_EMPTY",
        ("可约时段", "没人来", "一改再改", "还没人联系"),
    ),
)  # fmt: skip


def moments(chance: random.Random, count: int, now: datetime) -> list[datetime]:
    """So many instants of the last 90 days, in the rhythm of day and week, oldest first."""
    days = list(range(DAYS))
    local = now.astimezone(BEIJING)
    weights = [WEEK[(local - timedelta(days=back)).weekday()] * (1 + 0.2 * (1 - back / DAYS)) for back in days]
    found: list[datetime] = []
    while len(found) < count:
        back = chance.choices(days, weights)[0]
        hour = chance.choices(range(24), HOURS)[0]
        at = (local - timedelta(days=back)).replace(
            hour=hour, minute=chance.randrange(60), second=chance.randrange(60), microsecond=0
        )
        if at < local:
            found.append(at.astimezone(now.tzinfo))
    return sorted(found)


def during(chance: random.Random, incident: Incident, now: datetime) -> datetime:
    """An instant while the incident lasts, or in the half day after it, when most people complain."""
    spread = incident.lasted + timedelta(hours=12)
    at = now - incident.began + spread * chance.betavariate(1.6, 2.4)
    return min(at, now)


def on_shift(at: datetime) -> datetime:
    """The instant when somebody is at work; the night's instants are spread over the evening before, in their order."""
    local = at.astimezone(BEIJING)
    begins, ends = (local.replace(hour=t.hour, minute=t.minute, second=0, microsecond=0) for t in SHIFT)
    if begins <= local < ends:
        return at
    fell = ends if local >= ends else ends - timedelta(days=1)
    share = (local - fell) / (begins + timedelta(days=1) - ends)
    return (fell - EVENING + share * EVENING).astimezone(at.tzinfo)
