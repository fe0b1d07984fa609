"""Is a success rate below its own past? A causal detector on five-minute counts.

The expected rate is a logit: a level that drifts, a profile of the day, and an offset for Mondays, other weekdays and
weekends, each learned by a scalar Kalman gain with clipped (Huber) innovations. What is observed is compared with it in
standard deviations of a binomial widened by the estimated overdispersion and by what is not known yet; few counts are
compared by their exact tail. The standardised shortfalls are averaged over the last windows (EWMA 0.3) into a score.
"""

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from statistics import NormalDist
from typing import IO

from experience.ground.errors import Invalid
from experience.ground.i18n import say

WINDOW_SECONDS = 300
#: Scores at which an episode opens and at which it closes: about one false episode per touchpoint in fifty days on
#: simulated touchpoints (seeds 5 to 7), which the anomaly tests repeat on a small simulation.
OPEN_SCORE, CLOSE_SCORE = 5.0, 2.0
#: Nothing is claimed on fewer ended flows than this in the windows of an episode.
LEAST_N = 8
_BEIJING = timezone(timedelta(hours=8))
_BINS = 48  # half hours, interpolated
_EWMA = 0.3
_EWMA_SCALE = math.sqrt((2 - _EWMA) / _EWMA)
_CLIP = 2.0
_FEW = 40
_TAIL = NormalDist()


def _exact_z(n: int, ok: int, p: float) -> float:
    """The standard normal value of the mid-p lower tail of Binomial(n, p) at `ok`."""
    bad, q = n - ok, 1 - p
    term = p**n
    below = 0.0
    for k in range(bad):
        below += term
        term *= (n - k) / (k + 1) * q / p
    upper = max(1 - below - term / 2, 1e-9)
    return _TAIL.inv_cdf(min(upper, 1 - 1e-9))


@dataclass(slots=True)
class Grade:
    """What the detector says of one window: score (0 is normal), the rates in question, and the band."""

    score: float
    expected: float
    observed: float
    low: float
    high: float


@dataclass(slots=True)
class Detector:
    """The state of one touchpoint; `grade` first says, then learns, so nothing later than the window is used."""

    level: float = 3.0
    level_variance: float = 1.0
    season: list[float] = field(default_factory=lambda: [0.0] * (_BINS + 1))
    season_variance: list[float] = field(default_factory=lambda: [0.15] * (_BINS + 1))
    offsets: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    offset_variance: list[float] = field(default_factory=lambda: [0.05, 0.01, 0.05])
    over: float = 0.02  # variance of the logit beyond the binomial
    smooth: float = 0.0
    weight: float = 0.0
    last: datetime | None = None

    def grade(self, at: datetime, n: int, ok: int) -> Grade | None:
        """The window's grade; None when nothing ended in it."""
        if n <= 0:
            return None
        local = at.astimezone(_BEIJING)
        self.last = at
        place = (local.hour * 60 + local.minute) / 1440 * _BINS
        left = int(place)
        right, share = (left + 1) % _BINS, place - left
        day = local.weekday()
        kind = 0 if day == 0 else 1 if day < 5 else 2  # noqa: PLR2004 - Monday, Tuesday to Friday, weekend
        logit = self.level + (1 - share) * self.season[left] + share * self.season[right] + self.offsets[kind]
        p = 1 / (1 + math.exp(-min(max(logit, -8.0), 8.0)))
        unit = p * (1 - p)
        unknown = (
            self.level_variance
            + (1 - share) ** 2 * self.season_variance[left]
            + share**2 * self.season_variance[right]
            + self.offset_variance[kind]
        )
        spread = math.sqrt(unit / n + unit * unit * (self.over + unknown))
        observed = ok / n
        z = (observed - p) / spread
        if n * (1 - p) < 4 and n <= 4 * _FEW:  # noqa: PLR2004 - the normal approximation needs expected failures
            z = min(max(_exact_z(n, ok, p), z), _exact_z(n, ok, p)) if z < 0 else min(z, 3.0)
        self.smooth += _EWMA * (-z - self.smooth)
        score = self.smooth * _EWMA_SCALE
        self._learn(z, n, unit, unknown, (left, right, share, kind), score)
        return Grade(score, p, observed, max(p - 1.96 * spread, 0.0), min(p + 1.96 * spread, 1.0))

    def _learn(  # noqa: PLR0917 - the innermost loop
        self, z: float, n: int, unit: float, unknown: float, place: tuple[int, int, float, int], score: float
    ) -> None:
        """Moves every part by its share of the clipped innovation; hardly at all while an incident is on."""
        left, right, share, kind = place
        noise = 1 / (n * unit + 1e-9) + self.over
        total = unknown + noise
        clipped = min(max(z, -_CLIP), _CLIP) * math.sqrt(total)
        trust = 1.0 if score < 3.0 else 0.15  # noqa: PLR2004 - standard deviations
        gain = trust * self.level_variance / total
        self.level += gain * clipped
        self.level_variance = self.level_variance * (1 - gain) + 8e-6
        for where, part in ((left, 1 - share), (right, share)):
            gain = trust * self.season_variance[where] * part / total
            self.season[where] += gain * clipped
            self.season_variance[where] = self.season_variance[where] * (1 - gain * part) + 3e-6
        gain = trust * self.offset_variance[kind] / total
        self.offsets[kind] += gain * clipped
        self.offset_variance[kind] = self.offset_variance[kind] * (1 - gain) + 1e-7
        if abs(z) < 3 and n * unit > 2:  # noqa: PLR2004 - a robust estimate needs counts and no incident
            excess = (z * z * (1 / (n * unit) + self.over + unknown)) - 1 / (n * unit) - unknown
            rate = 0.004 * min(1.0, n * unit * 0.02)
            self.over = min(max(self.over + rate * (excess - self.over), 1e-4), 0.5)


