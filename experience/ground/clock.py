"""The one clock. Rules never read it: doors read `now()` once and hand it down."""

import re
from datetime import UTC, datetime, timedelta

from experience.ground.config import settings
from experience.ground.errors import Invalid

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def shift(text: str) -> timedelta:
    """`+12d`, `-3h`, `+1d2h30m` as a length of time; empty text is no shift.

    Raises Invalid for anything else.
    """
    if not text:
        return timedelta()
    if not re.fullmatch(r"[+-]?(\d+(\.\d+)?[smhd])+", text):
        raise Invalid(f"HUISHENG_CLOCK must look like +12d or -3h30m, not {text!r}")
    parts = {_UNITS[unit]: float(n) for n, _, unit in re.findall(r"(\d+(\.\d+)?)([smhd])", text)}
    return timedelta(**parts) * (-1 if text.startswith("-") else 1)


def now() -> datetime:
    """This instant, aware and in UTC, moved by HUISHENG_CLOCK outside production."""
    chosen = settings()
    if not chosen.clock:
        return datetime.now(UTC)
    if chosen.env == "production":
        raise Invalid("HUISHENG_CLOCK is for drills and tests; production refuses it")
    return datetime.now(UTC) + shift(chosen.clock)
