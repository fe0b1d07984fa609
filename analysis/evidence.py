"""Which words of the original carried the verdict."""

from collections.abc import Sequence

from analysis.features import Pull
from analysis.normalise import Clean
from analysis.reading import Evidence

#: Spans told for one text, and the share of the strongest word below which a word is not worth telling.
_MOST, _LEAST_SHARE = 6, 0.3
_SPEAKING_MARKS = "[!?"


def evidence(clean: Clean, words: Sequence[str], pull: Pull) -> tuple[Evidence, ...]:
    """The words that moved the polarity most, as spans of the original; neighbours of one sign are joined."""
    totals: list[tuple[float, int, int]] = []
    at = 0
    for word in words:
        end = at + len(word)
        if word[0].isalnum() or word[0] in _SPEAKING_MARKS:
            totals.append((pull.over(at, end), at, end))
        at = end
    if not totals:
        return ()
    totals.sort(key=_strength)
    least = max(abs(totals[0][0]) * _LEAST_SHARE, 1e-6)
    spans: list[tuple[int, int, float]] = []
    for weight, start, end in sorted((one for one in totals[:_MOST] if abs(one[0]) >= least), key=_place):
        if spans and spans[-1][1] == start and (spans[-1][2] > 0) == (weight > 0):
            spans[-1] = (spans[-1][0], end, spans[-1][2] + weight)
        else:
            spans.append((start, end, weight))
    scale = max((abs(weight) for *_, weight in spans), default=1.0)
    return tuple(Evidence(*clean.span(start, end), round(weight / scale, 3)) for start, end, weight in spans)


def _strength(total: tuple[float, int, int]) -> float:
    return -abs(total[0])


def _place(total: tuple[float, int, int]) -> int:
    return total[1]
