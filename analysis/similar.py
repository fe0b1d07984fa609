"""Texts that say the same: near-duplicates by fingerprint, kindred ones by shared telling words."""

from collections.abc import Iterable, Mapping, Sequence

from analysis import keywords

#: Fingerprints this many bits apart are near-duplicates. Source: Manku et al. 2007 use 3 of 64.
NEAR = 3
_BANDS = NEAR + 1
_BAND_BITS = 16


def distance(one: int, other: int) -> int:
    """How many bits two fingerprints differ in."""
    return (one ^ other).bit_count()


def folded(fingerprints: Iterable[tuple[int, int]]) -> dict[int, int]:
    """For each (id, fingerprint) the id of the first near-duplicate before it, or its own id; 0 is never folded.

    Two fingerprints at most NEAR bits apart share one of NEAR + 1 bands, so only those are compared.
    """
    bands: list[dict[int, list[tuple[int, int]]]] = [{} for _ in range(_BANDS)]
    first: dict[int, int] = {}
    for name, mark in fingerprints:
        keys = [mark >> (_BAND_BITS * band) & 0xFFFF for band in range(_BANDS)]
        near = next((other for other, known in _known(bands, keys) if mark and distance(mark, known) <= NEAR), None)
        first[name] = name if near is None else first[near]
        if near is None and mark:
            for band, key in zip(bands, keys, strict=True):
                band.setdefault(key, []).append((name, mark))
    return first


def _known(bands: Sequence[Mapping[int, list[tuple[int, int]]]], keys: Sequence[int]) -> Iterable[tuple[int, int]]:
    for band, key in zip(bands, keys, strict=True):
        yield from band.get(key, ())


def likeness(one: Iterable[str], other: Iterable[str]) -> float:
    """How much of what two segmented texts tell they share, 0 to 1: telling words weigh more (weighted Jaccard)."""
    mine, theirs = set(one), set(other)
    shared = sum(map(keywords.weight, mine & theirs))
    whole = sum(map(keywords.weight, mine | theirs))
    return shared / whole if whole else 0.0


def likest(
    words: Sequence[str], past: Mapping[int, Sequence[str]], *, most: int = 5, least: float = 0.12
) -> list[tuple[int, float]]:
    """The past texts most like this one, with their likeness, best first."""
    scored = [(name, likeness(words, others)) for name, others in past.items()]
    return sorted((pair for pair in scored if pair[1] >= least), key=lambda pair: -pair[1])[:most]
