"""A topic that rises far over its own past comes first and is called a burst."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from experience.organisation.permissions import SYSTEM
from experience.voices import bursts, queries
from experience.voices.intake import VoiceIn
from experience.voices.operations import hear, read_now
from experience.voices.queries import Filters
from tests.people import someone


def test_five_times_the_usual_is_first_and_a_burst(session: Session, now: datetime) -> None:
    for day in range(28):
        at = now - timedelta(days=day + 1, hours=1)
        many = [VoiceIn("充值话费扣了钱不到账", "app", at=at), *[VoiceIn("营业厅排队太久", "app", at=at)] * 3]
        read_now(session, [hear(session, SYSTEM, said, now=now) for said in many], now=now)
    today = [VoiceIn("充值话费扣了钱不到账", "app")] * 5 + [VoiceIn("营业厅排队太久", "app")] * 3
    read_now(session, [hear(session, SYSTEM, said, now=now) for said in today], now=now)
    hot = queries.hot(session, SYSTEM, Filters(), now=now)
    assert [(one.topic, one.n, round(one.rise), one.is_burst) for one in hot] == [
        ("billing", 5, 5, True), ("store", 3, 1, False)
    ]  # fmt: skip
    assert queries.hot(session, someone(territories=frozenset({"hunan"})), Filters(), now=now) == []


@given(st.integers(0, 400), st.integers(0, 4000))
def test_the_tail_is_a_probability_that_falls_as_more_are_seen(n: int, before: int) -> None:
    here, further = bursts.tail(n, before, 28), bursts.tail(n + 1, before, 28)
    assert 0 <= further <= here <= 1
