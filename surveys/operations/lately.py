"""Open versions that answers came to lately, so that the next answer to one need not ask the database first.

What is remembered is only ever a guess: the statement that stores an answer checks it against the rows themselves.
"""

from dataclasses import dataclass

KEPT = 500  # versions remembered; beyond that all are forgotten


@dataclass(frozen=True, slots=True)
class OpenVersion:
    """A published version that took answers from anybody a moment ago."""

    survey_id: int
    publication_id: int
    sha256: str


_seen: dict[tuple[str, int], OpenVersion] = {}


def remember(survey_code: str, version: int, found: OpenVersion) -> None:
    """Keeps what was found."""
    if len(_seen) >= KEPT:
        _seen.clear()
    _seen[survey_code, version] = found


def recalled(survey_code: str, version: int | None) -> OpenVersion | None:
    """What was found lately, if anything; nothing when it is not told which version."""
    return _seen.get((survey_code, version)) if version is not None else None
