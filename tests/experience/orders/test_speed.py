"""What an act and a card cost, counted in statements: time depends on the machine, statements do not."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from sqlalchemy import event, text
from sqlmodel import Session, select

from experience.issues.operations import IssueIn, raise_issue
from experience.orders.operations import DispatchIn, dispatch
from experience.orders.queries import OrderFilter, order_card, orders
from experience.orders.tables import WorkOrder
from experience.organisation.permissions import SYSTEM
from tests.people import House

MANY = """
    insert into work_order (code, level, issue_id, type, policy, priority, title, instructions, state, version, unit_id,
      origin, cycle, return_count, reject_count, urge_count, is_forced, is_supervised, escalation_level, created_at,
      due_at, reply_note, reply_cause, reply_measure, last_hash)
    select 'X' || n, 1, :issue, 'complaint', 'complaint', 3, '充值不到账', '', (array['dispatched', 'processing',
      'archived', 'archived', 'archived', 'archived'])[n % 6 + 1], 1, (array[:guangdong, :hunan])[n % 2 + 1], 'centre',
      1, 0, 0, 0, false, false, 0, :now, cast(:now as timestamptz) + (n % 4000 - 100) * interval '1 hour', '', '', '',
      ''
    from generate_series(1, 20000) n
"""


@contextmanager
def counted(bound: object) -> Iterator[list[str]]:
    """The statements run inside the block."""
    seen: list[str] = []

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(bound, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(bound, "before_cursor_execute", note)


def test_a_card_costs_at_most_three_statements(house: House, session: Session, now: datetime) -> None:
    issue = raise_issue(session, SYSTEM, IssueIn("充值不到账", province="guangdong"), now=now)
    order = dispatch(session, SYSTEM, issue.id or 0, DispatchIn(("guangdong",), "complaint", "请核查"), now=now)
    with counted(session.get_bind()) as seen:
        order_card(session, house.scope("lin"), order.code, now=now)
    assert len([one for one in seen if "grant" not in one.lower()]) <= 3, seen


@pytest.mark.parametrize(
    "wanted",
    [
        OrderFilter(),
        OrderFilter(unit="guangdong"),
        OrderFilter(state="processing"),
        OrderFilter(is_overdue=True),
        OrderFilter(unit="guangdong", state="dispatched", is_overdue=True),
    ],
    ids=str,
)
def test_no_list_reads_the_whole_table(house: House, session: Session, now: datetime, wanted: OrderFilter) -> None:
    issue = raise_issue(session, SYSTEM, IssueIn("充值不到账", province="guangdong"), now=now)
    units = {"guangdong": house.unit("guangdong"), "hunan": house.unit("hunan")}
    session.connection().execute(text(MANY), {"issue": issue.id, "now": now, **units})
    session.connection().execute(text("analyze work_order"))
    plans: list[str] = []

    def explain(connection: object, cursor: object, statement: str, given: object, *_: object) -> None:
        if "FROM work_order" in statement and not statement.startswith("EXPLAIN"):
            run = connection.connection.cursor()  # type: ignore[attr-defined]
            plans.append("\n".join(row[0] for row in run.execute(f"EXPLAIN {statement}", given)))

    bound = session.get_bind()
    event.listen(bound, "before_cursor_execute", explain)
    try:
        found = orders(session, SYSTEM, wanted, now=now, limit=50)
    finally:
        event.remove(bound, "before_cursor_execute", explain)
    assert len(found) == 50
    assert "Seq Scan on work_order" not in "".join(plans), plans
    assert session.exec(select(WorkOrder.id).limit(1)).first()
