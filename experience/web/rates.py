"""How often one address may ask: counts in fixed windows, in memory, each process for itself."""

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from threading import Lock
from time import monotonic
from typing import Any

from flask import request
from werkzeug.exceptions import TooManyRequests

from experience.ground.errors import Invalid

MOST_ADDRESSES = 100_000  # counted at once; beyond that the window begins anew rather than fill the memory
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


class Window:
    """What the addresses asked of one page in the present window."""

    def __init__(self) -> None:
        self._number, self._counts, self._lock = -1, dict[str, int](), Lock()

    def take(self, address: str, *, most: int, seconds: int) -> None:
        """Counts one request. Raises TooManyRequests beyond the most a window of so many seconds allows."""
        instant = monotonic()
        number = int(instant // seconds)
        with self._lock:
            if number != self._number or len(self._counts) >= MOST_ADDRESSES:
                self._number, self._counts = number, {}
            count = self._counts[address] = self._counts.get(address, 0) + 1
        if count > most:
            raise TooManyRequests(retry_after=int((number + 1) * seconds - instant) + 1)


class Limiter:
    """The counts of one process; `enabled` is for tests that ask more often than anybody may."""

    def __init__(self) -> None:
        self.enabled = True
        self._windows: dict[Callable[..., Any], Window] = {}

    def reset(self) -> None:
        """Forgets what was counted."""
        self._windows.clear()

    def limit(self, rate: Callable[[], str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Refuses an address that asks the view more often than `rate()`, such as `120 per minute`, says."""

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(view)
            def counted(*args: Any, **kwargs: Any) -> Any:
                if self.enabled:
                    most, seconds = parsed(rate())
                    window = self._windows.setdefault(view, Window())
                    window.take(request.remote_addr or "", most=most, seconds=seconds)
                return view(*args, **kwargs)

            return counted

        return decorate


@lru_cache
def parsed(rate: str) -> tuple[int, int]:
    """How many in how many seconds. Raises Invalid for what is not like `120 per minute` or `120/minute`."""
    found = re.fullmatch(r"\s*(\d+)\s*(?:per|/)\s*(\d*)\s*(second|minute|hour|day)s?\s*", rate)
    if found is None:
        raise Invalid(f"a rate must look like 120 per minute, not {rate!r}")
    return int(found[1]), int(found[2] or 1) * _SECONDS[found[3]]
