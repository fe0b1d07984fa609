"""What periods are compared, whose heaps are the same, and when a phrase is a word of its own."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from analysis import segment

BEIJING = ZoneInfo("Asia/Shanghai")
WEEK = timedelta(days=7)
#: Like periods of the past that are looked at.
PAST = 8
#: From so many voices a day on, a single day is told from the same weekday of the weeks before; else seven days are.
A_DAY_IS_ENOUGH = 2_000
#: Two heaps are the same when they share this part of their telling words.
_SAME_HEAP = 0.5


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` up to, not including, `until`."""

    since: datetime
    until: datetime

    def earlier(self, weeks: int) -> "Span":
        """The same weekdays so many weeks before."""
        return Span(self.since - weeks * WEEK, self.until - weeks * WEEK)


def midnight(at: datetime) -> datetime:
    """The midnight in Beijing before this instant."""
    return at.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)


def period(until: datetime, *, last_day: int) -> Span:
    """What is looked at up to `until`: a day where it has voices enough (`A_DAY_IS_ENOUGH`), else a week."""
    return Span(until - (timedelta(days=1) if last_day >= A_DAY_IS_ENOUGH else WEEK), until)


def past(now: Span) -> list[Span]:
    """The like periods of the past, oldest first."""
    return [now.earlier(weeks) for weeks in range(PAST, 0, -1)]


def is_same_heap(words: Collection[str], others: Collection[str]) -> bool:
    """Whether two heaps of different runs are about the same, by their telling words."""
    both = set(words) & set(others)
    return len(both) >= _SAME_HEAP * max(1, min(len(set(words)), len(set(others))))


def is_new_word(phrase: str) -> bool:
    """Whether a phrase is cut through where no word ends: it holds a piece of one character (碰一 · 碰, 通通 · 盾).

    A phrase of known words (彩铃 · 盲盒) is left cut: as one word it would hide from a search for its parts.
    """
    pieces = segment.cut(phrase)
    return len(pieces) > 1 and any(len(piece) == 1 for piece in pieces)


def spark(counts: Sequence[int], *, width: int = 80, height: int = 20) -> str:
    """The path of a small line through the counts, in a box of this size; "" for none."""
    if len(counts) < 2:
        return ""
    top, step = max(*counts, 1), width / (len(counts) - 1)
    points = (f"{place * step:.1f} {height - 2 - count / top * (height - 4):.1f}" for place, count in enumerate(counts))
    return "M" + "L".join(points)
