"""A past to be filled: until when, how much of it, and chance that is the same every time."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine


@dataclass(frozen=True, slots=True)
class Past:
    """What lies before `now`; `scale` 1.0 is the whole demo, less makes fewer rows of everything."""

    now: datetime
    scale: float = 1.0

    def chance(self, what: str) -> random.Random:
        """The dice for one subject, independent of what other subjects throw."""
        return random.Random(what)  # noqa: S311 - a demo must come out the same every time

    def count(self, whole: int, least: int = 1) -> int:
        """How many at this scale of what the whole demo has `whole` of."""
        return max(round(whole * self.scale), least)


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the past: what it is called on the screen, and what fills it; `fill` returns how many rows it made."""

    title: str
    fill: Callable[[Engine, Past], int]


def upto(now: datetime) -> datetime:
    """The instant a demo ends at: the last full five minutes, so that its windows are whole."""
    return now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
