"""How customers flow through the demo's touchpoints: counts by hour and province that agree with one another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from experience.demo import operator, rhythm
from experience.demo.rhythm import BEIJING, DAYS, HOURS, INCIDENTS, WEEK, Incident

Counts = NDArray[np.int64]
PROVINCES = tuple(code for code, _, _ in operator.PROVINCES)
SHARES = np.array([share for _, _, share in operator.PROVINCES]) / sum(share for _, _, share in operator.PROVINCES)


@dataclass(frozen=True, slots=True)
class Habit:
    """A touchpoint in ordinary times: starts a day, share that succeeds of those that end, share that gives up, ms."""

    starts: int
    success: float
    abandon: float
    median_ms: float
    codes: tuple[str, ...]


HABITS: Mapping[str, Habit] = {
    "app.bill": Habit(95_000, 0.985, 0.03, 1400, ("BILL_TIMEOUT", "AUTH_EXPIRED")),
    "web.recharge": Habit(62_000, 0.955, 0.08, 5200, ("PAY_TIMEOUT", "PAY_REFUSED", "LIMIT")),
    "app.recharge": Habit(88_000, 0.972, 0.05, 4300, ("PAY_TIMEOUT", "PAY_REFUSED", "RISK_CHECK")),
    "web.invoice": Habit(4_500, 0.95, 0.1, 6100, ("TITLE_WRONG", "MAIL_REFUSED")),
    "web.plan_list": Habit(9_000, 0.97, 0.45, 2600, ("LIST_TIMEOUT", "NO_STOCK")),
    "app.plan_change": Habit(14_000, 0.94, 0.2, 7400, ("CONFIRM_500", "RULE_CONFLICT", "ARREARS")),
    "web.broadband": Habit(5_200, 0.93, 0.3, 9800, ("SLOT_EMPTY", "NO_RESOURCE", "ADDRESS_UNKNOWN")),
    "app.data_pack": Habit(21_000, 0.965, 0.1, 3100, ("PAY_REFUSED", "RULE_CONFLICT")),
    "app.sim": Habit(4_800, 0.88, 0.3, 15_000, ("FACE_MISMATCH", "ID_EXPIRED", "SMS_TIMEOUT")),
    "wechat.service": Habit(16_000, 0.86, 0.12, 42_000, ("NO_ANSWER", "AGENT_BUSY")),
    "hotline.10086": Habit(24_000, 0.83, 0.15, 95_000, ("QUEUE_LEFT", "MENU_LEFT")),
}


#: A small demo has numbers only where something happens.
_ENOUGH = 0.5


def touchpoints(scale: float) -> list[str]:
    """The touchpoints that have numbers at this scale of the demo."""
    needed = {incident.touchpoint for incident in INCIDENTS} | {"app.recharge"}
    return [touchpoint for touchpoint in HABITS if scale >= _ENOUGH or touchpoint in needed]


@dataclass(frozen=True, slots=True)
class Mending:
    """A trouble that an order ended: until then fewer succeeded there."""

    touchpoint: str
    province: str
    began: datetime
    ended: datetime


@dataclass(slots=True)
class Flow:
    """One touchpoint's past: arrays of hours x provinces; the last hour may be under way."""

    touchpoint: str
    start: datetime  # Beijing midnight, 89 days ago
    counts: dict[str, Counts] = field(default_factory=dict)
    codes: dict[str, Counts] = field(default_factory=dict)
    slow: NDArray[np.float64] = field(default_factory=lambda: np.ones((0, 0)))

    @property
    def hours(self) -> int:
        """How many hours there are."""
        return int(self.counts["start"].shape[0])

    def at(self, hour: int) -> datetime:
        """When an hour of the past begins."""
        return self.start + timedelta(hours=hour)

    def days(self, key: str) -> Counts:
        """A key by days x provinces; its sum is that of the hours."""
        return by_day(self.counts[key])


def by_day(hourly: Counts) -> Counts:
    """Hours x provinces summed to days x provinces; the last day may be under way."""
    missing = -hourly.shape[0] % 24
    filled = np.vstack([hourly, np.zeros((missing, hourly.shape[1]), dtype=hourly.dtype)])
    summed: Counts = filled.reshape(-1, 24, hourly.shape[1]).sum(axis=1)
    return summed


def first_day(now: datetime) -> datetime:
    """The Beijing midnight the past begins at."""
    midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=DAYS - 1)


