"""Dispatch an issue to units: one order, or a main order with a child for each of several."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from experience.ground.errors import Conflict, Invalid, NotFound
from experience.ground.i18n import say
from experience.issues import queries as issues
from experience.issues.operations import mark_dispatched
from experience.issues.tables import Issue, IssueSource
from experience.notices.operations import tell
from experience.orders import policies
from experience.orders.operations import clocks as clockwork
from experience.orders.operations.holding import Held, note_due, settle, step, unit_by_code
from experience.orders.queries.standing import Place
from experience.orders.tables import Clock, Policy, WorkOrder
from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit
from experience.touchpoints.tables import Touchpoint
from experience.voices.tables import Voice

_BEIJING = ZoneInfo("Asia/Shanghai")
_NUMBERING = 7_263_403  # any fixed number: two orders of one instant are numbered one after the other
#: A child order gets this share of what is left of its parent's time, so that the parent can still check and reply.
CHILD_SHARE = 0.8
#: A returned order sent on keeps at least this share of its policy's time.
LEAST_REMAINDER = 0.5
LONGEST = 4000
#: Issues that have come to an end are reopened before they are dispatched.
_CLOSED = ("dismissed", "merged", "solved")


@dataclass(frozen=True, slots=True)
class DispatchIn:
    """Where an issue goes. `units` are codes; `policy` a policy's code, found by type and touchpoint when None."""

    units: Sequence[str]
    type: str
    instructions: str
    policy: str | None = None


def dispatch(session: Session, scope: Scope, issue_id: int, told: DispatchIn, *, now: datetime) -> WorkOrder:
    """The order; its clocks start now, at dispatch. With several units it is the main order over their child orders.

    Raises NotFound for an issue beyond the caller's dispatch, Invalid for unknown units, type or policy, Conflict for a
    closed issue.
    """
    scope.demand("orders.dispatch")
    is_reached = issues.visible(scope, "orders.dispatch")
    issue = session.exec(select(Issue).where(Issue.id == issue_id, is_reached).with_for_update()).first()
    if issue is None:
        raise NotFound(say("没有这个问题，或不在您的派单范围内。"))
    _demand_sound(issue, told)
    units = [unit_by_code(session, code) for code in dict.fromkeys(told.units)]
    _demand_below(session, scope, units)
    policy = _policy(session, issue, told)
    new = _New(session, scope, issue, told, policy, now)
    if len(units) == 1:
        order = new.order(units[0], None)
    else:
        order = new.main(_centre(session))
        for unit in units:
            new.order(unit, order)
        _gather(session, order)
    mark_dispatched(session, scope, issue_id, [unit.id or 0 for unit in units], now=now)
    return order


def _demand_sound(issue: Issue, told: DispatchIn) -> None:
    faults = []
    if told.type not in policies.TYPES:
        faults.append(("type", say("工单类型只能是 %(all)s。", all="、".join(policies.TYPES))))
    if not told.units:
        faults.append(("unit", say("请至少选择一个承办单位。")))
    if not told.instructions.strip():
        faults.append(("instructions", say("请写明要求对方做什么。")))
    if len(told.instructions) > LONGEST:
        faults.append(("instructions", say("太长，最多 %(limit)d 个字。", limit=LONGEST)))
    if faults:
        raise Invalid(faults[0][1], [{"field": name, "sentence": sentence} for name, sentence in faults])
    if issue.state in _CLOSED:
        raise Conflict(say("问题已关闭，请先重开再派单。"), {"state": issue.state})


def _demand_below(session: Session, scope: Scope, units: Sequence[Unit]) -> None:
    """The centre dispatches to anybody below it, a province to its own departments."""
    reach = scope.reach("orders.dispatch")
    for unit in units:
        is_fine = unit.kind != "centre" if reach.is_everything else unit.id in reach.unit_ids
        if not is_fine:
            raise Invalid(
                say("不能派给“%(name)s”：只能派给下级单位。", name=unit.name),
                [{"field": "unit", "sentence": say("请选择下级单位")}],
            )


def _centre(session: Session) -> Unit:
    return session.exec(select(Unit).where(Unit.kind == "centre")).one()


def _policy(session: Session, issue: Issue, told: DispatchIn) -> Policy:
    rows = session.exec(select(Policy).order_by(col(Policy.position), col(Policy.code))).all()
    if told.policy is not None:
        named = next((row for row in rows if row.code == told.policy), None)
        if named is None:
            raise Invalid(
                say("没有时限策略“%(code)s”。", code=told.policy[:60]),
                [{"field": "policy", "sentence": say("请用现有的策略")}],
            )
        return named
    touchpoint = session.get(Touchpoint, issue.touchpoint)
    case = policies.Case(told.type, issue.touchpoint, issue.severity, bool(touchpoint and touchpoint.is_key))
    code = policies.first([(row.code, row.match) for row in rows], case)
    return next(row for row in rows if row.code == code)


