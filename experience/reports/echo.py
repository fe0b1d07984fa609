"""What became of a customer's word, as steps a customer understands: done, going on, still to come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: A customer may say "not solved" this long after an order was archived.
REOPEN_WITHIN = timedelta(days=30)
STEPS = ("heard", "read", "issue", "dispatched", "replied", "asked", "outcome")


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """The newest of the issue's orders to a unit, as far as a customer is told of it."""

    code: str
    state: str
    unit: str
    dispatched_at: datetime | None
    due_at: datetime | None
    submitted_at: datetime | None
    archived_at: datetime | None
    version: int
    cycle: int
    measure: str = ""


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """The follow-up question to this very author."""

    id: int
    state: str
    created_at: datetime
    answered_at: datetime | None
    is_solved: bool | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one customer's word."""

    heard_at: datetime
    read_at: datetime | None = None
    topic: str = ""
    label: str = ""
    board_state: str = "hidden"
    issue_state: str = ""
    issue_at: datetime | None = None
    others: int = 0
    order: OrderSeen | None = None
    asked: AskedAgain | None = None
    has_effect: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its kind (of STEPS), when it was taken (None: not yet), and whether it is the one going on now."""

    kind: str
    at: datetime | None
    is_now: bool = False


def headline(facts: Facts) -> str:
    """Where it stands: heard, read, issue, dispatched, replied, asked, solved, reopened, declined or thanked."""
    if facts.board_state == "declined" or facts.issue_state == "dismissed":
        return "declined"
    if facts.asked and facts.asked.is_solved is False and not _is_closed_after(facts):
        return "reopened"
    if _is_over(facts):
        return "solved"
    if facts.asked and facts.asked.state in ("waiting", "invited"):
        return "asked"
    return _on_the_way(facts)


def _on_the_way(facts: Facts) -> str:
    order = facts.order
    if order and order.state in ("submitted", "callback"):
        return "replied"
    if order:
        return "dispatched"
    if facts.issue_state:
        return "issue"
    if facts.read_at:
        return "thanked" if facts.label == "positive" else "read"
    return "heard"


def _is_over(facts: Facts) -> bool:
    is_archived = facts.order is not None and facts.order.state == "archived"
    return is_archived or facts.issue_state == "solved" or facts.board_state == "solved"


def _is_closed_after(facts: Facts) -> bool:
    """Whether the order was archived after its author said it was not solved."""
    answered = facts.asked.answered_at if facts.asked else None
    return bool(facts.order and facts.order.archived_at and answered and facts.order.archived_at > answered)


def steps(facts: Facts) -> list[Step]:
    """The seven steps, or the fewer that make sense for praise and for what is not taken up."""
    order, asked, where = facts.order, facts.asked, headline(facts)
    taken: dict[str, datetime | None] = {
        "heard": facts.heard_at,
        "read": facts.read_at,
        "issue": facts.issue_at,
        "dispatched": order.dispatched_at if order else None,
        "replied": _replied_at(order),
        "asked": asked.created_at if asked else None,
        "outcome": (order.archived_at if order else None) if where == "solved" else None,
    }
    if where in ("thanked", "declined"):
        return [Step(kind, taken[kind]) for kind in STEPS if taken[kind]]
    kinds = _without_gaps(taken)
    going_on = _NOW.get(where, where)
    return [Step(kind, taken[kind], kind == going_on) for kind in kinds]


_NOW = {"heard": "read", "read": "issue", "issue": "dispatched", "dispatched": "replied", "replied": "asked"} | {
    "reopened": "replied",
    "solved": "",
}


def _replied_at(order: OrderSeen | None) -> datetime | None:
    """The reply counts while it stands: an order sent back is being worked on again."""
    return order.submitted_at if order and order.state in ("submitted", "callback", "archived") else None


def _without_gaps(taken: dict[str, datetime | None]) -> Sequence[str]:
    """The steps without those that were passed over: once a later one is taken, an earlier one will not come."""
    last = max((place for place, kind in enumerate(STEPS) if taken[kind]), default=0)
    return [kind for place, kind in enumerate(STEPS) if taken[kind] or place > last]


def may_reopen(facts: Facts, now: datetime) -> bool:
    """Whether the author may still say that it was not solved."""
    archived = facts.order.archived_at if facts.order and facts.order.state == "archived" else None
    has_said_so = facts.asked is not None and facts.asked.is_solved is False
    return archived is not None and now - archived <= REOPEN_WITHIN and not has_said_so


def may_answer(facts: Facts) -> bool:
    """Whether the follow-up question waits for the author."""
    return facts.asked is not None and facts.asked.state in ("waiting", "invited")