def grades(rows: Iterator[tuple[str, datetime, int, int]]) -> Iterator[tuple[str, datetime, Grade]]:
    """Grades of (touchpoint, at, n, ok) rows as they come, each touchpoint by its own detector."""
    known: dict[str, Detector] = {}
    for touchpoint, at, n, ok in rows:
        detector = known.get(touchpoint)
        if detector is None:
            detector = known[touchpoint] = Detector()
        found = detector.grade(at, n, ok)
        if found is not None:
            yield touchpoint, at, found


def rows_of(lines: IO[str]) -> Iterator[tuple[str, datetime, int, int]]:
    """Rows of a CSV with the columns touchpoint, at, n, ok. Raises Invalid naming the line that cannot be read."""
    reader = csv.DictReader(lines)
    missing = {"touchpoint", "at", "n", "ok"} - set(reader.fieldnames or ())
    if missing:
        raise Invalid(say("缺少列：%(columns)s。", columns="、".join(sorted(missing))))
    for number, row in enumerate(reader, 2):
        try:
            at, n, ok = _instant(row["at"]), _count(row["n"]), _count(row["ok"])
        except (TypeError, ValueError, OverflowError) as error:
            raise Invalid(say("第 %(number)d 行看不懂：at 要是 ISO 8601，n 和 ok 要是整数。", number=number)) from error
        if not 0 <= ok <= n:
            raise Invalid(say("第 %(number)d 行不对：ok 应在 0 和 n 之间。", number=number))
        yield row["touchpoint"], at, n, ok


def _instant(text: str) -> datetime:
    """An instant with its zone, Beijing's unless told. Raises ValueError, or OverflowError where Beijing has none."""
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo else at.replace(tzinfo=_BEIJING)
    at.astimezone(_BEIJING)
    return at


def _count(text: str) -> int:
    """A whole number that shares can be calculated of. Raises ValueError."""
    number = int(text)
    if number.bit_length() > 63:  # noqa: PLR2004 - what a bigint holds
        raise ValueError("beyond counting")
    return number


def detect_file(lines: IO[str], out: IO[str]) -> int:
    """Writes a JSON line for every graded row; returns how many."""
    count = 0
    for touchpoint, at, grade in grades(rows_of(lines)):
        told = {
            "touchpoint": touchpoint,
            "at": at.isoformat(),
            "score": round(grade.score, 4),
            "expected": round(grade.expected, 5),
            "observed": round(grade.observed, 5),
        }
        out.write(json.dumps(told, ensure_ascii=False) + "\n")
        count += 1
    return count
