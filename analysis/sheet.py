"""Several clean texts laid end to end, so that one pass of array operations reads them all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis import segment

Ints = npt.NDArray[np.int64]
#: Ends each text; no clean text holds it, no word reaches over it, and no term or feature knows it.
MARK = "\0"
_CODE_BITS = 21


@dataclass(frozen=True, slots=True)
class Sheet:
    """Texts joined: `begins` and `ends` are each one's span, `owners` the number of the text a character is of."""

    text: str
    codes: npt.NDArray[np.int32]
    begins: Ints
    ends: Ints
    owners: Ints


@dataclass(frozen=True, slots=True)
class Cut:
    """The words of a sheet, marks included: where each stands, its text, and each text's half-open row of words."""

    words: list[str]
    starts: Ints
    ends: Ints
    owners: Ints
    begins: Ints
    stops: Ints


def laid(texts: Sequence[str]) -> Sheet:
    """The sheet of clean texts."""
    joined = MARK.join((*texts, ""))
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    after = np.cumsum(lengths + 1)
    codes = np.frombuffer(joined.encode("utf-32-le"), dtype=np.int32)
    return Sheet(joined, codes, after - lengths - 1, after - 1, np.repeat(np.arange(len(texts)), lengths + 1))


def cut(sheet: Sheet) -> Cut:
    """The words of each text of a sheet, the same as if it were cut alone."""
    words = segment.cut(sheet.text)
    ends = np.cumsum(np.fromiter(map(len, words), dtype=np.int64, count=len(words)))
    starts = np.concatenate((np.zeros(1, dtype=np.int64), ends))[: len(words)]
    stops = starts.searchsorted(sheet.ends)
    begins = np.concatenate((np.zeros(1, dtype=np.int64), stops + 1))[: len(stops)]
    return Cut(words, starts, ends, sheet.owners[starts], begins, stops)


def riches(sheet: Sheet) -> Ints:
    """How many different characters each text has."""
    keys = np.sort(sheet.owners << _CODE_BITS | sheet.codes)
    different = keys[np.diff(keys, prepend=-1) > 0] >> _CODE_BITS
    counted: Ints = np.bincount(different, minlength=len(sheet.begins)) - 1  # the mark is one of them
    return counted
