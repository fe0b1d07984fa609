"""An act on an order while it is being done: what every act needs at hand."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from experience.orders import lifecycle
from experience.orders.operations import clocks as clockwork
from experience.orders.operations.dispatching import tell_unit
from experience.orders.operations.holding import Held, step
from experience.orders.tables import Policy, WorkOrder
from experience.organisation.permissions import Scope


@dataclass(frozen=True, slots=True)
class Doing:
    """An act being done: by whom, on what, with which fields, when."""

    session: Session
    scope: Scope
    held: Held
    action: str
    fields: dict[str, Any]
    now: datetime

    @property
    def order(self) -> WorkOrder:
        """The order acted on."""
        return self.held.order

    def step(self, **more: Any) -> None:
        """The act's step, with the state the table gives unless told otherwise."""
        told = {"to": lifecycle.target(self.action, self.held.standing), **more}
        step(self.session, self.scope, self.order, self.action, now=self.now, **told)

    def stop(self, *kinds: str, is_met: bool = True) -> None:
        """Ends the running clocks of these kinds."""
        clockwork.stop(self.session, self.held.running(*kinds), at=self.now, is_met=is_met)

    def limit(self, kind: str, otherwise: str) -> str:
        """The policy's limit for this kind of clock."""
        return str(self.session.get_one(Policy, self.order.policy).clocks.get(kind, otherwise))

    def tell(self, sentence: str) -> None:
        """Those who work the order hear of the act."""
        tell_unit(self.session, self.order, self.held.unit, sentence, self.action, now=self.now)
