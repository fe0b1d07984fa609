"""How often one address may ask."""

import pytest
from flask import Flask
from werkzeug.exceptions import TooManyRequests

from experience.ground.errors import Invalid
from experience.web import rates


@pytest.mark.parametrize(
    ("rate", "meant"),
    [("120 per minute", (120, 60)), ("10/second", (10, 1)), ("5 per 2 hours", (5, 7200)), ("1 per day", (1, 86400))],
)
def test_a_rate_is_understood(rate: str, meant: tuple[int, int]) -> None:
    assert rates.parsed(rate) == meant


@pytest.mark.parametrize("rate", ["", "often", "-1 per minute", "10 per fortnight"])
def test_a_rate_that_is_none_is_refused(rate: str) -> None:
    with pytest.raises(Invalid):
        rates.parsed(rate)


def test_each_address_has_a_count_of_its_own() -> None:
    window = rates.Window()
    for _ in range(3):
        window.take("10.0.0.1", most=3, seconds=86400)
    window.take("10.0.0.2", most=3, seconds=86400)
    with pytest.raises(TooManyRequests) as refused:
        window.take("10.0.0.1", most=3, seconds=86400)
    assert refused.value.retry_after in range(1, 86402)


def test_views_are_counted_apart_until_all_is_forgotten() -> None:
    limiter = rates.Limiter()
    first = limiter.limit(lambda: "1 per day")(lambda: "first")
    second = limiter.limit(lambda: "1 per day")(lambda: "second")
    with Flask("one").test_request_context():
        for _ in range(2):
            assert (first(), second()) == ("first", "second")
            with pytest.raises(TooManyRequests):
                first()
            limiter.reset()
