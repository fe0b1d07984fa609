"""The one clock and its shift."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experience.ground import clock, config
from experience.ground.errors import Invalid


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", timedelta()),
        ("+12d", timedelta(days=12)),
        ("-3h30m", timedelta(hours=-3, minutes=-30)),
        ("+1.5h", timedelta(minutes=90)),
        ("90s", timedelta(seconds=90)),
    ],
)
def test_a_shift_reads_as_a_length(text: str, length: timedelta) -> None:
    assert clock.shift(text) == length


@pytest.mark.parametrize("text", ["12", "d", "+1y", "tomorrow", "+1d-2h", "1d "])
def test_an_unreadable_shift_says_what_it_should_look_like(text: str) -> None:
    with pytest.raises(Invalid, match=r"\+12d"):
        clock.shift(text)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_parts_of_a_shift_add_up(hours: int, minutes: int) -> None:
    assert clock.shift(f"+{hours}h{minutes}m") == timedelta(hours=hours, minutes=minutes)


def settings_with(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    made = config.Settings(**values)  # type: ignore[arg-type]
    monkeypatch.setattr(clock, "settings", lambda: made)


def test_now_is_moved_by_the_shift(monkeypatch: pytest.MonkeyPatch) -> None:
    settings_with(monkeypatch, clock="+12d")
    assert timedelta(days=11, hours=23) < clock.now() - datetime.now(UTC) <= timedelta(days=12)


def test_production_refuses_a_shifted_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    settings_with(monkeypatch, clock="+12d", env="production")
    with pytest.raises(Invalid, match="production"):
        clock.now()
