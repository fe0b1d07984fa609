"""A stage for the past: plots act through the house's own operations at past instants, and the clock chases in between."""

import heapq
import random
from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from experience.demo import operator, rhythm
from experience.demo.past import Past
from experience.orders import deadline, operations
from experience.orders.operations import Act
from experience.orders.queries.calendars import calendar
from experience.orders.tables import Clock, FollowUp, OrderRequest, WorkOrder
from experience.organisation.permissions import Scope
from experience.organisation.queries import scope_of, user_by_login

#: A plot says when it goes on.
Plot = Generator[datetime, None, None]


class Theatre:
    """Plays plots in the order of time. `now` is the instant being played."""

    def __init__(self, session: Session, past: Past) -> None:
        self.session, self.past, self.now = session, past, past.now
        self._waiting: list[tuple[datetime, int, Plot]] = []
        self._number = count()
        self._scopes: dict[str, Scope] = {}

    def begin(self, plot: Plot, at: datetime) -> None:
        """The plot is taken up at this instant, unless that lies beyond the past; nobody acts at night."""
        if at < self.past.now:
            heapq.heappush(self._waiting, (at, next(self._number), plot))

    def play(self) -> None:
        """Plays everything up to the end of the past; plots that wait longer stay where they are."""
        self.session.execute(text("set local synchronous_commit = off"))
        while self._waiting:
            at, _, plot = heapq.heappop(self._waiting)
            self._chase(at)
            self.now = at
            goes_on = next(plot, None)
            if goes_on is not None:
                self.begin(plot, max(rhythm.on_shift(goes_on), at))
        self._chase(self.past.now)

    def _chase(self, upto: datetime) -> None:
        """Marks fire at their own instants, as they would have with a worker running all the time."""
        earliest = select(func.min(col(WorkOrder.next_due_at)))
        while (due := self.session.exec(earliest).one()) is not None and due <= upto:
            if not operations.chase_next(self.session, due):
                raise AssertionError(f"an order due at {due} could not be chased")

    def scope(self, login: str) -> Scope:
        """Who acts."""
        if login not in self._scopes:
            user = user_by_login(self.session, login)
            assert user is not None, login
            self._scopes[login] = scope_of(self.session, user, self.now)
        return self._scopes[login]

    def working(self, hours: float) -> datetime:
        """So many working hours from now."""
        return deadline.add(calendar(self.session, "cn-office"), self.now, hours * 3600)

    def order(self, code: str) -> WorkOrder:
        """The order as it stands now."""
        chosen = select(WorkOrder).where(WorkOrder.code == code)
        return self.session.exec(chosen, execution_options={"populate_existing": True}).one()

    def extended(self, code: str, share: float) -> datetime:
        """The due of the order's running RESOLVE clock moved on by this share of its budget, in its own time."""
        running = select(Clock).join(WorkOrder, col(WorkOrder.id) == Clock.order_id)
        running = running.where(WorkOrder.code == code, Clock.kind == "resolve", Clock.state == "running")
        clock = self.session.exec(running.order_by(col(Clock.id).desc())).first()
        assert clock is not None
        assert clock.due_at is not None
        days, limit = calendar(self.session, clock.calendar), deadline.parse(clock.limit_text)
        return deadline.forward(days, limit, clock.due_at, clock.budget_seconds * share)

    def children(self, code: str) -> list[str]:
        """The codes of an order's children, oldest first."""
        of = select(WorkOrder.code).where(WorkOrder.parent_id == self.order(code).id)
        return list(self.session.exec(of.order_by(col(WorkOrder.id))).all())

    def act(self, login: str, code: str, action: str, **fields: Any) -> WorkOrder:
        """The order after somebody's act now."""
        return operations.act(self.session, self.scope(login), code, Act(action, None, fields), now=self.now)

    def decide(self, login: str, code: str, decision: str, reason: str) -> None:
        """Somebody decides the order's newest pending request, if there is one still."""
        pending = select(OrderRequest.id).join(WorkOrder, col(WorkOrder.id) == OrderRequest.order_id)
        pending = pending.where(WorkOrder.code == code, OrderRequest.state == "pending")
        request = self.session.exec(pending.order_by(col(OrderRequest.id).desc())).first()
        if request is not None:
            operations.decide(
                self.session, self.scope(login), code, request, decision=decision, reason=reason, now=self.now
            )

    def answer_followups(self, code: str, chance: random.Random, *, share: float, says_no: bool = False) -> None:
        """Some of the customers asked again answer; with `says_no` the first of them is not content."""
        order = self.order(code)
        waiting = select(FollowUp.id).where(FollowUp.order_id == order.id, FollowUp.cycle == order.cycle)
        waiting = waiting.where(col(FollowUp.state).in_(("waiting", "invited"))).order_by(col(FollowUp.id))
        for number, one in enumerate(self.session.exec(waiting).all()):
            if number and chance.random() > share:
                continue
            told = _NO if says_no and not number else chance.choice(_YES)
            operations.record_followup(self.session, one or 0, **told, now=self.now)
            if told is _NO:
                return


_NO: Mapping[str, Any] = {"is_solved": False, "score": 2, "note": "昨天又出现了一次，没有真正解决。"}
_YES: tuple[Mapping[str, Any], ...] = (
    {"is_solved": True, "score": 5, "note": "当天就有人联系我了，解决得挺快。"},
    {"is_solved": True, "score": 4, "note": "已经好了，谢谢。"},
    {"is_solved": True, "score": 4, "note": ""},
    {"is_solved": True, "score": 3, "note": "解决是解决了，就是时间长了点。"},
)


def coordinator(unit: str) -> str:
    """The login that coordinates a province's or base's orders."""
    return operator.NAMED.get(unit, (f"{unit}.desk", ""))[0]


def approver(unit: str) -> str:
    """The login that approves its replies."""
    return operator.NAMED.get(unit, ("", f"{unit}.desk"))[1]


def handler(department: str) -> str:
    """The login that works a department's orders."""
    return operator.HANDLERS.get(department, coordinator(department.partition(".")[0]))


def hours(number: float) -> timedelta:
    """A length of natural time."""
    return timedelta(hours=number)
