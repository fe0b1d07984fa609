"""Numbers by integer key, looked up for many keys with a few array operations."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
#: Odd multipliers that spread keys over the upper bits. Source: Knuth, Fibonacci hashing.
_MULTIPLIERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))
#: No key: what an empty place of a table leads to.
_NO_KEY = -1
#: A code point needs 21 bits.
_CODE_BITS = 21


def pair_key(pair: str) -> int:
    """The key of two characters."""
    return ord(pair[0]) << _CODE_BITS | ord(pair[1])


def pair_keys(codes: npt.NDArray[np.int32]) -> Ints:
    """The keys of each code point with the next; one fewer than code points."""
    wide = codes.astype(np.int64)
    keys: Ints = wide[:-1] << _CODE_BITS | wide[1:]
    return keys


class Keys:
    """Numbers by integer key, looked up many at a time; 0 where there is none.

    Two hash tables of places, the second for what collides in the first, and a short sorted list for the rest: a
    search in one sorted array takes three times as long, because it jumps about in memory.
    """

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(pairs)
        self._keys = np.array([_NO_KEY, *(key for key, _ in ordered)], dtype=np.int64)
        self._numbers = np.array([0, *(number for _, number in ordered)], dtype=np.int64)
        self._shift = np.uint64(64 - max(4, len(ordered).bit_length() + 1))
        left = np.arange(1, len(self._keys))
        self._tables: list[npt.NDArray[np.int32]] = []
        for multiplier in _MULTIPLIERS:
            table = np.zeros(1 << (64 - int(self._shift)), dtype=np.int32)
            places = self._places(self._keys[left], multiplier)
            table[places] = left  # of two keys in one place the later stays
            self._tables.append(table)
            left = left[table[places] != left]
        self._rest = left

    def _places(self, keys: Ints, multiplier: np.uint64) -> Ints:
        places: Ints = ((keys.view(np.uint64) * multiplier) >> self._shift).view(np.int64)
        return places

    def __getitem__(self, keys: Ints) -> Ints:
        at = self._tables[0][self._places(keys, _MULTIPLIERS[0])]
        other = np.flatnonzero(self._keys[at] != keys)  # an empty place leads to _NO_KEY
        other = other[at[other] > 0]
        numbers: Ints = self._numbers[at]
        for multiplier, table in zip(_MULTIPLIERS[1:], self._tables[1:], strict=True):
            wanted = keys[other]
            at = table[self._places(wanted, multiplier)]
            numbers[other] = self._numbers[at] * (self._keys[at] == wanted)
            other = other[(self._keys[at] != wanted) & (at > 0)]
        for place in self._rest.tolist():
            numbers[keys == self._keys[place]] = self._numbers[place]
        return numbers
