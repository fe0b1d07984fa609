"""Which voices say the same: near in the distance of their fingerprints."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

#: Bits of 63 in which two fingerprints may differ and still be one text.
NEAR = 3


@dataclass(slots=True)
class Fold:
    """The newest of some voices that say the same, and the ids of the others."""

    id: int
    fingerprint: int
    others: list[int] = field(default_factory=list)

    @property
    def times(self) -> int:
        """How often it was said."""
        return 1 + len(self.others)


def distance(one: int, other: int) -> int:
    """In how many bits two fingerprints differ."""
    return (one ^ other).bit_count()


def folded(voices: Iterable[tuple[int, int]], *, near: int = NEAR) -> Sequence[Fold]:
    """The (id, fingerprint) pairs folded, in the order of first appearance; fingerprint 0 never folds."""
    folds: list[Fold] = []
    exact: dict[int, Fold] = {}
    for id, fingerprint in voices:
        found = exact.get(fingerprint) if fingerprint else None
        if found is None and fingerprint:
            found = next((f for f in folds if f.fingerprint and distance(f.fingerprint, fingerprint) <= near), None)
        if found is None:
            found = Fold(id, fingerprint)
            folds.append(found)
        else:
            found.others.append(id)
        exact[fingerprint] = found
    return folds
