"""The detector: quiet on ordinary days, quick on real drops, honest with few counts."""

import io
import json
import math
import random
from datetime import datetime, timedelta, timezone

import pytest

from experience.ground.errors import Invalid
from probes import anomaly
from probes.anomaly import Detector

BEIJING = timezone(timedelta(hours=8))
START = datetime(2026, 9, 7, tzinfo=BEIJING)  # a Monday
DAY = 288


def simulated(
    seed: int, days: int, volume: float, drop: tuple[int, int, float] | None = None
) -> list[tuple[datetime, int, int]]:
    """Five-minute counts with a season, noise beyond the binomial, and one drop: (first window, windows, depth)."""
    chance, rows = random.Random(seed), []
    for t in range(days * DAY):
        hour = (t % DAY) / DAY
        logit = 3.2 - 0.35 * math.exp(-(((hour - 0.45) / 0.06) ** 2)) + chance.gauss(0, 0.12)
        if drop and drop[0] <= t < drop[0] + drop[1]:
            logit -= drop[2]
        p = 1 / (1 + math.exp(-logit))
        n = max(int(chance.gauss(volume, math.sqrt(volume))), 0)
        rows.append((START + timedelta(minutes=5 * t), n, sum(chance.random() < p for _ in range(n))))
    return rows


def scores(rows: list[tuple[datetime, int, int]]) -> list[float]:
    detector, found = Detector(), []
    for row in rows:
        grade = detector.grade(*row)
        found.append(grade.score if grade else 0.0)
    return found


def test_thirty_ordinary_days_raise_no_alarm_after_the_first_week() -> None:
    assert max(scores(simulated(1, 30, 60))[7 * DAY :]) < anomaly.OPEN_SCORE


@pytest.mark.parametrize(("drop", "windows"), [(0.9, 6), (1.5, 2)])
def test_the_deeper_the_drop_the_sooner_it_is_seen(drop: float, windows: int) -> None:
    at = 22 * DAY + 140
    found = scores(simulated(2, 23, 120, (at, 20, drop)))
    seen = [t for t in range(at, at + 20) if found[t] >= anomaly.OPEN_SCORE]
    assert seen
    assert seen[0] - at <= windows


def test_a_single_failure_of_a_quiet_touchpoint_is_no_alarm() -> None:
    rows = [(START + timedelta(minutes=5 * t), 1, 1) for t in range(3 * DAY)]
    found = scores([*rows, (rows[-1][0] + timedelta(minutes=5), 1, 0)])
    assert found[-1] < anomaly.OPEN_SCORE


def test_the_past_alone_decides_a_grade() -> None:
    rows = simulated(3, 3, 50)
    changed = [*rows[:-1], (rows[-1][0], 100, 0)]
    assert scores(rows)[:-1] == scores(changed)[:-1]


def test_a_file_is_graded_line_by_line() -> None:
    lines = "touchpoint,at,n,ok\n" + "".join(f"tp,{at.isoformat()},{n},{ok}\n" for at, n, ok in simulated(4, 1, 30))
    out = io.StringIO()
    count = anomaly.detect_file(io.StringIO(lines), out)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(told) == count > 280
    assert set(told[0]) == {"touchpoint", "at", "score", "expected", "observed"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("touchpoint,at,n\n", "ok"),
        ("touchpoint,at,n,ok\na,yesterday,1,1\n", "2"),
        ("touchpoint,at,n,ok\na,2026-01-01,1,2\n", "2"),
        ("touchpoint,at,n,ok\na,9999-12-31T23:59:00-08:00,1,1\n", "2"),
        (f"touchpoint,at,n,ok\na,2026-01-01,{10**400},1\n", "2"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        anomaly.detect_file(io.StringIO(text), io.StringIO())