@dataclass
class _New:
    """The orders of one dispatch."""

    session: Session
    scope: Scope
    issue: Issue
    told: DispatchIn
    policy: Policy
    now: datetime

    def row(self, unit: Unit, parent: WorkOrder | None) -> WorkOrder:
        order = WorkOrder(
            code=next_code(self.session, self.now),
            level=parent.level + 1 if parent else 1,
            parent_id=parent.id if parent else None,
            root_id=(parent.root_id or parent.id) if parent else None,
            issue_id=self.issue.id or 0,
            type=self.told.type,
            policy=self.policy.code,
            priority=5 - self.issue.severity,
            title=self.issue.title,
            instructions=self.told.instructions.strip(),
            unit_id=unit.id or 0,
            first_owner_id=unit.id,
            version=0,
            created_at=self.now,
            dispatched_at=self.now,
        )
        self.session.add(order)
        self.session.flush()
        return order

    def main(self, centre: Unit) -> WorkOrder:
        """The centre's own order over several units; it bears the statutory clock alone."""
        order = self.row(centre, None)
        self._statutory(order, centre)
        clockwork.hold(self.session, order, at=self.now, calendar_name=centre.calendar)
        step(self.session, self.scope, order, "dispatch", to="dispatched", now=self.now, detail=self._detail(centre))
        settle(self.session, order)
        return order

    def order(self, unit: Unit, parent: WorkOrder | None) -> WorkOrder:
        """An order with its clocks running from now."""
        order = self.row(unit, parent)
        start_clocks(self.session, order, unit, self.policy.clocks, at=self.now)
        if parent is None:
            self._statutory(order, unit)
        step(self.session, self.scope, order, "dispatch", to="dispatched", now=self.now, detail=self._detail(unit))
        settle(self.session, order)
        tell_unit(self.session, order, unit, say("新工单 %(code)s：%(title)s"), "dispatch", now=self.now)
        return order

    def _detail(self, unit: Unit) -> dict[str, Any]:
        return {"unit": unit.code, "policy": self.policy.code, "policy_version": self.policy.version}

    def _statutory(self, order: WorkOrder, unit: Unit) -> None:
        """The legal answer time runs from the first receipt of the complaint, whatever is done since."""
        limit = self.policy.clocks.get("statutory")
        if limit:
            first = self.session.exec(
                select(func.min(Voice.at))
                .join(IssueSource, (col(IssueSource.row) == Voice.id) & (col(IssueSource.kind) == "voice"))
                .where(IssueSource.issue_id == order.issue_id)
            ).one()
            started = min(first or self.now, self.now)
            clockwork.start(self.session, order, "statutory", limit, at=started, calendar_name=unit.calendar)


def start_clocks(
    session: Session,
    order: WorkOrder,
    unit: Unit,
    limits: dict[str, Any],
    *,
    at: datetime,
    budget: float | None = None,
    latest: datetime | None = None,
) -> None:
    """ACCEPT, CONTACT, RESOLVE and HOLD run from dispatch, not from acceptance: nobody gains by not signing."""
    for kind in ("accept", "contact", "resolve"):
        if kind in limits:
            own = budget if kind == "resolve" else None
            clock = clockwork.start(
                session, order, kind, limits[kind], at=at, calendar_name=unit.calendar, budget=own, latest=latest
            )
            if kind == "resolve":
                note_due(order, clock)
    clockwork.hold(session, order, at=at, calendar_name=unit.calendar)


def _gather(session: Session, main: WorkOrder) -> None:
    """The main order is due when the last of its children is."""
    latest = session.exec(select(func.max(WorkOrder.due_at)).where(WorkOrder.parent_id == main.id)).one()
    main.due_at = main.original_due_at = latest
    settle(session, main)


def next_code(session: Session, now: datetime) -> str:
    """The next order number of the day, such as G20261123-0007; longer after the ten-thousandth."""
    session.execute(text("select pg_advisory_xact_lock(:n)"), {"n": _NUMBERING})
    day, number = f"G{now.astimezone(_BEIJING):%Y%m%d}-", 0
    for width in count(4):  # as text, 10000 comes before 9999: each length is asked by itself
        last = session.exec(select(func.max(WorkOrder.code)).where(col(WorkOrder.code).like(day + "_" * width))).one()
        if last is not None:
            number = int(last.rpartition("-")[2])
        if last is None or number + 1 < 10**width:
            break
    return f"{day}{number + 1:04d}"


