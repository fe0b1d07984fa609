"""A customer's identity counts only when the host's server signed it lately."""

from datetime import UTC, datetime, timedelta

import pytest

from experience.customers.identity import is_genuine, signature

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TS = str(int(NOW.timestamp()))


def test_a_signature_of_the_hosts_server_is_genuine() -> None:
    assert is_genuine("hush", "C1", TS, signature("hush", "C1", TS), NOW)


def test_milliseconds_are_understood_too() -> None:
    millis = TS + "000"
    assert is_genuine("hush", "C1", millis, signature("hush", "C1", millis), NOW)


@pytest.mark.parametrize(
    ("secret", "ref", "ts", "sig"),
    [
        ("other", "C1", TS, signature("hush", "C1", TS)),
        ("hush", "C2", TS, signature("hush", "C1", TS)),
        ("", "C1", TS, signature("", "C1", TS)),
        ("hush", "", TS, signature("hush", "", TS)),
        ("hush", "C1", TS, ""),
        ("hush", "C1", TS, "é"),
        ("hush", "C1", "x", signature("hush", "C1", "x")),
        ("hush", "C1", "²", signature("hush", "C1", "²")),
        ("hush", "C1", "9" * 13, signature("hush", "C1", "9" * 13)),
    ],
)
def test_anything_else_is_not(secret: str, ref: str, ts: str, sig: str) -> None:
    assert not is_genuine(secret, ref, ts, sig, NOW)


def test_yesterdays_signature_is_too_old_and_tomorrows_too_early() -> None:
    assert not is_genuine("hush", "C1", TS, signature("hush", "C1", TS), NOW + timedelta(hours=24, seconds=1))
    assert not is_genuine("hush", "C1", TS, signature("hush", "C1", TS), NOW - timedelta(minutes=6))
