"""Many at once: one wins, the others are told; two sweeps fire each mark once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import Engine, text
from sqlmodel import Session

from experience.ground.errors import Conflict
from experience.ground.store import transaction
from experience.issues.operations import IssueIn, raise_issue
from experience.orders.operations import Act, DispatchIn, act, chase_next, dispatch
from experience.organisation.permissions import SYSTEM
from tests.people import build_house


def dispatched(session: Session, now: datetime, count: int) -> list[tuple[str, int]]:
    made = []
    for _ in range(count):
        issue = raise_issue(session, SYSTEM, IssueIn("充值不到账", province="guangdong"), now=now)
        order = dispatch(session, SYSTEM, issue.id or 0, DispatchIn(("guangdong",), "complaint", "请核查"), now=now)
        made.append((order.code, order.version))
    return made


def test_twenty_accept_one_order_and_one_wins(own_database: Engine, now: datetime) -> None:
    with transaction(own_database) as session:
        zhou = build_house(session, now).scope("zhou")
        [(code, version)] = dispatched(session, now, 1)

    def wins(_number: int) -> bool:
        with transaction(own_database) as session:
            try:
                act(session, zhou, code, Act("accept", version), now=now)
            except Conflict as refused:
                return refused.current["version"] != version + 1
            return True

    with ThreadPoolExecutor(10) as pool:
        won = list(pool.map(wins, range(20)))
    assert won.count(True) == 1
    with transaction(own_database) as session:
        count = text("select count(*) from order_step where action = 'accept'")
        assert session.connection().execute(count).scalar_one() == 1


def test_two_sweeps_at_once_fire_each_mark_once(own_database: Engine, now: datetime) -> None:
    with transaction(own_database) as session:
        build_house(session, now)
        dispatched(session, now, 12)
    later = now + timedelta(days=20)

    def sweep(_number: int) -> int:
        done = 0
        while True:
            with transaction(own_database) as session:
                if not chase_next(session, later):
                    return done
            done += 1

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(sweep, range(2))) >= 12
    with transaction(own_database) as session:
        rung = "from order_step, jsonb_array_elements(detail->'marks') mark where action = 'mark'"
        run = session.connection().execute
        fired = run(text("select count(*) from clock_mark where fired_at is not null")).scalar_one()
        assert fired >= 12 * 12
        assert run(text(f"select count(*) {rung}")).scalar_one() == fired
        assert run(text(f"select count(distinct (order_id, mark)) {rung}")).scalar_one() == fired
