"""The contact policy: its order, its defaults, and laws that hold for everybody."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experience.customers.contact_policy import REASONS, Facts, Settings, checked, decide, draw, is_quiet

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
FACTS = Facts(subject="device:d1", what="recharge")


def reason(now: datetime = NOON, settings: Settings = Settings(), **known: Any) -> str:  # noqa: B008 - frozen
    return decide(replace(FACTS, **known), settings, now).reason


def test_nothing_known_means_ask() -> None:
    assert decide(FACTS, Settings(), NOON).show


def test_the_defaults_are_the_documents() -> None:
    assert Settings() == Settings(
        sample=1.0,
        max_shows=1,
        repeat_after_days=90,
        cooldown_days=7,
        max_per_session=1,
        dismissals=2,
        dismiss_backoff_days=30,
        quiet=(time(22), time(8)),
        holdout=0.02,
    )


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"is_open": False}, "not_open"),
        ({"has_channel": False}, "channel"),
        ({"is_audience": False}, "audience"),
        ({"shows": 1}, "max_shows"),
        ({"answered_at": NOON - timedelta(days=89)}, "repeat"),
        ({"last_shown_at": NOON - timedelta(days=6)}, "cooldown"),
        ({"shows_in_session": 1}, "session"),
        ({"dismissals": 2}, "dismissed"),
        ({"is_do_not_ask": True}, "do_not_ask"),
        ({"is_being_asked": True}, "one_at_a_time"),
        ({"is_quota_full": True}, "quota"),
    ],
)
def test_each_fact_refuses_for_its_own_reason(known: dict[str, Any], expected: str) -> None:
    assert reason(**known) == expected


def test_the_first_refusal_in_the_documents_order_is_the_reason() -> None:
    everything = replace(
        FACTS, is_open=False, has_channel=False, is_audience=False, shows=9, dismissals=9, is_do_not_ask=True
    )
    assert [name for name, _ in checked(everything, Settings(), NOON)] == list(REASONS)
    assert decide(everything, Settings(), NOON).reason == "not_open"
    assert decide(replace(everything, is_open=True), Settings(), NOON).reason == "channel"


def test_limits_end_when_their_time_is_over() -> None:
    assert reason(answered_at=NOON - timedelta(days=90)) == ""
    assert reason(last_shown_at=NOON - timedelta(days=7)) == ""


def test_quiet_hours_are_local_and_pass_midnight() -> None:
    assert reason(now=datetime(2026, 11, 23, 14, 0, tzinfo=UTC)) == "quiet_hours"  # 22:00 in Beijing
    assert reason(now=datetime(2026, 11, 22, 23, 59, tzinfo=UTC)) == "quiet_hours"  # 07:59
    assert reason(now=datetime(2026, 11, 23, 0, 0, tzinfo=UTC)) == ""  # 08:00


def test_who_comes_by_a_link_is_never_too_late() -> None:
    assert reason(now=datetime(2026, 11, 23, 14, 0, tzinfo=UTC), channel="link") == ""


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_lot_is_sticky_and_a_share(subject: str, what: str) -> None:
    assert draw(subject, what) == draw(subject, what)
    assert 0 <= draw(subject, what) < 1


def test_a_sample_of_a_tenth_is_about_a_tenth() -> None:
    chosen = sum(draw(f"device:{n}", "recharge") < 0.1 for n in range(20_000))
    assert 1_850 < chosen < 2_150


def test_the_holdout_is_the_same_people_for_every_survey() -> None:
    held = [n for n in range(3_000) if draw(f"device:{n}", "holdout") < 0.02]
    assert 30 < len(held) < 90
    for what in ("recharge", "bill"):
        assert decide(Facts(f"device:{held[0]}", what), Settings(), NOON).reason == "holdout"


@given(
    st.times(),
    st.times(),
    st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)),
)
def test_a_quiet_window_and_the_rest_of_the_day_never_overlap(start: time, end: time, at: datetime) -> None:
    if start != end:
        assert is_quiet((start, end), at) != is_quiet((end, start), at)
    assert not is_quiet(None, at)
