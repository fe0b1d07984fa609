"""An act on an order while it is being done: what every act needs at hand."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from experience.orders import lifecycle
from experience.orders.operations import clocks as clockwork
from experience.orders.operations.dispatching import tell_unit
from experience.orders.operations.holding import Held, Unwritten, moved, settle, write_step
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
    unwritten: Unwritten = field(default_factory=Unwritten)

    @property
    def order(self) -> WorkOrder:
        """The order acted on."""
        return self.held.order

    def step(self, **more: Any) -> None:
        """The act's step, with the state the table gives unless told otherwise; written when the act is settled."""
        if self.unwritten.step is not None:
            write_step(self.session, self.unwritten.step)
        told = {"to": lifecycle.target(self.action, self.held.standing), **more}
        self.unwritten.step = moved(self.scope, self.order, self.action, now=self.now, **told)

    def stop(self, *kinds: str, is_met: bool = True) -> None:
        """Ends the running clocks of these kinds; written when the act is settled."""
        ended = clockwork.end(self.session, self.held.running(*kinds), at=self.now, is_met=is_met)
        self.unwritten.ended += [(clock, self.now) for clock in ended]

    def settle(self) -> None:
        """Writes the order, the act's step and the clocks it ended, in one statement."""
        settle(self.session, self.order, self.unwritten)
        self.unwritten.step, self.unwritten.ended = None, []

    def limit(self, kind: str, otherwise: str) -> str:
        """The policy's limit for this kind of clock."""
        return str(self.session.get_one(Policy, self.order.policy).clocks.get(kind, otherwise))

    def tell(self, sentence: str) -> None:
        """Those who work the order hear of the act."""
        tell_unit(self.session, self.order, self.held.unit, sentence, self.action, now=self.now)
