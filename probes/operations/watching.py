"""Look at each touchpoint's latest windows: open, continue and close anomalies, and say what explains them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from experience.measures import queries as measures
from experience.measures.operations import window_start
from experience.measures.queries import Span
from experience.measures.tables import Measure
from experience.touchpoints.tables import Touchpoint
from probes import anomaly
from probes.anomaly import Detector, Grade
from probes.tables import Anomaly, Watch

#: What the detector learns from; older windows are gone.
HISTORY = timedelta(days=42)
#: A window is graded this long after it ended, when nearly all of its events have arrived.
SETTLE = timedelta(seconds=30)
WINDOW = timedelta(seconds=anomaly.WINDOW_SECONDS)
#: Without an ended flow for this long a run of low windows, or an episode, is over.
PAUSE = timedelta(hours=1)
#: A dismissed run stays quiet for this long at the most.
MUTED = timedelta(days=1)
_BEIJING = ZoneInfo("Asia/Shanghai")
_CAUSES = 6


def watch_next(session: Session, now: datetime) -> bool:
    """Grades one touchpoint's windows that ended since it was last watched; whether there was one to watch."""
    upto = window_start(now - SETTLE, anomaly.WINDOW_SECONDS)
    due = session.exec(
        select(Touchpoint.code)
        .outerjoin(Watch, col(Watch.touchpoint) == Touchpoint.code)
        .where(col(Touchpoint.is_active), (col(Watch.upto).is_(None)) | (col(Watch.upto) < upto))
        .order_by(col(Touchpoint.code))
    ).all()
    for code in due:
        number = int.from_bytes(hashlib.blake2b(f"watch:{code}".encode(), digest_size=8).digest(), "big", signed=True)
        if session.execute(text("select pg_try_advisory_xact_lock(:n)"), {"n": number}).scalar_one():
            _watch(session, code, upto, now)
            return True
    return False


def _watch(session: Session, code: str, upto: datetime, now: datetime) -> None:
    watched = session.get(Watch, code) or Watch(touchpoint=code, upto=upto)
    since = watched.upto if watched.upto < upto else upto - WINDOW
    first = session.get(Watch, code) is None
    graded = _grades(session, code, upto)
    fresh = [one for one in graded if first and one.at >= upto - timedelta(days=1) or one.at >= since]
    episode = _Episode(session, code, now, run=_run_up(graded, fresh))
    for one in [] if _is_muted(session, code, graded, fresh) else fresh:
        episode.see(one)
    episode.settle(upto)
    watched.upto = upto
    session.add(watched)
    session.flush()


def _run_up(graded: Sequence["_Graded"], fresh: Sequence["_Graded"]) -> list["_Graded"]:
    """The low windows that lead up to the fresh ones, so that few customers a window add up to an episode."""
    found: list[_Graded] = []
    after = fresh[0].at if fresh else None
    for one in reversed([one for one in graded if after is not None and one.at < after]):
        if one.grade.score < anomaly.CLOSE_SCORE or (after is not None and after - one.at > PAUSE):
            break
        found.insert(0, one)
        after = one.at
    return found


def _is_muted(session: Session, code: str, graded: Sequence["_Graded"], fresh: Sequence["_Graded"]) -> bool:
    """Whether staff said of this very run of low windows that it is none: then it is not told again."""
    if not fresh:
        return False
    none = session.exec(
        select(Anomaly.last_seen_at)
        .where(Anomaly.touchpoint == code, Anomaly.state == "dismissed", Anomaly.indicator == "success_rate")
        .order_by(col(Anomaly.started_at).desc())
        .limit(1)
    ).first()
    if none is None or fresh[-1].at - none > MUTED:
        return False
    return all(one.grade.score >= anomaly.CLOSE_SCORE for one in graded if none <= one.at <= fresh[-1].at)


@dataclass(frozen=True, slots=True)
class _Graded:
    at: datetime
    n: int
    ok: int
    grade: Grade


def _grades(session: Session, code: str, upto: datetime) -> list[_Graded]:
    """Every window of the history, graded in order by a fresh detector."""
    counts = measures.series(
        session,
        code,
        ("success", "fail"),
        Span(anomaly.WINDOW_SECONDS, upto - HISTORY, upto),
    )
    detector, found = Detector(), []
    for at in sorted(counts):
        ok = counts[at]["success"].n if "success" in counts[at] else 0
        bad = counts[at]["fail"].n if "fail" in counts[at] else 0
        grade = detector.grade(at, ok + bad, ok)
        if grade is not None:
            found.append(_Graded(at, ok + bad, ok, grade))
    return found


