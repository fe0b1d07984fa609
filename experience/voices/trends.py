"""What days of counts say of each topic: how much, how bad, rising or falling, and on which days it burst."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from analysis import intervals, series
from analysis.intervals import Interval

#: Like weekdays a day is compared with: this many weeks back, and at least so many of them with voices at all.
WEEKS_BEFORE, FEWEST_WEEKS = 4, 2
#: A burst is also this many times the expected count: a large topic is sure of its smallest ripples.
LIFT = 1.5
LEAST = 5
_WEEK = timedelta(days=7)
#: A cell is marked against the rest of its topic only at this confidence, since many cells are looked at.
CELL_CONFIDENCE = 0.99


@dataclass(frozen=True, slots=True)
class Tally:
    """A count of readings: all, different texts a day, negative and positive ones, and the sum of their sentiment."""

    n: int = 0
    texts: int = 0
    negative: int = 0
    positive: int = 0
    sentiment: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.n + other.n,
            self.texts + other.texts,
            self.negative + other.negative,
            self.positive + other.positive,
            self.sentiment + other.sentiment,
        )

    @property
    def mean(self) -> float | None:
        """The mean sentiment, −1 to 1; None of nothing."""
        return self.sentiment / self.n if self.n else None

    @property
    def negative_share(self) -> Interval | None:
        """The share of negative ones with its Wilson interval; None of nothing."""
        return intervals.wilson(self.negative, self.n)


def added(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies."""
    return sum(tallies, Tally())


@dataclass(frozen=True, slots=True)
class Span:
    """Days in Beijing from first to last, both included."""

    first: date
    last: date

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=i) for i in range(len(self)))

    @property
    def before(self) -> "Span":
        """As many days just before."""
        return Span(self.first - timedelta(days=len(self)), self.first - timedelta(days=1))

    @property
    def with_past(self) -> "Span":
        """The days together with those they are compared with."""
        return Span(min(self.before.first, self.first - WEEKS_BEFORE * _WEEK), self.last)

    def weeks(self) -> list["Span"]:
        """The days cut into weeks that end with the last; the first may be shorter."""
        ends = [self.last - i * _WEEK for i in range((len(self) + 6) // 7)]
        return [Span(max(self.first, end - timedelta(days=6)), end) for end in reversed(ends)]


#: topic -> day -> tally.
Days = Mapping[str, Mapping[date, Tally]]


@dataclass(frozen=True, slots=True)
class Line:
    """A topic in a span: its tally, its share of all voices, the change of that share, its days and its bursts."""

    topic: str
    now: Tally
    before: Tally
    share: Interval
    change: Interval | None
    days: tuple[Tally, ...]
    bursts: tuple[date, ...]


def lines(days: Days, span: Span) -> list[Line]:
    """Every topic spoken of in the span or before it, most first. `days` must reach back over `span.with_past`."""
    totals_now, totals_before = _total(days, span), _total(days, span.before)
    found = bursts(days, span)
    made = [_line(topic, days[topic], span, (totals_now, totals_before), found.get(topic, ())) for topic in days]
    return sorted((line for line in made if line.now.n or line.before.n), key=lambda line: (-line.now.n, line.topic))


def unheard(topic: str, span: Span) -> Line:
    """The line of a topic nobody spoke of."""
    return Line(topic, Tally(), Tally(), Interval(0.0, 0.0, 1.0), None, (Tally(),) * len(span), ())


def _line(topic: str, days: Mapping[date, Tally], span: Span, totals: tuple[int, int], found: tuple[date, ...]) -> Line:
    here = tuple(days.get(day, Tally()) for day in span)
    now, before = added(here), added(days.get(day, Tally()) for day in span.before)
    share = intervals.wilson(now.n, totals[0]) or Interval(0.0, 0.0, 1.0)
    change = intervals.difference_of_shares(now.n, totals[0], before.n, totals[1])
    return Line(topic, now, before, share, change, here, found)


def _total(days: Days, span: Span) -> int:
    return sum(by_day.get(day, Tally()).n for by_day in days.values() for day in span)


def bursts(days: Days, span: Span) -> dict[str, tuple[date, ...]]:
    """Topic -> the days of the span on which it was suddenly more than on like weekdays of the weeks before."""
    begun = min((day for by_day in days.values() for day, tally in by_day.items() if tally.n), default=span.last)
    found: dict[str, list[date]] = {}
    for day in span:
        weeks = [day - i * _WEEK for i in range(1, WEEKS_BEFORE + 1) if day - i * _WEEK >= begun]
        if len(weeks) < FEWEST_WEEKS:
            continue
        counts = {topic: by_day[day].n for topic, by_day in days.items() if day in by_day}
        past = {topic: [days[topic].get(week, Tally()).n for week in weeks] for topic in counts}
        for burst in series.bursts(counts, past, periods=len(weeks), least=LEAST):
            if burst.lift >= LIFT:
                found.setdefault(burst.key, []).append(day)
    return {topic: tuple(on) for topic, on in found.items()}


@dataclass(frozen=True, slots=True)
class Cell:
    """A topic at one place: its tally and its share of the place's voices.

    `sign` says whether that share is surely more (1) or less (−1) than in all other places together.
    """

    tally: Tally
    share: float
    sign: int

    @property
    def depth(self) -> int:
        """How deep the cell is coloured: 0 to 6, one step for each sixteenth of its place's voices."""
        return min(6, int(self.share * 16))


@dataclass(frozen=True, slots=True)
class Grid:
    """Places by topics: the topics in the order of their columns, and for each place its total and its cells."""

    topics: tuple[str, ...]
    rows: tuple[tuple[str, Tally, tuple[Cell, ...]], ...]
    left_out: int = 0


def grid(cells: Mapping[tuple[str, str], Tally], topics: Sequence[str], *, most: int = 0, keep: bool = False) -> Grid:
    """The (place, topic) tallies as a grid, largest place first (as they come with `keep`), at most `most` places."""
    places = list(dict.fromkeys(place for place, _ in cells))
    totals = {place: added(cells.get((place, topic), Tally()) for topic in topics) for place in places}
    of_topic = {topic: added(cells.get((place, topic), Tally()) for place in places).n for topic in topics}
    whole = sum(of_topic.values())
    ordered = places if keep else sorted(places, key=lambda place: (place == "", -totals[place].n, place))
    shown = ordered[: most or len(ordered)]
    rows = [
        (
            place,
            totals[place],
            tuple(_cell(cells.get((place, t), Tally()), totals[place].n, of_topic[t], whole) for t in topics),
        )
        for place in shown
    ]
    return Grid(tuple(topics), tuple(rows), len(ordered) - len(shown))


def _cell(tally: Tally, place: int, topic: int, whole: int) -> Cell:
    rest = intervals.difference_of_shares(tally.n, place, topic - tally.n, whole - place, confidence=CELL_CONFIDENCE)
    usual = place * (topic - tally.n) / (whole - place) if whole > place else 0.0
    is_sure = rest is not None and rest.excludes_zero and max(tally.n, usual) >= LEAST
    sign = (1 if rest.value > 0 else -1) if rest and is_sure else 0
    return Cell(tally, tally.n / place if place else 0.0, sign)
