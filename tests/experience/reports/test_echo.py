"""What a customer is told of a word's way: in order, without promises that were passed over."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experience.reports.echo import (
    REOPEN_WITHIN,
    STEPS,
    AskedAgain,
    Facts,
    OrderSeen,
    headline,
    may_answer,
    may_reopen,
    steps,
)

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def order(state: str = "processing", **more: datetime | None) -> OrderSeen:
    told: dict[str, datetime | None] = {"submitted_at": None, "archived_at": None, "due_at": NOW + DAY}
    return OrderSeen("G1", state, "广东公司", NOW - 3 * DAY, version=1, cycle=1, **(told | more))  # type: ignore[arg-type]


def asked(state: str = "invited", *, is_solved: bool | None = None, answered_at: datetime | None = None) -> AskedAgain:
    return AskedAgain(1, state, NOW - DAY, answered_at, is_solved)


def facts(**more: object) -> Facts:
    told: dict[str, object] = {"heard_at": NOW - 5 * DAY, "read_at": NOW - 5 * DAY, "label": "negative"}
    return Facts(**(told | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (facts(read_at=None), "heard"),
        (facts(), "read"),
        (facts(label="positive"), "thanked"),
        (facts(issue_state="open"), "issue"),
        (facts(issue_state="dispatched", order=order()), "dispatched"),
        (facts(issue_state="dispatched", order=order("submitted", submitted_at=NOW)), "replied"),
        (facts(issue_state="dispatched", order=order("callback", submitted_at=NOW), asked=asked()), "asked"),
        (
            facts(issue_state="dispatched", order=order(), asked=asked("answered", is_solved=False, answered_at=NOW)),
            "reopened",
        ),
        (facts(issue_state="solved", order=order("archived", archived_at=NOW)), "solved"),
        (facts(board_state="declined"), "declined"),
        (facts(issue_state="dismissed"), "declined"),
    ],
)
def test_where_it_stands(known: Facts, said: str) -> None:
    assert headline(known) == said


def test_what_was_said_not_solved_and_archived_after_is_solved() -> None:
    answered = asked("answered", is_solved=False, answered_at=NOW - 2 * DAY)
    assert headline(facts(order=order("archived", archived_at=NOW), asked=answered)) == "solved"


def test_the_step_going_on_is_the_next_one() -> None:
    told = steps(facts(issue_state="dispatched", issue_at=NOW - 4 * DAY, order=order()))
    assert [step.kind for step in told if step.is_now] == ["replied"]
    assert [step.kind for step in told] == list(STEPS)


def test_what_was_passed_over_is_not_promised() -> None:
    told = steps(facts(issue_state="solved", issue_at=NOW, order=order("archived", submitted_at=NOW, archived_at=NOW)))
    assert "asked" not in [step.kind for step in told]


def test_not_solved_may_be_said_for_thirty_days() -> None:
    known = facts(order=order("archived", archived_at=NOW - REOPEN_WITHIN))
    assert may_reopen(known, NOW)
    assert not may_reopen(known, NOW + timedelta(seconds=1))
    assert not may_reopen(facts(order=order()), NOW)


instants = st.none() | st.datetimes(timezones=st.just(UTC))


orders = st.sampled_from(["dispatched", "processing", "submitted", "callback", "archived", "returned"]).map(
    lambda state: order(state, archived_at=NOW if state == "archived" else None)
)
follow_ups = st.builds(
    AskedAgain,
    id=st.just(1),
    state=st.sampled_from(["waiting", "invited", "answered", "unreachable", "expired"]),
    created_at=st.just(NOW),
    answered_at=instants,
    is_solved=st.none() | st.booleans(),
)


@given(
    st.builds(
        Facts,
        heard_at=st.just(NOW),
        read_at=instants,
        label=st.sampled_from(["", "negative", "neutral", "positive"]),
        board_state=st.sampled_from(["hidden", "received", "working", "solved", "declined", "duplicate"]),
        issue_state=st.sampled_from(["", "open", "dispatched", "solved", "dismissed", "merged"]),
        order=st.none() | orders,
        asked=st.none() | follow_ups,
    )
)
def test_there_is_always_a_story_in_order(known: Facts) -> None:
    told = steps(known)
    assert told[0].kind == "heard"
    assert [STEPS.index(step.kind) for step in told] == sorted(STEPS.index(step.kind) for step in told)
    assert sum(step.is_now for step in told) <= 1
    assert not (may_answer(known) and known.asked is None)
