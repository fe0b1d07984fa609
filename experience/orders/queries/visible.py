"""Which orders a caller may see: those of the units in scope."""

from typing import Any

from sqlalchemy import true
from sqlmodel import col

from experience.orders.tables import WorkOrder
from experience.organisation.permissions import Scope


def visible(scope: Scope, order: Any = WorkOrder) -> Any:
    """The condition on WorkOrder (or its alias): where the caller reads orders; `actors_of` tells who acts on one."""
    reach = scope.reach("orders.read")
    return true() if reach.is_everything else col(order.unit_id).in_(reach.unit_ids)
