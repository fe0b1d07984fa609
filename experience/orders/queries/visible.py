"""Which orders a caller may see: those of the units in scope."""

from typing import Any

from sqlalchemy import true
from sqlmodel import col

from experience.orders.tables import WorkOrder
from experience.organisation.permissions import Scope


def visible(scope: Scope) -> Any:
    """The condition on WorkOrder: where the caller reads orders; who may act on one is told by `actors_of`."""
    reach = scope.reach("orders.read")
    return true() if reach.is_everything else col(WorkOrder.unit_id).in_(reach.unit_ids)
