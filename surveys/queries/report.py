"""A survey's results as one value: what the results page draws, the API answers and the export heads."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from analysis.intervals import Interval
from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from surveys import metrics
from surveys.definition import AnyItem, SurveyDefinition, scale
from surveys.metrics import Counts, Figure
from surveys.queries import numbers
from surveys.queries.numbers import Choice, Filter, Flow, Tally
from surveys.tables import Survey


@dataclass(frozen=True, slots=True)
class Score:
    """One scale item: its figure, its counts, the biased sample beside it and the lift between them."""

    item: AnyItem
    figure: Figure
    counts: Counts
    anomaly: Figure
    lift: Interval | None
    groups: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything there is to see, for one filter."""

    scores: tuple[Score, ...]
    choices: tuple[Choice, ...]
    flow: Flow
    response: Figure
    completion: Figure
    left_at: Mapping[str, int]
    refusals: tuple[tuple[str, int], ...]


def report(
    session: Session, scope: Scope, survey: Survey, definition: SurveyDefinition, wanted: Filter, *, by: str = ""
) -> Report:
    """The results under this filter, each score also in groups of `by`. Raises Invalid for an unknown dimension."""
    if by and by not in numbers.DIMENSIONS:
        names = "、".join(numbers.DIMENSIONS)
        raise Invalid(say("不能按“%(by)s”分组，可用：%(names)s。", by=by, names=names), [_fault(names)])
    main = _counts(numbers.tallies(session, scope, survey, wanted))
    groups = _grouped(numbers.tallies(session, scope, survey, wanted, by=by)) if by else {}
    hit = _counts(numbers.tallies(session, scope, survey, _of(wanted, "anomaly")))
    flow = numbers.flow(session, scope, survey, wanted)
    return Report(
        scores=tuple(
            _score(item, main.get(item.id, {}), hit.get(item.id, {}), groups.get(item.id, {}))
            for item in definition.items
            if scale(item)
        ),
        choices=tuple(numbers.choices(session, scope, survey, wanted)),
        flow=flow,
        response=metrics.share(flow.seen_and_answered, flow.seen),
        completion=metrics.share(flow.finished, flow.begun),
        left_at=numbers.left_at(session, scope, survey, wanted),
        refusals=tuple(numbers.refusals(session, survey, wanted)),
    )


def _fault(names: str) -> dict[str, str]:
    return {"field": "by", "sentence": say("请从这些里选：%(names)s。", names=names)}


def _of(wanted: Filter, sample: str) -> Filter:
    return Filter(wanted.since, wanted.until, wanted.version, wanted.province, wanted.touchpoint, sample)


def _score(item: AnyItem, counts: Counts, hit: Counts, groups: Mapping[str, Counts]) -> Score:
    return Score(
        item,
        metrics.figure(item.type, counts),
        counts,
        metrics.figure(item.type, hit),
        metrics.lift(item.type, hit, counts),
        {name: metrics.figure(item.type, found) for name, found in groups.items()},
    )


def _counts(tallies: Iterable[Tally]) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for tally in tallies:
        found[tally.item][tally.number] = tally.count
    return found


def _grouped(tallies: Iterable[Tally]) -> dict[str, dict[str, dict[int, int]]]:
    found: dict[str, dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    for tally in tallies:
        found[tally.item][tally.group][tally.number] = tally.count
    return found
