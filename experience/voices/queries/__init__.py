"""Reads of voices, each within the caller's scope (the public board and receipts apart, which have no caller)."""

from experience.voices.queries.board import BoardCard, board, by_receipt, similar, solved
from experience.voices.queries.lists import (
    UNNAMED,
    Filters,
    Heard,
    Page,
    conditions,
    demand_row_id,
    one,
    some,
    visible,
    within,
)
from experience.voices.queries.pages import page

__all__ = [
    "UNNAMED",
    "BoardCard",
    "Filters",
    "Heard",
    "Page",
    "board",
    "by_receipt",
    "conditions",
    "demand_row_id",
    "one",
    "page",
    "similar",
    "solved",
    "some",
    "visible",
    "within",
]
