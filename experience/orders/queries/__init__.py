"""Reads of orders; each takes the session and the caller's scope."""

from experience.orders.queries.calendars import calendar, covered_until
from experience.orders.queries.cards import card_of, order_card
from experience.orders.queries.effects import effects_of_order
from experience.orders.queries.lists import OrderFilter, orders
from experience.orders.queries.visible import visible

__all__ = [
    "OrderFilter",
    "calendar",
    "card_of",
    "covered_until",
    "effects_of_order",
    "order_card",
    "orders",
    "visible",
]