@dataclass
class _Episode:
    """The anomaly of a touchpoint that is open now, if any, and the windows it is made of."""

    session: Session
    code: str
    now: datetime
    run: list[_Graded] = field(default_factory=list)

    def __post_init__(self) -> None:
        open_one = select(Anomaly).where(
            Anomaly.touchpoint == self.code, Anomaly.state == "open", Anomaly.indicator == "success_rate"
        )
        self.open = self.session.exec(open_one.with_for_update()).first()

    def see(self, one: _Graded) -> None:
        """One window later."""
        if self.open is not None:
            if one.grade.score < anomaly.CLOSE_SCORE:
                self._close(one.at)
            else:
                self._go_on(one)
            return
        if one.grade.score >= anomaly.CLOSE_SCORE:
            self.run.append(one)
        else:
            self.run.clear()
        n = sum(each.n for each in self.run)
        if self.run and one.grade.score >= anomaly.OPEN_SCORE and n >= anomaly.LEAST_N:
            self._begin()

    def _begin(self) -> None:
        worst = max(self.run, key=lambda each: each.grade.score)
        n, ok = sum(each.n for each in self.run), sum(each.ok for each in self.run)
        expected = sum(each.grade.expected * each.n for each in self.run) / n
        started = self.run[0].at
        self.open = Anomaly(
            code=f"A{started.astimezone(_BEIJING):%Y%m%d%H%M}-{self.code}"[:60],
            touchpoint=self.code,
            indicator="success_rate",
            started_at=started,
            last_seen_at=self.run[-1].at + WINDOW,
            severity=severity(expected - ok / n, worst.grade.score),
            observed=ok / n,
            expected=expected,
            low=worst.grade.low,
            high=worst.grade.high,
            n=n,
        )
        if self.session.exec(select(Anomaly.id).where(Anomaly.code == self.open.code)).first() is not None:
            self.open = None  # seen before and closed or dismissed: an amended window does not bring it back
            return
        self.session.add(self.open)
        self.run.clear()

    def _go_on(self, one: _Graded) -> None:
        assert self.open is not None
        known = self.open
        total = known.n + one.n
        known.observed = (known.observed * known.n + one.ok) / total
        known.expected = (known.expected * known.n + one.grade.expected * one.n) / total
        known.n = total
        known.last_seen_at = one.at + WINDOW
        known.severity = max(known.severity, severity(known.expected - known.observed, one.grade.score))
        self.session.add(known)

    def _close(self, at: datetime) -> None:
        assert self.open is not None
        self.open.state, self.open.ended_at = "closed", at
        self._explain(self.open)
        self.open = None

    def _explain(self, known: Anomaly) -> None:
        known.explanation = explanation(self.session, known)
        self.session.add(known)

    def settle(self, upto: datetime) -> None:
        """What is open is explained as of now; without any flow for an hour it ends."""
        if self.open is None:
            return
        self._explain(self.open)
        if upto - self.open.last_seen_at > PAUSE:
            self.open.state, self.open.ended_at = "closed", self.open.last_seen_at
            self.session.add(self.open)


def severity(shortfall: float, score: float) -> int:
    """3 grave, 2 marked, 1 slight, by how many of a hundred customers fail more than usual."""
    if shortfall >= 0.25 and score >= 8:  # noqa: PLR2004
        return 3
    return 2 if shortfall >= 0.08 else 1  # noqa: PLR2004


def explanation(session: Session, known: Anomaly) -> list[dict[str, Any]]:
    """Which provinces and codes hold the excess of failures, each with its share of it, largest first."""
    end = (known.ended_at or known.last_seen_at) + WINDOW
    rows = session.exec(
        select(Measure.province, Measure.key, func.sum(Measure.n))
        .where(
            Measure.touchpoint == known.touchpoint,
            Measure.window_seconds == anomaly.WINDOW_SECONDS,
            Measure.at >= known.started_at,
            Measure.at < end,
            (col(Measure.key).in_(("success", "fail"))) | (col(Measure.key).startswith("code:")),
            measures.IS_COUNT,
        )
        .group_by(col(Measure.province), col(Measure.key))
    ).all()
    counts = {(province, key): int(n) for province, key, n in rows}
    return (_by_province(counts, known.expected) + _by_code(counts))[: _CAUSES * 2]


def _by_province(counts: dict[tuple[str, str], int], expected: float) -> list[dict[str, Any]]:
    excess = {}
    for province in {province for province, _ in counts} - {""}:
        bad, ok = counts.get((province, "fail"), 0), counts.get((province, "success"), 0)
        excess[province] = max(bad - (bad + ok) * (1 - expected), 0.0)
    total = sum(excess.values())
    ranked: Sequence[tuple[str, float]] = sorted(excess.items(), key=lambda item: -item[1])
    return [
        {
            "kind": "province",
            "value": province,
            "share": round(part / total, 3),
            "fail": counts.get((province, "fail"), 0),
            "n": counts.get((province, "fail"), 0) + counts.get((province, "success"), 0),
        }
        for province, part in ranked[:_CAUSES]
        if total and part / total >= 0.05  # noqa: PLR2004 - below a twentieth it explains nothing
    ]


def _by_code(counts: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    codes = {key.removeprefix("code:"): n for (province, key), n in counts.items() if not province and ":" in key}
    total = sum(codes.values())
    ranked = sorted(codes.items(), key=lambda item: -item[1])
    return [
        {"kind": "code", "value": code, "share": round(n / total, 3), "fail": n}
        for code, n in ranked[:_CAUSES]
        if total
    ]
