"""The flows written down as measures: provinces sum to the country, hours to the day, minutes to the hour."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from analysis import sketch
from experience.demo import operator
from experience.demo.past import Past
from experience.ground.store import transaction
from experience.issues.tables import Issue
from experience.orders.tables import WorkOrder
from probes.demo import flows
from probes.demo.flows import PROVINCES, Counts, Flow, Mending

_COPY = "copy measure (touchpoint, window_seconds, key, province, at, bucket, n, value) from stdin"
_STEPS = {row[2]: row[6] for row in operator.TOUCHPOINTS}
#: How many days back each kind of window goes.
FIVE_MINUTES_DAYS, PROVINCE_HOURS_DAYS, DURATION_HOURS_DAYS, MINUTES_HOURS = 21, 7, 8, 3
PARTS_DAYS = 30  # steps, codes and sessions of each province
_SPREAD = 0.45  # of the logarithm of durations


def fill(engine: Engine, past: Past) -> int:
    """Writes the numbers of every online touchpoint; returns how many rows."""
    with transaction(engine) as session:
        mendings, places = _mendings(session), _places(session)
        cursor = session.connection().connection.cursor()
        written = 0
        for touchpoint in flows.touchpoints(past.scale):
            made = flows.flow(touchpoint, past.now, past.scale, mendings)
            near = {province for point, province in places if point == touchpoint}
            with cursor.copy(_COPY) as copy:
                for lines in _Writer(made, past.now, near).lines():
                    copy.write("".join(lines))
                    written += len(lines)
        return written


def _mendings(session: Session) -> list[Mending]:
    """Troubles of one province that an archived order ended: two of three showed in the numbers."""
    ended = (
        select(Issue.touchpoint, Issue.province, Issue.opened_at, WorkOrder.submitted_at)
        .join(WorkOrder, col(WorkOrder.issue_id) == Issue.id)
        .where(WorkOrder.state == "archived", WorkOrder.level == 1, Issue.province != "")
        .order_by(col(WorkOrder.id))
    )
    return [
        Mending(touchpoint, province, opened - timedelta(days=12), submitted)
        for number, (touchpoint, province, opened, submitted) in enumerate(session.exec(ended))
        if submitted is not None and number % 3
    ]


def _places(session: Session) -> set[tuple[str, str]]:
    """Touchpoints and provinces whose hours an issue or an effect looks back at."""
    return set(session.exec(select(Issue.touchpoint, Issue.province).distinct()).all())


class _Writer:
    """Rows of one touchpoint as lines of COPY's text form; windows without a count have no row."""

    def __init__(self, made: Flow, now: datetime, near: set[str]) -> None:
        self.made, self.now, self.near = made, now, near
        self.dice = np.random.default_rng([7, *made.touchpoint.encode()])
        self.hours = [made.at(hour).isoformat() for hour in range(made.hours)]
        self.days = [made.at(hour).isoformat() for hour in range(0, made.hours, 24)]

    def lines(self) -> Iterator[list[str]]:
        """All rows, a list for each kind."""
        yield from self._hours()
        yield from self._days()
        yield from self._durations()
        yield from self._five_minutes()

    def _rows(
        self,
        seconds: int,
        key: str,
        province: str,
        ats: Sequence[str],
        ns: Counts,
        *,
        bucket: int = 0,
        value: float = 0.0,
    ) -> list[str]:
        head = f"{self.made.touchpoint}\t{seconds}\t{key}\t{province}\t"
        return [f"{head}{ats[i]}\t{bucket}\t{ns[i]}\t{ns[i] * value:.0f}\n" for i in np.flatnonzero(ns).tolist()]

    def _hours(self) -> Iterator[list[str]]:
        recent = max(self.made.hours - PROVINCE_HOURS_DAYS * 24, 0)
        for key, counts in self.made.counts.items():
            yield self._rows(3600, key, "", self.hours, counts.sum(axis=1))
            if key not in ("start", "success", "fail"):
                continue
            for number, province in enumerate(PROVINCES):
                first = 0 if province in self.near and key != "start" else recent
                yield self._rows(3600, key, province, self.hours[first:], counts[first:, number])
        for code, counts in self.made.codes.items():
            late = max(self.made.hours - DURATION_HOURS_DAYS * 24, 0)
            yield self._rows(3600, f"code:{code}", "", self.hours[late:], counts[late:].sum(axis=1))

    def _days(self) -> Iterator[list[str]]:
        daily = {key: self.made.days(key) for key in self.made.counts if key != "sessions:3600"}
        daily["sessions:86400"] = self.dice.binomial(self.made.days("sessions:3600"), 0.93)
        daily |= {f"code:{code}": flows.by_day(counts) for code, counts in self.made.codes.items()}
        reached = flows.reached(self.made, _STEPS[self.made.touchpoint], self.dice)
        daily |= {f"step:{step}": counts for step, counts in reached.items()}
        for key, counts in daily.items():
            yield self._rows(86400, key, "", self.days, counts.sum(axis=1))
            first = max(len(self.days) - PARTS_DAYS, 0) if ":" in key else 0
            for number, province in enumerate(PROVINCES):
                yield self._rows(86400, key, province, self.days[first:], counts[first:, number])

    def _durations(self) -> Iterator[list[str]]:
        """Histograms of how long the ended flows took: by day, and by hour of late."""
        ended = self.made.counts["success"] + self.made.counts["fail"]
        slow = (self.made.slow * ended).sum(axis=1) / np.maximum(ended.sum(axis=1), 1)
        hourly = self._histogram(ended.sum(axis=1), np.where(slow > 0, slow, 1.0))
        recent = max(self.made.hours - DURATION_HOURS_DAYS * 24, 0)
        daily = flows.by_day(hourly)
        for place in range(hourly.shape[1]):
            bucket, value = _LOWEST + place, sketch.middle(_LOWEST + place)
            yield self._rows(86400, "ms", "", self.days, daily[:, place], bucket=bucket, value=value)
            late = self.hours[recent:]
            yield self._rows(3600, "ms", "", late, hourly[recent:, place], bucket=bucket, value=value)

    def _histogram(self, ended: Counts, slow: NDArray[np.float64]) -> Counts:
        """Hours x buckets: log-normal durations, slower while an incident is on."""
        median = np.log(flows.HABITS[self.made.touchpoint].median_ms * slow)
        edges = np.log(np.array([sketch.middle(_LOWEST + place) for place in range(_BUCKETS)]))
        mass = np.exp(-((edges[None, :] - median[:, None]) ** 2) / (2 * _SPREAD**2))
        mass[mass < mass.max(axis=1, keepdims=True) * 0.004] = 0  # the far ends hold nobody
        counts: Counts = self.dice.multinomial(ended, mass / mass.sum(axis=1, keepdims=True))
        return counts

    def _five_minutes(self) -> Iterator[list[str]]:
        """National windows of five minutes, and of one minute of the last hours; hours split without a remainder."""
        first = max(self.made.hours - FIVE_MINUTES_DAYS * 24, 0)
        ats = [
            (self.made.at(first) + timedelta(minutes=5 * n)).isoformat() for n in range((self.made.hours - first) * 12)
        ]
        minutes_from = self.made.hours - MINUTES_HOURS
        minute_ats = [
            (self.made.at(minutes_from) + timedelta(minutes=n)).isoformat() for n in range(MINUTES_HOURS * 60)
        ]
        for key in ("start", "success", "fail"):
            fives = self._split(self.made.counts[key][first:].sum(axis=1), 12)
            yield self._rows(300, key, "", ats, fives)
            yield self._rows(60, key, "", minute_ats, self._split(fives[-MINUTES_HOURS * 12 :], 5, is_last_whole=True))
        yield from self._around_fresh(ats, first)

    def _split(self, counts: Counts, parts: int, *, is_last_whole: bool = False) -> Counts:
        shares = np.full((len(counts), parts), 1 / parts)
        if not is_last_whole:
            passed = (self.now - self.made.at(self.made.hours - 1)).total_seconds() / 300
            whole = max(int(passed), 1)
            shares[-1] = [1 / whole if number < whole else 0.0 for number in range(parts)]
        split: Counts = self.dice.multinomial(counts, shares).reshape(-1)
        return split

    def _around_fresh(self, ats: Sequence[str], first: int) -> Iterator[list[str]]:
        """While the fresh incident lasts, five minutes by province and by code too, so that it can be explained."""
        if self.made.touchpoint != flows.FRESH.touchpoint:
            return
        began, ended = flows.incident_window(flows.FRESH, self.now)
        rows = slice(
            *(int((at - self.made.start).total_seconds() // 3600) + more for at, more in ((began, -1), (ended, 2)))
        )
        there = ats[(rows.start - first) * 12 : (rows.stop - first) * 12]
        for key in ("success", "fail"):
            for number, province in enumerate(PROVINCES):
                split = self._split(self.made.counts[key][rows, number], 12, is_last_whole=True)
                yield self._rows(300, key, province, there, split)
        for code, counts in self.made.codes.items():
            split = self._split(counts[rows].sum(axis=1), 12, is_last_whole=True)
            yield self._rows(300, f"code:{code}", "", there, split)


_LOWEST = sketch.bucket(200)
_BUCKETS = sketch.bucket(900_000) - _LOWEST
