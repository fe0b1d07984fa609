"""Which words of the original carried the verdict."""

import numpy as np

from analysis.ordinary import is_letter
from analysis.sheet import Cut, Ints, Sheet

#: Spans told for one text, and the share of the strongest word below which a word is not worth telling.
_MOST, _LEAST_SHARE = 6, 0.3
_SPEAKING_MARKS = np.array([ord(mark) for mark in "[!?"])
#: Start and end in the clean text, and how far it speaks for (to 1) or against (to −1).
Span = tuple[int, int, float]


def evidence(sheet: Sheet, cut: Cut, before: Ints) -> list[list[Span]]:
    """For each text the words that moved the polarity most; neighbours of one sign are joined.

    `before` is what the characters before each place of the sheet pull together.
    """
    spans: list[list[Span]] = [[] for _ in sheet.begins]
    heads = sheet.codes[cut.starts]
    speaks = np.flatnonzero(is_letter(heads) | np.isin(heads, _SPEAKING_MARKS))
    if not speaks.size:
        return spans
    starts, ends, owners = cut.starts[speaks], cut.ends[speaks], cut.owners[speaks]
    weights = before[ends] - before[starts]
    kept = _strongest(np.abs(weights), owners)
    starts, ends, owners, weights = starts[kept], ends[kept], owners[kept], weights[kept]
    if not kept.size:
        return spans
    alone = np.ones(len(kept), dtype=np.bool_)
    alone[1:] = (starts[1:] != ends[:-1]) | ((weights[1:] > 0) != (weights[:-1] > 0))
    first = np.flatnonzero(alone)
    sums = np.add.reduceat(weights, first)
    most = np.zeros(len(sheet.begins))
    np.maximum.at(most, owners[first], np.abs(sums))
    last = np.append(first[1:], len(kept)) - 1
    begins = sheet.begins[owners[first]]
    rows = (owners[first], starts[first] - begins, ends[last] - begins, sums / most[owners[first]])
    for owner, start, end, share in zip(*(row.tolist() for row in rows), strict=True):
        spans[owner].append((start, end, round(share, 3)))
    return spans


def _strongest(strengths: Ints, owners: Ints) -> Ints:
    """The places of each owner's strongest, in order of place."""
    order = np.lexsort((-strengths, owners))
    begins = np.flatnonzero(np.diff(owners[order], prepend=-1))
    sizes = np.diff(begins, append=len(order))
    rank = np.arange(len(order)) - np.repeat(begins, sizes)
    least = np.maximum(np.repeat(strengths[order[begins]], sizes) * _LEAST_SHARE, 1)
    kept: Ints = np.sort(order[(rank < _MOST) & (strengths[order] >= least)])
    return kept
