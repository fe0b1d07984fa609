"""The four families of refusal, and the outside world's failure.

Rules and operations raise these with a sentence the user may read (see `i18n.say`);
only `web/errors.py` knows status codes.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class HuishengError(Exception):
    """Base of all refusals; `sentence` is for the user."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotFound(HuishengError):
    """There is no such thing in the caller's scope."""


class Forbidden(HuishengError):
    """The caller may see it but not do this."""


class Conflict(HuishengError):
    """The thing has moved on; `current` tells its state now (JSON-ready)."""

    def __init__(self, sentence: str, current: Mapping[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.current = dict(current or {})


class Invalid(HuishengError):
    """The input cannot be taken; `errors` names each field and what to do."""

    def __init__(self, sentence: str, errors: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(sentence)
        self.errors = [dict(e) for e in errors]


class Busy(HuishengError):
    """We cannot keep it safe right now (disk full, too many at once); `retry_after` in seconds."""

    def __init__(self, sentence: str, retry_after: int = 30) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class DeliveryFailed(HuishengError):
    """The outside world refused or did not answer."""

    def __init__(self, sentence: str, *, permanent: bool) -> None:
        super().__init__(sentence)
        self.permanent = permanent
