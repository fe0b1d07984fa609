"""A clock as a bar: what was used, paused and is left, with the marks of the ladder, on one line of natural time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WIDTH = 120.0  # of the drawing; positions below are in its units
SOON_SHARE = 0.8  # of the span between start and due: the ladder's own warning


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the bar; `kind` is used, paused or over (past the due instant)."""

    kind: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A rung of the ladder; `at` is its place on the bar."""

    level: int
    at: float
    is_fired: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A clock ready to be drawn; `tone` is calm, soon, late, paused, done or off, `ended_at` when it stopped.

    `paused_at` is since when it stands still, `pause_reason` why.
    """

    kind: str
    state: str
    limit: str
    cycle: int
    tone: str
    started_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None
    ended_at: datetime | None
    is_provisional: bool
    paused_at: datetime | None = None
    pause_reason: str = ""
    stretches: list[Stretch] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Timing:
    """What is known of a clock's life; `pauses` are (from, to) with an open one ending in None, for `pause_reason`."""

    kind: str
    state: str
    limit: str
    started_at: datetime
    due_at: datetime | None
    original_due_at: datetime | None = None
    ended_at: datetime | None = None
    breached_at: datetime | None = None
    is_provisional: bool = False
    cycle: int = 1
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()
    marks: tuple[tuple[int, datetime, datetime | None], ...] = ()
    pause_reason: str = ""

    @property
    def paused_at(self) -> datetime | None:
        """Since when it stands still; None when it runs or is over."""
        if self.state != "paused":
            return None
        return max((begin for begin, end in self.pauses if end is None), default=None)


def tone(clock: Timing, now: datetime) -> str:
    """How a clock stands at `now`; one that was breached stays late whatever came later."""
    if clock.state == "cancelled":
        return "off"
    if clock.breached_at or clock.state == "breached_met":
        return "late"
    if clock.state in ("met", "paused"):
        return "done" if clock.state == "met" else "paused"
    if clock.due_at is None:
        return "calm"
    if now >= clock.due_at:
        return "late"
    span = (clock.due_at - clock.started_at).total_seconds()
    return "soon" if (now - clock.started_at).total_seconds() >= SOON_SHARE * span else "calm"


def bar(clock: Timing, now: datetime) -> Bar:
    """The clock drawn from its start to whichever is later of its due instant and where it stands now."""
    until = clock.ended_at or now
    runs_until = clock.paused_at or until
    end = max(filter(None, (_due_if_resumed(clock, now), until, clock.started_at)))
    span = max((end - clock.started_at).total_seconds(), 1.0)

    def place(at: datetime) -> float:
        return min(max((at - clock.started_at).total_seconds() / span, 0.0), 1.0) * WIDTH

    counted_until = min(runs_until, clock.due_at) if clock.due_at else runs_until
    stretches = [Stretch("used", 0.0, place(counted_until))]
    stretches += [Stretch("paused", place(a), place(min(b or until, until)) - place(a)) for a, b in clock.pauses]
    if clock.due_at and runs_until > clock.due_at:
        stretches.append(Stretch("over", place(clock.due_at), place(runs_until) - place(clock.due_at)))
    marks = [Mark(level, place(at), fired is not None) for level, at, fired in clock.marks if at <= end]
    return Bar(
        kind=clock.kind,
        state=clock.state,
        limit=clock.limit,
        cycle=clock.cycle,
        tone=tone(clock, now),
        started_at=clock.started_at,
        due_at=clock.due_at,
        original_due_at=clock.original_due_at,
        ended_at=clock.ended_at,
        is_provisional=clock.is_provisional,
        paused_at=clock.paused_at,
        pause_reason=clock.pause_reason if clock.state == "paused" else "",
        stretches=[s for s in stretches if s.width > 0],
        marks=marks,
    )


def _due_if_resumed(clock: Timing, now: datetime) -> datetime | None:
    """The due instant as far ahead as it was when the clock was stopped; where it runs, the due instant itself."""
    if clock.paused_at is None or clock.due_at is None:
        return clock.due_at
    return clock.due_at + max(now - clock.paused_at, timedelta())


def spark(values: Iterable[float | None], *, width: float = 80, height: float = 20) -> str:
    """The path of a small line through the values, scaled to their own range; gaps where a value is missing."""
    points = list(values)
    known = [v for v in points if v is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    step = width / max(len(points) - 1, 1)
    path, pen = [], "M"
    for i, value in enumerate(points):
        if value is None:
            pen = "M"
            continue
        y = height / 2 if high == low else height - 2 - (value - low) / (high - low) * (height - 4)
        path.append(f"{pen}{i * step:.1f} {y:.1f}")
        pen = "L"
    return "".join(path)
