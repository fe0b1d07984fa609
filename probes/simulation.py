"""What a rule would have done: past events replayed in order, under the one contact policy."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from experience.customers.contact_policy import Facts, Settings, decide
from probes.triggers import ENDINGS, Rule, is_drawn

HOUR = timedelta(hours=1)
_BEIJING = ZoneInfo("Asia/Shanghai")


class Moment(NamedTuple):
    """Something that happened at the rule's touchpoint, and to whom: `customer:REF` or `device:ID`."""

    at: datetime
    type: str
    session: str
    subject: str


@dataclass(slots=True)
class Outcome:
    """What the rule would have done: how often it was met, whom it would have asked, and why others were not."""

    moments: int = 0
    hits: int = 0
    asked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    by_person: Counter[str] = field(default_factory=Counter)
    is_cut: bool = False

    @property
    def people(self) -> int:
        """How many different people met the rule."""
        return len(self.by_person)


@dataclass(slots=True)
class _Known:
    """What became of one person so far in the replay."""

    shows: int = 0
    last_shown_at: datetime | None = None
    sessions: Counter[str] = field(default_factory=Counter)


class _Replay:
    """The state of a replay."""

    def __init__(self, rule: Rule, settings: Settings, spans: Sequence[tuple[datetime, datetime]]) -> None:
        self.rule, self.settings, self.spans = rule, settings, spans
        self.outcome = Outcome()
        self._sittings: dict[str, deque[datetime]] = defaultdict(lambda: deque(maxlen=rule.count))
        self._people: dict[str, _Known] = defaultdict(_Known)
        self._asked_at: deque[datetime] = deque()

    def is_hit(self, one: Moment) -> bool:
        """Whether this moment meets the rule."""
        if self.rule.kind == "anomaly":
            return one.type in ENDINGS and any(start <= one.at <= end for start, end in self.spans)
        if one.type != self.rule.event:
            return False
        lately = self._sittings[one.session]
        lately.append(one.at)
        return len(lately) == self.rule.count and one.at - lately[0] <= timedelta(seconds=self.rule.within_seconds)

    def refusal(self, one: Moment) -> str:
        """Why the person would not have been asked; '' when they would."""
        if not is_drawn(self.rule, one.subject.partition(":")[2]):
            return "sample"
        while self._asked_at and one.at - self._asked_at[0] > HOUR:
            self._asked_at.popleft()
        if self.rule.hourly_cap is not None and len(self._asked_at) >= self.rule.hourly_cap:
            return "hourly_cap"
        known = self._people[one.subject]
        facts = Facts(
            subject=one.subject,
            what=self.rule.survey,
            shows=known.shows,
            last_shown_at=known.last_shown_at,
            shows_in_session=known.sessions[one.session],
        )
        return decide(facts, self.settings, one.at).reason

    def ask(self, one: Moment) -> None:
        """Notes that the person was asked."""
        known = self._people[one.subject]
        known.shows, known.last_shown_at = known.shows + 1, one.at
        known.sessions[one.session] += 1
        self._asked_at.append(one.at)
        self.outcome.asked += 1
        self.outcome.days[one.at.astimezone(_BEIJING).date()] += 1


def replay(
    rule: Rule, moments: Iterable[Moment], settings: Settings, spans: Sequence[tuple[datetime, datetime]] = ()
) -> Outcome:
    """What the rule would have done over these moments, in order of time; nobody had been asked anything before.

    `spans` are the stretches in which an anomaly grave enough was open, for rules that wait for one.
    """
    state = _Replay(rule, settings, spans)
    for one in moments:
        state.outcome.moments += 1
        if not state.is_hit(one):
            continue
        state.outcome.hits += 1
        state.outcome.by_person[one.subject] += 1
        reason = state.refusal(one)
        if reason:
            state.outcome.refused[reason] += 1
        else:
            state.ask(one)
    return state.outcome