def tell_unit(
    session: Session, order: WorkOrder, unit: Unit | Place, sentence: str, topic: str, *, now: datetime
) -> None:
    """Those who work orders in the unit hear of it."""
    tell(
        session,
        roles=("coordinator", "handler"),
        unit_ids=(unit.id or 0,),
        topic=f"orders.{topic}",
        sentence=sentence,
        params={"code": order.code, "title": order.title},
        link=f"/orders/{order.code}",
        dedupe=f"order:{order.id}:{order.version}",
        now=now,
    )


def sub_dispatch(session: Session, scope: Scope, parent: Held, fields: dict[str, Any], *, now: datetime) -> WorkOrder:
    """A child order for a unit below, due earlier than its parent."""
    unit = unit_by_code(session, fields["unit"])
    if not (unit.path.startswith(parent.unit.path) and unit.id != parent.unit.id):
        raise Invalid(say("只能派给本单位的下级部门。"), [{"field": "unit", "sentence": say("请选择下级部门")}])
    issue = session.get_one(Issue, parent.order.issue_id)
    policy = session.get_one(Policy, parent.order.policy)
    new = _New(session, scope, issue, DispatchIn((unit.code,), parent.order.type, fields["instructions"]), policy, now)
    order = new.row(unit, parent.order)
    resolve = next(iter(parent.running("resolve")), None)
    budget, latest = None, None
    if resolve is not None:
        left = max(resolve.budget_seconds - clockwork.used(session, resolve, now), 0.0)
        budget, latest = left * CHILD_SHARE, resolve.due_at
        limits = {"accept": policy.clocks["accept"], "resolve": resolve.limit_text}
    else:
        limits = {"accept": policy.clocks["accept"], "resolve": policy.clocks["resolve"]}
    start_clocks(session, order, unit, limits, at=now, budget=budget, latest=latest)
    step(
        session,
        scope,
        order,
        "dispatch",
        to="dispatched",
        now=now,
        detail={"unit": unit.code, "parent": parent.order.code},
    )
    settle(session, order)
    mark_dispatched(session, scope, order.issue_id, [unit.id or 0], now=now)
    tell_unit(session, order, unit, say("新工单 %(code)s：%(title)s"), "dispatch", now=now)
    return order


def send_on(session: Session, scope: Scope, held_: Held, fields: dict[str, Any], *, now: datetime) -> None:
    """A returned order goes to another unit: new HOLD and ACCEPT.

    RESOLVE keeps what is left, at least half of the policy's time, and what was added is written down.
    """
    unit, order = unit_by_code(session, fields["unit"]), held_.order
    _demand_below(session, scope, [unit])
    policy = session.get_one(Policy, order.policy)
    clockwork.stop(session, held_.running("dispatch", "hold"), at=now)
    clockwork.stop(session, held_.running("accept"), at=now, is_met=False)
    clockwork.start(session, order, "accept", policy.clocks["accept"], at=now, calendar_name=unit.calendar)
    clockwork.hold(session, order, at=now, calendar_name=unit.calendar)
    added = _top_up(session, held_, policy, now)
    order.unit_id, order.instructions = unit.id or 0, fields["instructions"]
    order.dispatched_at = now
    order.is_forced = order.return_count >= 2  # noqa: PLR2004 - after two returns the centre's word is final
    detail = {"unit": unit.code, "forced": order.is_forced, "added_seconds": added}
    step(session, scope, order, "dispatch", to="dispatched", now=now, note=fields["instructions"], detail=detail)
    mark_dispatched(session, scope, order.issue_id, [unit.id or 0], now=now)
    tell_unit(session, order, unit, say("新工单 %(code)s：%(title)s"), "dispatch", now=now)


def _top_up(session: Session, held_: Held, policy: Policy, now: datetime) -> float:
    resolve: Clock | None = next(iter(held_.running("resolve")), None)
    if resolve is None:
        return 0.0
    left = resolve.budget_seconds - clockwork.used(session, resolve, now)
    floor = resolve.budget_seconds * LEAST_REMAINDER
    if left >= floor:
        return 0.0
    clockwork.pause(session, resolve, at=now, reason="redispatch")
    clockwork.resume(session, resolve, at=now, floor=floor)
    note_due(held_.order, resolve)
    return floor - max(left, 0.0)
