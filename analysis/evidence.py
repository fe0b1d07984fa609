"""Which words of the original carried the verdict."""

import numpy as np

from analysis.model import Places
from analysis.normalise import Clean
from analysis.reading import Evidence

#: Spans told for one text, and the share of the strongest span below which a span is not worth telling.
_MOST, _LEAST_SHARE = 6, 0.3


def evidence(clean: Clean, words: list[str], places: Places) -> tuple[Evidence, ...]:
    """The words that moved the polarity most, as spans of the original; neighbours of one sign are joined."""
    if not words:
        return ()
    lengths = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    stops = np.cumsum(lengths)
    pull = _per_character(len(clean.text), places)
    totals = np.add.reduceat(pull, stops - lengths)
    top = float(np.abs(totals).max())
    if top < 1e-6:
        return ()
    picked = np.argsort(-np.abs(totals))[:_MOST]
    spans: list[tuple[int, int, float]] = []
    for at in sorted(picked.tolist()):
        weight = float(totals[at])
        if abs(weight) < _LEAST_SHARE * top or not words[at][0].isalnum() and words[at][0] != "[":
            continue
        start, end = int(stops[at] - lengths[at]), int(stops[at])
        if spans and spans[-1][1] == start and (spans[-1][2] > 0) == (weight > 0):
            start, weight = spans[-1][0], spans[-1][2] + weight
            spans.pop()
        spans.append((start, end, weight))
    scale = max(abs(weight) for *_, weight in spans) if spans else 1.0
    return tuple(Evidence(*clean.span(start, end), round(weight / scale, 3)) for start, end, weight in spans)


def _per_character(length: int, places: Places) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Each feature's weight shared among the characters it covers."""
    starts, ends = np.array(places.starts), np.array(places.ends)
    share = places.weights / (ends - starts)
    steps = np.bincount(starts, share, length + 1) - np.bincount(ends, share, length + 1)
    return np.cumsum(steps)[:length]
