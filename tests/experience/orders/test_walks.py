"""Ten thousand random steps through the table of states, by anybody, at any time: the laws of the loop hold."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from experience.ground.errors import Conflict, Forbidden, Invalid, NotFound
from experience.issues.operations import IssueIn, raise_issue
from experience.orders import lifecycle, verification
from experience.orders.operations import Act, DispatchIn, act, chase_next, decide, dispatch, record_followup
from experience.orders.queries.standing import actors_of, order_around
from experience.orders.tables import FollowUp, OrderRequest, WorkOrder
from experience.organisation.permissions import SYSTEM, Scope
from experience.voices.operations import VoiceIn, hear
from tests.people import House

WALKS, STEPS = 50, 200
WHO = ("lin", "leader", "callback", "zhou", "approver", "he", "wang", "wu")
UNITS = ("guangdong", "migu", "guangdong.network", "guangdong.service", "hunan")
FINAL = tuple(sorted(lifecycle.FINAL))

#: law -> rows that break it
LAWS = {
    "one open hold for each order that has not ended": """
        select o.code from work_order o left join clock c on c.order_id = o.id and c.kind = 'hold'
          and c.state in ('running', 'paused')
        where o.state <> all(:final) group by o.code having count(c.id) <> 1""",
    "no clock runs after the end": """
        select o.code || ' ' || o.state || ' ' || c.kind from work_order o join clock c on c.order_id = o.id
        where o.state = any(:final) and c.state in ('running', 'paused')""",
    "stretches are without gap or overlap": """
        select code || ' ' || kind || ' ' || from_at || ' after ' || coalesce(before::text, 'open') from (
          select o.code, c.kind, s.from_at, lag(s.to_at) over w before, lag(s.id) over w before_id
          from clock_segment s join clock c on c.id = s.clock_id join work_order o on o.id = c.order_id
          window w as (partition by s.clock_id order by s.id)) x
        where before_id is not null and before is distinct from from_at""",
    "no stretch ends before it began": "select id::text from clock_segment where to_at < from_at",
    "stretches fill the clock's life": """
        select o.code || ' ' || c.kind from clock c join work_order o on o.id = c.order_id
        join (select clock_id, min(from_at) a, max(to_at) z, count(*) filter (where to_at is null) running
              from clock_segment group by clock_id) s on s.clock_id = c.id
        where s.a <> c.started_at or s.running <> (c.state in ('running', 'paused'))::int
          or (c.met_at is not null and s.z <> c.met_at)""",
    "only running clocks have marks to fire": """
        select o.code || ' ' || c.kind || ' ' || c.state from clock_mark m join clock c on c.id = m.clock_id
        join work_order o on o.id = c.order_id where m.fired_at is null and c.state <> 'running'""",
    "what is due is known": """
        select o.code from work_order o where o.next_due_at is distinct from (select least(
          (select min(due_at) from clock_mark m where m.order_id = o.id and m.fired_at is null),
          (select min(expires_at) from order_request r
           where r.order_id = o.id and (r.state = 'pending' or r.kind = 'suspend'))))""",
    "an ended main order has no open child": """
        select p.code from work_order p join work_order c on c.parent_id = p.id
        where p.state = any(:final) and c.state <> all(:final)""",
    "nothing waits for an answer after the end": """
        select o.code || ' ' || r.kind from order_request r join work_order o on o.id = r.order_id
        where r.state = 'pending' and o.state = any(:final)""",
}


class Walk:
    """One walk through one issue's orders."""

    def __init__(self, house: House, session: Session, now: datetime, seed: int) -> None:
        self.session, self.now, self.chance = session, now, random.Random(seed)
        self.scopes: list[Scope] = [house.scope(who) for who in WHO]
        said = VoiceIn("充值不到账", "rant", province="guangdong", touchpoint="web.recharge", receipt=f"secret{seed}")
        voice = hear(session, SYSTEM, said, now=now)
        told = IssueIn("充值不到账", touchpoint="web.recharge", province="guangdong", voices=[voice.id or 0])
        issue = raise_issue(session, SYSTEM, told, now=now)
        units = self.chance.choice((("guangdong",), ("guangdong", "migu"), ("hunan",)))
        kind = self.chance.choice(("complaint", "experience", "suggestion"))
        dispatch(session, self.scopes[0], issue.id or 0, DispatchIn(units, kind, "请核查"), now=now)
        self.issue_id = issue.id

    def orders(self) -> list[WorkOrder]:
        return list(self.session.exec(select(WorkOrder).where(WorkOrder.issue_id == self.issue_id)))

    def go(self) -> str:
        """One random thing; a refusal of one of the four families is fine."""
        kind = self.chance.choices(("act", "time", "sweep", "decide", "answer"), (78, 8, 6, 5, 3))[0]
        try:
            with self.session.begin_nested():
                return f"{kind} {getattr(self, kind)()}"
        except (Conflict, Forbidden, Invalid, NotFound) as refused:
            return f"{kind} refused: {refused}"

    def act(self) -> str:
        orders = self.orders()
        order = self.chance.choice(orders)
        scope = self.chance.choice(self.scopes)
        action = self.chance.choice(list(lifecycle.MOVES))
        if self.chance.random() < 0.7:  # mostly what is offered, so that walks get somewhere
            offered = self.offered(order)
            if offered:
                scope, action = self.chance.choice(offered)
        act(self.session, scope, order.code, Act(action, order.version, self.fields(action, orders)), now=self.now)
        return f"{order.code} {action} by {scope.name}"

    def offered(self, order: WorkOrder) -> list[tuple[Scope, str]]:
        """Who may do what now; rare acts rarely, or every walk would end at once."""
        found = order_around(self.session, SYSTEM, id=order.id)
        assert found is not None
        around = found[1]
        rare = ("cancel", "merge", "archive", "escalate", "supervise", "urge")
        return [
            (scope, action)
            for scope in self.scopes
            if scope.reach("orders.read").sees_unit(order.unit_id)
            for action in lifecycle.allowed(around.standing(order, actors_of(scope, order, around), self.now))
            if action not in rare or self.chance.random() < 0.15
        ]

    def fields(self, action: str, orders: list[WorkOrder]) -> dict[str, Any]:
        some: dict[str, Any] = {
            "unit": self.chance.choice(UNITS),
            "instructions": "请办理",
            "reason": "等用户" if action == "suspend" else "有原因",
            "until": (self.now + timedelta(days=self.chance.randint(1, 5))).isoformat(),
            "due_at": (self.now + timedelta(hours=self.chance.randint(1, 90))).isoformat(),
            "note": "查明了",
            "cause": "system",
            "measure": "已修复",
            "contacted": self.chance.random() < 0.7,
            "result": self.chance.choice(lifecycle.RESULTS),
            "responsible": self.chance.random() < 0.5,
            "into": self.chance.choice(orders).code,
        }
        move = lifecycle.MOVES[action]
        optional = [name for name in move.optional if name in ("note", "responsible")]
        return {name: some[name] for name in (*move.required, *optional)}

    def time(self) -> str:
        self.now += timedelta(minutes=self.chance.choice((1, 20, 90, 400, 1500, 6000)))
        return self.now.isoformat()

    def sweep(self) -> str:
        done = 0
        while chase_next(self.session, self.now):
            done += 1
            assert done < 200
        return str(done)

    def decide(self) -> str:
        wanted = select(OrderRequest, WorkOrder.code).join(WorkOrder).where(OrderRequest.state == "pending")
        pending = self.session.exec(wanted.where(WorkOrder.issue_id == self.issue_id)).all()
        if not pending:
            return "nothing"
        request, code = self.chance.choice(pending)
        decision = self.chance.choice(("approve", "approve", "reject"))
        scope = self.chance.choice(self.scopes[:4])
        decide(self.session, scope, code, request.id or 0, decision=decision, reason="已核", now=self.now)
        return f"{code} {request.kind} {decision}"

    def answer(self) -> str:
        wanted = select(FollowUp.id).join(WorkOrder).where(WorkOrder.issue_id == self.issue_id)
        waiting = self.session.exec(wanted.where(col(FollowUp.state) == "waiting")).all()
        if not waiting:
            return "nothing"
        is_solved = self.chance.random() < 0.5
        record_followup(self.session, waiting[0] or 0, is_solved=is_solved, score=None, now=self.now)
        return str(is_solved)


def broken(session: Session) -> list[str]:
    session.flush()
    return [
        f"{law}: {row}"
        for law, statement in LAWS.items()
        for row in session.connection()
        .execute(text(statement), {"final": list(FINAL)} if ":final" in statement else {})
        .scalars()
    ]


@pytest.mark.parametrize("seed", range(WALKS))
def test_no_walk_breaks_a_law(house: House, session: Session, now: datetime, seed: int) -> None:
    walk, told = Walk(house, session, now.astimezone(UTC), seed), []
    for number in range(STEPS):
        told.append(walk.go())
        if number % 50 == 49:
            assert broken(session) == [], told[-10:]
    session.expire_all()
    assert list(verification.verify(session)) == []
