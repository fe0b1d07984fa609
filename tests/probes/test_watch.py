"""The watch: an episode opens once, goes on, closes, is explained; what staff say of it holds."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from experience.ground.errors import Conflict, Forbidden, NotFound
from experience.issues.tables import IssueSource
from experience.measures.operations import Happened, add
from probes import queries
from probes.operations import dismiss, make_issue, watch_next
from probes.tables import Anomaly
from tests.people import House

PLACE = "web.recharge"
WINDOW = timedelta(minutes=5)


def flows(at: datetime, ok: int, bad: int, province: str = "guangdong", code: str = "PAY") -> list[Happened]:
    """What ended in the window at this instant."""
    told = [Happened(PLACE, "success", at, province, n=ok), Happened(PLACE, "fail", at, province, n=bad)]
    return [one for one in [*told, Happened(PLACE, f"code:{code}", at, province, n=bad)] if one.n]


class Day:
    """A touchpoint with three good days behind it; time goes on window by window."""

    def __init__(self, session: Session, now: datetime, volume: int = 30) -> None:
        self.session, self.at, self.volume = session, now, volume
        past = [now - WINDOW * n for n in range(1, 3 * 288)]
        add(session, [one for at in past for one in flows(at, volume - volume // 20, volume // 20)])
        self.watch()

    def watch(self) -> None:
        while watch_next(self.session, self.at + timedelta(seconds=30)):
            pass

    def goes_on(self, windows: int, share: float, province: str = "guangdong", *, each: bool = True) -> None:
        """So many windows in which this share succeeds, watched after each or at the end."""
        for _ in range(windows):
            ok = round(self.volume * share)
            add(self.session, flows(self.at, ok, self.volume - ok, province))
            self.at += WINDOW
            if each:
                self.watch()
        self.watch()

    def anomalies(self) -> Sequence[Anomaly]:
        return self.session.exec(select(Anomaly).order_by(Anomaly.id)).all()  # type: ignore[arg-type]


@pytest.fixture
def day(house: House, session: Session) -> Day:
    return Day(session, house.now)


def test_good_days_open_nothing(day: Day) -> None:
    day.goes_on(24, 0.97)
    assert day.anomalies() == []


def test_a_drop_opens_one_episode_that_goes_on_and_closes(day: Day) -> None:
    begun = day.at
    day.goes_on(6, 0.5)
    (one,) = day.anomalies()
    assert (one.state, one.started_at, one.severity >= 2) == ("open", begun, True)
    assert one.last_seen_at == day.at
    assert one.observed == pytest.approx(0.5, abs=0.02)
    assert one.observed < one.low < one.expected <= 1
    assert one.n == 6 * 30
    day.goes_on(12, 0.97)
    (one,) = day.anomalies()
    assert one.state == "closed"
    assert one.ended_at is not None
    day.goes_on(6, 0.5)
    assert [a.state for a in day.anomalies()] == ["closed", "open"]


def test_it_is_the_same_whether_the_clock_looked_in_between_or_not(day: Day) -> None:
    day.goes_on(6, 0.5, each=False)
    (one,) = day.anomalies()
    assert (one.state, one.n) == ("open", 6 * 30)


def test_few_customers_a_window_add_up(house: House, session: Session) -> None:
    quiet = Day(session, house.now, volume=2)
    quiet.goes_on(12, 0.0)
    (one,) = quiet.anomalies()
    assert one.n >= 8


def test_without_anybody_for_an_hour_an_episode_ends(day: Day) -> None:
    day.goes_on(6, 0.4)
    last = day.at
    day.at += timedelta(minutes=70)
    day.watch()
    (one,) = day.anomalies()
    assert (one.state, one.ended_at) == ("closed", last)


def test_the_province_and_the_code_that_hold_the_excess_are_named(day: Day) -> None:
    for _ in range(6):
        add(day.session, flows(day.at, 19, 1, "hunan", "OTHER"))
        day.goes_on(1, 0.3)
    (one,) = day.anomalies()
    causes = {(row["kind"], row["value"]): row["share"] for row in one.explanation}
    assert causes["province", "guangdong"] > 0.9
    assert ("province", "hunan") not in causes
    assert causes["code", "PAY"] > 0.9


def test_a_province_sees_its_own_part_of_an_anomaly_only(day: Day, house: House) -> None:
    day.goes_on(6, 0.4)
    day.session.expunge_all()
    (hunan,) = queries.anomalies(day.session, house.scope("wang"))
    assert [row for row in hunan.explanation if row["kind"] == "province"] == []
    day.session.flush()
    day.session.expunge_all()
    (centre,) = queries.anomalies(day.session, house.scope("lin"))
    assert [row["value"] for row in centre.explanation if row["kind"] == "province"] == ["guangdong"]


def test_what_staff_dismiss_is_not_told_again_until_it_was_over(day: Day, house: House) -> None:
    day.goes_on(6, 0.5)
    dismiss(day.session, house.scope("lin"), day.anomalies()[0].code, now=day.at)
    day.goes_on(6, 0.5)
    assert [a.state for a in day.anomalies()] == ["dismissed"]
    day.goes_on(12, 0.97)
    day.goes_on(6, 0.5)
    assert [a.state for a in day.anomalies()] == ["dismissed", "open"]


def test_an_anomaly_becomes_one_issue_however_often_it_is_asked_for(day: Day, house: House) -> None:
    day.goes_on(6, 0.3)
    code = day.anomalies()[0].code
    made = make_issue(day.session, house.scope("lin"), code, now=day.at)
    assert make_issue(day.session, house.scope("lin"), code, now=day.at).code == made.code
    assert (made.origin, made.touchpoint, made.province) == ("anomaly", PLACE, "guangdong")
    sources = day.session.exec(select(IssueSource.kind).where(IssueSource.issue_id == made.id)).all()
    assert list(sources) == ["anomaly"]
    with pytest.raises(Conflict):
        dismiss(day.session, house.scope("lin"), code, now=day.at)


def test_who_may_not_judge_is_refused_and_nobody_finds_what_is_not_there(day: Day, house: House) -> None:
    day.goes_on(6, 0.4)
    with pytest.raises(Forbidden):
        dismiss(day.session, house.scope("zhou"), day.anomalies()[0].code, now=day.at)
    with pytest.raises(NotFound):
        dismiss(day.session, house.scope("lin"), "A0", now=day.at)
