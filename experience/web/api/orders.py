"""Orders for programs: dispatch, list, look, act, decide."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.issues import queries as issues
from experience.orders import operations, queries
from experience.orders.lifecycle import MOVES
from experience.orders.operations import Act, DispatchIn
from experience.orders.queries import OrderFilter
from experience.web import door
from experience.web.api.contract import Body, PageQuery, cursor_of, cursor_parts, operation, page

Text = Annotated[str, Field(min_length=1, max_length=4000)]
Code = Annotated[str, Field(min_length=1, max_length=60)]


class DispatchBody(Body):
    """Where the issue goes: one unit's code, or several for a main order with children."""

    unit: Code | list[Code] | None = None
    units: list[Code] = Field(default=[], max_length=60)
    type: Literal["major", "complaint", "experience", "suggestion"]
    instructions: Text
    policy: Code | None = None


class OrdersQuery(PageQuery):
    """What is wanted."""

    unit: str = Field("", max_length=60, description="a unit's code; takes in the units below it")
    state: str = Field("", max_length=200, description="one state, or several with commas")
    overdue: bool | None = None
    issue: str = Field("", max_length=40)


class ActBody(BaseModel):
    """An act with the version its author saw, and the act's own fields."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [{"action": "accept", "version": 1}]})
    action: str = Field(max_length=40, json_schema_extra={"enum": list(MOVES)})
    version: int = Field(ge=0, lt=2**31)


class DecisionBody(Body):
    """Yes or no to a request."""

    decision: Literal["approve", "reject"]
    reason: Text


class OrderAnswer(BaseModel):
    """One order; see the contract for its clocks, requests and steps."""

    model_config = ConfigDict(extra="allow")
    code: str
    version: int
    state: str
    unit: str
    parent: str | None
    children: list[dict[str, Any]]
    clocks: list[dict[str, Any]]
    allowed: list[str]
    requests: list[dict[str, Any]]
    steps: list[dict[str, Any]]


class OrderPage(BaseModel):
    """One page of orders."""

    items: list[dict[str, Any]]
    next: str | None


@operation(
    "POST",
    "/api/v1/issues/<code>/dispatch",
    act="orders.dispatch",
    body=DispatchBody,
    answer=OrderAnswer,
    status=201,
    summary="Dispatch an issue to a unit, or to several as child orders",
)
def dispatch(code: str, body: DispatchBody) -> dict[str, Any]:
    """The new order."""
    named = [*([body.unit] if isinstance(body.unit, str) else body.unit or []), *body.units]
    if not named:
        raise Invalid(say("请选择承办单位。"), [{"field": "unit", "sentence": say("缺少这一项")}])
    issue = issues.by_code(door.db(), door.scope(), code)
    told = DispatchIn(tuple(named), body.type, body.instructions, body.policy)
    order = operations.dispatch(door.db(), door.scope(), issue.id or 0, told, now=door.now())
    return queries.order_card(door.db(), door.scope(), order.code, now=door.now())


@operation("GET", "/api/v1/orders", act="orders.read", query=OrdersQuery, answer=OrderPage, summary="Orders in scope")
def orders(query: OrdersQuery) -> dict[str, Any]:
    """One page, newest first."""
    after = cursor_parts(query.cursor, int)
    wanted = OrderFilter(unit=query.unit, state=query.state, is_overdue=query.overdue, issue=query.issue)
    found = queries.orders(
        door.db(),
        door.scope(),
        wanted,
        now=door.now(),
        after=after[0] if after else None,
        limit=query.limit + 1,
    )
    rest = cursor_of(found[query.limit - 1]["id"]) if len(found) > query.limit else None
    return page(found[: query.limit], rest)


@operation("GET", "/api/v1/orders/<code>", act="orders.read", answer=OrderAnswer, summary="One order")
def order(code: str) -> dict[str, Any]:
    """State, clocks, allowed acts, requests, steps."""
    return queries.order_card(door.db(), door.scope(), code, now=door.now())


@operation(
    "POST",
    "/api/v1/orders/<code>/actions",
    act="orders.read",
    body=ActBody,
    answer=OrderAnswer,
    summary="Act on an order",
)
def act(code: str, body: ActBody) -> dict[str, Any]:
    """The order after the act; who may do it is the order's own matter."""
    what = Act(body.action, body.version, body.model_extra or {})
    return operations.act_and_tell(door.db(), door.scope(), code, what, now=door.now())


@operation(
    "POST",
    "/api/v1/orders/<code>/requests/<int:request_id>",
    act="orders.read",
    body=DecisionBody,
    answer=OrderAnswer,
    summary="Decide a return, suspension or extension",
)
def decide(code: str, request_id: int, body: DecisionBody) -> dict[str, Any]:
    """The order after the decision."""
    if request_id >= 2**63:
        raise Invalid(say("申请编号不对。"))
    operations.decide(
        door.db(), door.scope(), code, request_id, decision=body.decision, reason=body.reason, now=door.now()
    )
    return queries.order_card(door.db(), door.scope(), code, now=door.now())
