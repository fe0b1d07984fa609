"""The collector's entries in the OpenAPI document: it answers in front of Flask, so nothing is mounted here."""

from typing import Any

from pydantic import BaseModel, Field

from experience.web.api.contract import OPERATIONS, Body, Operation


class EventIn(BaseModel):
    """One thing that happened; a bad one is told in `rejected` and does not lose the others."""

    id: str
    at: str
    touchpoint: str
    type: str
    step: str | None = None
    ok: bool | None = None
    ms: float | None = None
    code: str | int | None = None
    props: dict[str, Any] | None = None


class CustomerClaimIn(BaseModel):
    """Who the page says the customer is: sig = hex HMAC-SHA256(site's secret, id.ts)."""

    id: str
    ts: int | str
    sig: str


class BatchIn(BaseModel):
    """At most 200 events and 256 KiB; also as text/plain."""

    site: str
    events: list[EventIn] = Field(max_length=200)
    session: str = ""
    device: str = ""
    sent_at: str = ""
    customer: CustomerClaimIn | None = None


class RejectedEvent(BaseModel):
    """Which event of the batch, and why."""

    index: int
    reason: str


class BatchOut(BaseModel):
    """What became of the batch: everything accepted is durable."""

    accepted: int
    duplicate: int
    rejected: list[RejectedEvent]
    invitation: dict[str, Any] | None


class ConfigQuery(Body):
    """Which site asks."""

    site: str


_REFUSALS = (400, 403, 413, 415, 422, 503)


def describe() -> None:
    """Adds the collector's operations to the document, once."""
    known = {operation.path for operation in OPERATIONS}
    for told in (
        Operation(
            "POST",
            "/collect/v1/events",
            None,
            "Take events in; durable before 202",
            202,
            BatchIn,
            None,
            BatchOut,
            _REFUSALS,
        ),
        Operation(
            "GET",
            "/collect/v1/config",
            None,
            "Sampling, triggers, contact policy; with an ETag",
            200,
            None,
            ConfigQuery,
            dict,
            (304, 403, 503),
        ),
    ):
        if told.path not in known:
            OPERATIONS.append(told)
