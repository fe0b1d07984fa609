"""Reads of issues within the caller's scope: one with its evidence, lists, and those that are like one another."""

from experience.issues.queries.alike import Alike, alike, suggestions
from experience.issues.queries.lists import (
    Filters,
    by_code,
    counts,
    missing_voices,
    of_voices,
    page,
    sources_of,
    visible,
    voice_ids,
    voices_of,
)

__all__ = [
    "Alike",
    "Filters",
    "alike",
    "by_code",
    "counts",
    "missing_voices",
    "of_voices",
    "page",
    "sources_of",
    "suggestions",
    "visible",
    "voice_ids",
    "voices_of",
]
