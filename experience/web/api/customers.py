"""Customers for programs: kept under the operator's own pseudonymous id."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from experience.customers import operations, queries
from experience.customers.operations import CustomerIn
from experience.customers.tables import Customer
from experience.voices.intake import province_code
from experience.web import door
from experience.web.api.contract import Body, operation

Value = StrictBool | StrictInt | StrictFloat | Annotated[StrictStr, Field(max_length=500)] | None


class CustomerBody(Body):
    """What is told of a customer; what is left out stays. A null attribute takes it away."""

    province: str | None = Field(None, max_length=40)
    tier: str | None = Field(None, max_length=40)
    do_not_ask: bool | None = None
    attributes: dict[Annotated[str, Field(min_length=1, max_length=64)], Value] = Field(default={}, max_length=100)


class CustomerAnswer(BaseModel):
    """A customer."""

    ref: str
    province: str
    tier: str
    do_not_ask: bool
    attributes: dict[str, Value]
    created_at: datetime


@operation("GET", "/api/v1/customers/<ref>", act="customers.read", answer=CustomerAnswer, summary="Read a customer")
def one(ref: str) -> CustomerAnswer:
    """The customer under this reference, within the caller's provinces."""
    return _shown(queries.customer(door.db(), door.scope(), ref))


@operation(
    "PUT",
    "/api/v1/customers/<ref>",
    act="customers.edit",
    body=CustomerBody,
    answer=CustomerAnswer,
    summary="Keep a customer",
)
def keep(ref: str, body: CustomerBody) -> CustomerAnswer:
    """Makes or changes the customer."""
    told = CustomerIn(
        province=(province_code(body.province) or body.province) if body.province is not None else None,
        tier=body.tier,
        do_not_ask=body.do_not_ask,
        attributes=dict(body.attributes),
    )
    return _shown(operations.keep(door.db(), door.scope(), ref, told, now=door.now()))


def _shown(known: Customer) -> CustomerAnswer:
    return CustomerAnswer(
        ref=known.ref,
        province=known.province,
        tier=known.tier,
        do_not_ask=known.do_not_ask,
        attributes=known.attributes,
        created_at=known.created_at,
    )