def flow(touchpoint: str, now: datetime, scale: float, mendings: list[Mending]) -> Flow:
    """The past of a touchpoint, the same every time for the same instant."""
    habit = HABITS[touchpoint]
    dice = np.random.default_rng(list(touchpoint.encode()))
    made = Flow(touchpoint, first_day(now))
    hours = int((now - made.start).total_seconds() // 3600) + 1
    starts = dice.poisson(_expected(habit, made.start, hours, now, dice)[:, None] * SHARES * scale)
    rate, planted, made.slow = _rates(habit, made, hours, mendings, dice)
    abandon = dice.binomial(starts, habit.abandon)
    success = dice.binomial(starts - abandon, rate)
    fail = starts - abandon - success
    view = starts + dice.poisson(starts * 0.7 + 0.02 * scale)
    made.counts = {
        "view": view,
        "start": starts,
        "success": success,
        "fail": fail,
        "abandon": abandon,
        "error": dice.binomial(fail, 0.3),
        "sessions:3600": dice.binomial(view, 0.74),
    }
    made.codes = _codes(habit, fail, planted, dice)
    return made


def _expected(
    habit: Habit, start: datetime, hours: int, now: datetime, dice: np.random.Generator
) -> NDArray[np.float64]:
    """Starts to be expected in each hour of the country; the hour under way is cut where now is."""
    days = np.arange(hours) // 24
    week = np.array([WEEK[(start + timedelta(days=int(day))).weekday()] for day in range(hours // 24 + 1)])
    day = np.array(HOURS)[np.arange(hours) % 24] / sum(HOURS)
    mean = habit.starts * week[days] * day * (0.92 + 0.16 * np.arange(hours) / hours) * dice.lognormal(0, 0.05, hours)
    elapsed = (now - start).total_seconds() / 3600 - (hours - 1)
    mean[-1] *= elapsed
    return mean


def _rates(
    habit: Habit, made: Flow, hours: int, mendings: list[Mending], dice: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """By hours x provinces: the share that succeeds, the share of failures that an incident planted, the slowdown."""
    logit = np.log(habit.success / (1 - habit.success))
    evening = -0.1 * (np.array(HOURS)[np.arange(hours) % 24] / max(HOURS)) ** 2
    noise = dice.normal(0, 0.04, (hours, 1)) + dice.normal(0, 0.1, (1, len(PROVINCES)))
    rate = 1 / (1 + np.exp(-(logit + evening[:, None] + noise)))
    usual, slow = rate.copy(), np.ones_like(rate)
    for incident in INCIDENTS:
        if incident.touchpoint == made.touchpoint:
            rows, columns = _where(incident, made, hours)
            rate[np.ix_(rows, columns)] *= incident.success_share
            slow[np.ix_(rows, columns)] *= incident.slowdown
    planted = np.clip((usual - rate) / np.maximum(1 - rate, 1e-9), 0, 1)
    for mending in mendings:
        if mending.touchpoint == made.touchpoint and mending.province in PROVINCES:
            first = max(int((mending.began - made.start).total_seconds() // 3600), 0)
            last = min(int((mending.ended - made.start).total_seconds() // 3600), hours)
            rate[first:last, PROVINCES.index(mending.province)] *= dice.uniform(0.91, 0.98)
    return rate, planted, slow


def _where(incident: Incident, made: Flow, hours: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The hours and provinces of an incident, whole hours."""
    now_hour = hours - 1
    first = now_hour - round(incident.began.total_seconds() / 3600)
    last = first + round(incident.lasted.total_seconds() / 3600)
    rows = np.arange(max(first, 0), min(max(last, 0), hours))
    columns = [number for number, code in enumerate(PROVINCES) if code in incident.provinces or not incident.provinces]
    return rows, np.array(columns)


def _codes(habit: Habit, fail: Counts, planted: NDArray[np.float64], dice: np.random.Generator) -> dict[str, Counts]:
    """Failures by code: an incident's own failures bear the touchpoint's first code, nearly all of them."""
    owned = dice.binomial(fail, planted * 0.93)
    left, found = fail - owned, {habit.codes[0]: owned}
    for number, code in enumerate(habit.codes):
        share = 1 / (len(habit.codes) - number) * (0.9 if number < len(habit.codes) - 1 else 1)
        part = dice.binomial(left, share)
        found[code] = found.get(code, 0) + part
        left = left - part
    return found


def reached(made: Flow, steps: tuple[str, ...], dice: np.random.Generator) -> dict[str, Counts]:
    """How many reached each step, by days x provinces: all who succeed, and ever fewer of the others."""
    start, success = made.days("start"), made.days("success")
    others, found = start - success, {}
    for number, step in enumerate(steps):
        is_last = number == len(steps) - 1
        others = dice.binomial(others, 0.0 if is_last else 0.82 if number else 0.97)
        found[step] = success + others
    return found


def incident_window(incident: Incident, now: datetime) -> tuple[datetime, datetime]:
    """From when to when a planted incident shows in the numbers."""
    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(
        hours=round(incident.began.total_seconds() / 3600)
    )
    return hour, hour + timedelta(hours=round(incident.lasted.total_seconds() / 3600))


FRESH = rhythm.INCIDENTS[0]
