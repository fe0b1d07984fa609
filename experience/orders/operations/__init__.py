"""What is done with orders: dispatched, worked, decided, chased, followed up, measured."""

from experience.orders.operations.acting import Act, act, act_and_tell
from experience.orders.operations.chasing import chase_next
from experience.orders.operations.defining import (
    DaysIn,
    clear_day,
    cover,
    ensure_calendar,
    ensure_defaults,
    ensure_policy,
    save_policy,
    set_days,
)
from experience.orders.operations.dispatching import DispatchIn, dispatch
from experience.orders.operations.effecting import measure_effect
from experience.orders.operations.following import record_followup
from experience.orders.operations.requesting import decide

__all__ = [
    "Act",
    "DaysIn",
    "DispatchIn",
    "act",
    "act_and_tell",
    "chase_next",
    "clear_day",
    "cover",
    "decide",
    "dispatch",
    "ensure_calendar",
    "ensure_defaults",
    "ensure_policy",
    "measure_effect",
    "record_followup",
    "save_policy",
    "set_days",
]
