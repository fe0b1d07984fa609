"""Staff change calendars and policies: what is refused, what is kept, and what running clocks keep."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from experience.audit.tables import AuditLine
from experience.ground.errors import Conflict, Forbidden, Invalid, NotFound
from experience.issues.operations import IssueIn, raise_issue
from experience.orders import policies, soundness, verification
from experience.orders.operations import DaysIn, DispatchIn, clear_day, cover, dispatch, save_policy, set_days
from experience.orders.policies import Case
from experience.orders.queries import calendar
from experience.orders.queries.calendars import touched
from experience.orders.soundness import PolicyIn
from experience.orders.tables import Calendar, Clock, Policy
from experience.organisation.permissions import SYSTEM
from tests.people import House, someone

TOMORROW = date(2026, 11, 24)
OFF = DaysIn("cn-office", TOMORROW, TOMORROW, "holiday")
LIMITS = {"accept": "1wh", "resolve": "24nh", "statutory": "15nd"}
KEY = PolicyIn("key-points", "关键触点投诉", 15, {"type": "complaint", "key": True}, LIMITS)
CASES: st.SearchStrategy[dict[str, object]] = st.builds(
    dict,
    type=st.sampled_from(["complaint", "major", ["complaint", "major"]]),
    severity=st.sampled_from([1, [1, 2]]),
    key=st.booleans(),
)


def _dispatched(session: Session, now: datetime) -> str:
    issue = raise_issue(session, SYSTEM, IssueIn("充值不到账", province="guangdong"), now=now)
    return dispatch(session, SYSTEM, issue.id or 0, DispatchIn(("guangdong",), "experience", "请核查"), now=now).code


def test_running_clocks_keep_what_was_promised_and_new_ones_count_the_new_day(
    house: House, session: Session, now: datetime
) -> None:
    code = _dispatched(session, now)
    wanted = select(Clock.kind, Clock.due_at).where(col(Clock.due_at).is_not(None)).order_by(col(Clock.id))
    before = session.exec(wanted).all()
    days = calendar(session, "cn-office")
    at_stake = touched(session, SYSTEM, "cn-office", days.at(TOMORROW, 0))
    assert (at_stake.running, at_stake.paused, at_stake.orders) == (2, 0, (code,))  # contact 1wd, resolve 5wd
    set_days(session, SYSTEM, OFF, now=now + timedelta(minutes=1))
    assert session.exec(wanted).all() == before
    assert list(verification.verify(session)) == []
    _dispatched(session, now + timedelta(minutes=2))
    after = dict(session.exec(wanted).all()[len(before) :])
    assert after["resolve"] == dict(before)["resolve"] + timedelta(days=1)  # type: ignore[operator]
    assert list(verification.verify(session)) == []


def test_marks_beyond_the_due_are_kept_as_well(house: House, session: Session, now: datetime) -> None:
    _dispatched(session, now)  # contact is due on Tuesday, and rings at 120 % on Wednesday
    wednesday = TOMORROW + timedelta(days=1)
    set_days(session, SYSTEM, replace(OFF, first=wednesday, last=wednesday), now=now + timedelta(minutes=1))
    assert list(verification.verify(session)) == []


def test_a_due_changed_by_hand_still_shows_when_no_day_under_it_was_changed(
    house: House, session: Session, now: datetime
) -> None:
    set_days(session, SYSTEM, OFF, now=now)
    _dispatched(session, now + timedelta(minutes=1))
    clock = session.exec(select(Clock).where(Clock.kind == "resolve")).one()
    clock.due_at = (clock.due_at or now) + timedelta(days=1)
    session.add(clock)
    assert any("recomputed" in told for told in verification.verify(session))


def test_a_changed_day_counts_at_once_and_can_be_taken_back(house: House, session: Session, now: datetime) -> None:
    set_days(session, SYSTEM, OFF, now=now)
    assert not calendar(session, "cn-office").is_working(TOMORROW)
    saturday = date(2026, 11, 28)
    set_days(session, SYSTEM, DaysIn("cn-office", saturday, saturday, "makeup"), now=now)
    assert len(calendar(session, "cn-office").spans(saturday)) == 2
    clear_day(session, SYSTEM, "cn-office", TOMORROW, now=now)
    assert calendar(session, "cn-office").is_working(TOMORROW)
    lines = session.exec(select(AuditLine).where(AuditLine.act == "change_days")).all()
    assert [line.detail["days"] for line in lines] == [["2026-11-24"], ["2026-11-28"], ["2026-11-24"]]
    with pytest.raises(NotFound):
        clear_day(session, SYSTEM, "cn-office", TOMORROW, now=now)


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (replace(OFF, first=date(2026, 11, 23)), "first"),
        (replace(OFF, first=date(2031, 1, 1), last=date(2031, 1, 1)), "first"),
        (replace(OFF, last=date(2026, 11, 23)), "last"),
        (replace(OFF, last=date(2027, 1, 24)), "last"),
        (replace(OFF, kind="feast"), "kind"),
        (replace(OFF, kind="custom"), "spans"),
        (replace(OFF, kind="custom", spans=(("09:00", "12:00"), ("11:00", "13:00"))), "spans"),
    ],
)
def test_a_day_that_cannot_be_is_refused_with_its_field(
    house: House, session: Session, now: datetime, told: DaysIn, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        set_days(session, SYSTEM, told, now=now)
    assert [error["field"] for error in refused.value.errors] == [field]


def test_coverage_is_moved_on_but_never_before_today(house: House, session: Session, now: datetime) -> None:
    cover(session, SYSTEM, "cn-office", date(2027, 12, 31), now=now)
    assert session.get_one(Calendar, "cn-office").covered_until == date(2027, 12, 31)
    assert calendar(session, "cn-office").is_covered(datetime(2027, 6, 1, tzinfo=UTC))
    with pytest.raises(Invalid):
        cover(session, SYSTEM, "cn-office", date(2026, 11, 1), now=now)


def test_an_administrator_of_one_province_changes_none_of_it(house: House, session: Session, now: datetime) -> None:
    local = someone("admin", unit_ids=frozenset({house.unit("guangdong")}))
    with pytest.raises(Forbidden):
        set_days(session, local, OFF, now=now)
    with pytest.raises(Forbidden):
        clear_day(session, local, "cn-office", TOMORROW, now=now)
    with pytest.raises(Forbidden):
        cover(session, local, "cn-office", date(2027, 12, 31), now=now)
    with pytest.raises(Forbidden):
        save_policy(session, local, KEY, version=0, now=now)


def test_each_change_of_a_policy_is_a_version_and_running_clocks_keep_theirs(
    house: House, session: Session, now: datetime
) -> None:
    _dispatched(session, now)
    was = session.get_one(Policy, "default")
    told = PolicyIn("default", was.name, was.position, {}, {**was.clocks, "resolve": "3wd"})
    assert save_policy(session, SYSTEM, told, version=was.version, now=now).version == 2
    assert save_policy(session, SYSTEM, told, version=2, now=now).version == 2  # nothing changed
    limits = session.exec(select(Clock.limit_text).where(Clock.kind == "resolve")).all()
    assert limits == ["5wd"]
    line = session.exec(select(AuditLine).where(AuditLine.act == "save_policy")).one()
    assert (line.detail["version"], line.detail["was"]["clocks"]["resolve"]) == (2, "5wd")
    with pytest.raises(Conflict):
        save_policy(session, SYSTEM, told, version=1, now=now)


def test_a_new_policy_is_asked_in_its_place(house: House, session: Session, now: datetime) -> None:
    save_policy(session, SYSTEM, KEY, version=0, now=now)
    rows = session.exec(select(Policy).order_by(col(Policy.position))).all()
    assert policies.first([(row.code, row.match) for row in rows], Case("complaint", is_key=True)) == "key-points"
    with pytest.raises(Invalid) as refused:
        save_policy(session, SYSTEM, KEY, version=0, now=now)
    assert refused.value.errors[0]["field"] == "code"
    with pytest.raises(NotFound):
        save_policy(session, SYSTEM, replace(KEY, code="gone"), version=3, now=now)


@pytest.mark.parametrize(
    ("told", "fields"),
    [
        (replace(KEY, clocks={"accept": "soon", "statutory": "15nd"}), {"clock-accept", "clock-resolve"}),
        (replace(KEY, clocks={**LIMITS, "accept": "2wd", "resolve": "1wd"}), {"clock-accept"}),
        (replace(KEY, clocks={"accept": "1wh", "resolve": "24nh"}), {"clock-statutory"}),
        (replace(KEY, clocks={**KEY.clocks, "statutory": "15wd"}), {"clock-statutory"}),
        (replace(KEY, match={}), {"match"}),
        (replace(KEY, position=1000), {"position"}),
        (replace(KEY, position=30), {"position"}),  # behind 投诉, which takes them all
        (replace(KEY, position=5, match={"type": ["complaint", "major"]}), {"position"}),  # takes all of 投诉
        (PolicyIn("default", "兜底", 1000, {"key": True}, KEY.clocks), {"match"}),
        (PolicyIn("default", "兜底", 20, {}, KEY.clocks), {"position"}),
    ],
)
def test_each_fault_of_a_policy_is_said_at_its_field(told: PolicyIn, fields: set[str]) -> None:
    others = [PolicyIn(p["code"], p["name"], p["position"], p["match"], p["clocks"]) for p in policies.DEFAULTS]
    found = soundness.faults(told, [other for other in others if other.code != told.code])
    assert {fault["field"] for fault in found} == fields


@given(CASES, CASES, st.sampled_from(["complaint", "major"]), st.integers(1, 4), st.booleans())
def test_whatever_fits_the_narrow_fits_what_covers_it(
    wide: dict[str, object], narrow: dict[str, object], type_: str, severity: int, is_key: bool
) -> None:
    case = Case(type_, severity=severity, is_key=is_key)
    if soundness.covers(wide, narrow) and policies.fits(narrow, case):
        assert policies.fits(wide, case)
