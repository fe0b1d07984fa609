"""No order can lack a due: the first policy that fits wins, and the last one fits everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from experience.ground.errors import Invalid
from experience.orders import deadline, policies
from experience.orders.operations import ensure_calendar, ensure_defaults, ensure_policy
from experience.orders.policies import DEFAULTS, Case
from experience.orders.queries import calendar
from experience.orders.tables import CalendarDay, Policy

SHIPPED = [(policy["code"], policy["match"]) for policy in sorted(DEFAULTS, key=lambda p: int(p["position"]))]


@pytest.mark.parametrize(
    ("type_", "code"),
    [("major", "major"), ("complaint", "complaint"), ("suggestion", "suggestion"), ("experience", "default")],
)
def test_each_type_has_its_own_limits(type_: str, code: str) -> None:
    assert policies.first(SHIPPED, Case(type_)) == code


@given(st.text(max_size=20), st.text(max_size=20), st.integers(1, 4), st.booleans())
def test_whatever_comes_some_policy_fits(type_: str, touchpoint: str, severity: int, is_key: bool) -> None:
    assert policies.first(SHIPPED, Case(type_, touchpoint, severity, is_key))


def test_every_shipped_limit_can_be_read() -> None:
    for policy in DEFAULTS:
        policies.demand_sound(policy["match"], policy["clocks"])
        assert {"accept", "contact", "resolve", "review", "callback"} <= set(policy["clocks"])


def test_only_complaints_and_the_major_run_against_the_law() -> None:
    assert {policy["code"] for policy in DEFAULTS if "statutory" in policy["clocks"]} == {"complaint", "major"}


def test_a_match_names_touchpoint_severity_and_key() -> None:
    match = {"type": ["complaint", "major"], "touchpoint": "web.recharge", "severity": [1, 2], "key": True}
    fitting = Case("complaint", "web.recharge", 2, True)
    assert policies.fits(match, fitting)
    for other in (
        Case("suggestion", "web.recharge", 2, True),
        Case("complaint", "app.bill", 2, True),
        Case("complaint", "web.recharge", 3, True),
        Case("complaint", "web.recharge", 2, False),
    ):
        assert not policies.fits(match, other)


@pytest.mark.parametrize(
    ("match", "clocks"),
    [
        ({"colour": "red"}, {"accept": "2wh", "resolve": "4wh"}),
        ({}, {"accept": "2wh", "resolve": "soon"}),
        ({}, {"accept": "2wh"}),
        ({}, {"accept": "2wh", "resolve": "4wh", "nap": "1wh"}),
    ],
)
def test_a_policy_nobody_can_apply_is_refused(match: dict[str, str], clocks: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        policies.demand_sound(match, clocks)


def test_what_staff_changed_survives_the_next_start(session: Session) -> None:
    ensure_defaults(session)
    told = {"code": "complaint", "name": "投诉", "match": {"type": "complaint"}, "position": 20}
    changed = ensure_policy(session, {**told, "clocks": {"accept": "1wh", "resolve": "24nh"}})
    assert changed.version == 2
    ensure_defaults(session)
    session.expire_all()
    assert session.get_one(Policy, "complaint").clocks == {"accept": "1wh", "resolve": "24nh"}


def test_the_office_calendar_is_there_with_its_holidays(session: Session) -> None:
    ensure_defaults(session)
    days = session.exec(select(CalendarDay).where(CalendarDay.calendar == "cn-office")).all()
    assert {day.kind for day in days} == {"holiday", "makeup"}
    assert sum(day.kind == "makeup" for day in days) >= 150


def test_a_calendar_of_ones_own_is_used_and_may_be_told_again(session: Session) -> None:
    told = {"name": "night-shift", "weekly": {"mon": [["20:00", "24:00"]]}, "days": {"2026-11-23": []}}
    ensure_calendar(session, told)
    ensure_calendar(session, told)
    shift = calendar(session, "night-shift")
    limit = deadline.parse("1wh")
    start = shift.at(shift.local(shift.at(next(iter(shift.days)), 0)).date(), 0)
    assert shift.local(deadline.due(shift, start, limit)).isoformat() == "2026-11-30T21:00:00+08:00"


def test_a_calendar_that_overlaps_is_refused(session: Session) -> None:
    with pytest.raises(Invalid):
        ensure_calendar(session, {"name": "x", "weekly": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}})
