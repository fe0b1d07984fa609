"""Counts over time: is a topic suddenly more, is a word new, and which of many alarms to believe."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: What is believed of a rate before any count was seen: half an event in half a period (Jeffreys-like, weak).
_PRIOR_EVENTS, _PRIOR_PERIODS = 0.5, 0.5
#: Below this share of false alarms among those told. Source: Benjamini and Hochberg 1995.
FALSE_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Burst:
    """A count beside what its past lets expect; `chance` is that of so many or more if nothing changed."""

    key: str
    count: int
    expected: float
    chance: float

    @property
    def lift(self) -> float:
        """How many times the expected count was seen."""
        return self.count / self.expected if self.expected else math.inf


def gamma_poisson_tail(
    count: int,
    past: Sequence[int],
    *,
    exposure: float = 1.0,
    past_exposure: float | None = None,
    steady: float = math.inf,
) -> float:
    """P(at least `count`) now, the rate known only from the past counts of like periods (like weekday with like).

    `exposure` scales the present (thousands of voices, say); `past_exposure` is the total of the past, by default one
    a period. The Poisson rate has a gamma posterior, so the count is negative binomial: wider where the past is short.
    However long the past, the rate is known no better than from `steady` events: rates wander though nothing happened.
    """
    if count <= 0:
        return 1.0
    shape = _PRIOR_EVENTS + sum(past)
    rate = _PRIOR_PERIODS * exposure + (len(past) * 1.0 if past_exposure is None else past_exposure)
    doubt = max(1.0, shape / steady)
    shape, rate = shape / doubt, rate / doubt
    stay = rate / (rate + exposure)
    log_term = shape * math.log(stay)
    below = 0.0
    for seen in range(count):
        below += math.exp(log_term)
        log_term += math.log((shape + seen) / (seen + 1) * (1 - stay))
    return max(0.0, 1.0 - below)


def expected(past: Sequence[int], *, past_exposure: float | None = None) -> float:
    """The count the past lets expect in one period; `past_exposure` is the past's total in such periods."""
    return (_PRIOR_EVENTS + sum(past)) / (_PRIOR_PERIODS + (len(past) if past_exposure is None else past_exposure))


def bursts(
    counts: Mapping[str, int], past: Mapping[str, Sequence[int]], *, periods: int, least: int = 3
) -> tuple[Burst, ...]:
    """The keys that are suddenly more, most surprising first, corrected for how many were looked at.

    A key missing from `past` was never seen in any of the `periods`.
    """
    looked = []
    for key, count in counts.items():
        before = past.get(key) or [0] * periods
        looked.append(Burst(key, count, expected(before), gamma_poisson_tail(count, before)))
    looked.sort(key=lambda burst: burst.chance)
    return tuple(burst for burst in looked[: believed([one.chance for one in looked])] if burst.count >= least)


def believed(chances: Sequence[float], *, false_share: float = FALSE_SHARE) -> int:
    """How many of the rising chances may be told, at this share of false alarms (Benjamini–Hochberg)."""
    last = 0
    for place, chance in enumerate(chances, start=1):
        if chance <= false_share * place / len(chances):
            last = place
    return last


def telling_words(
    here: Mapping[str, int], there: Mapping[str, int], *, most: int = 10, prior: float = 10.0
) -> list[tuple[str, float]]:
    """Words that set one heap of texts apart from another, with their z-score: to explain an alarm, not to raise it.

    Source: Monroe, Colaresi and Quinn 2008 (log-odds with an informative Dirichlet prior).
    """
    both = {word: here.get(word, 0) + there.get(word, 0) for word in here}
    total, n_here, n_there = sum(both.values()), sum(here.values()), sum(there.values())
    if not total:
        return []
    scores: list[tuple[str, float]] = []
    for word, count in here.items():
        alpha = prior * both[word] / total
        other = there.get(word, 0)
        odds = math.log((count + alpha) / (n_here + prior - count - alpha + 1e-9))
        odds -= math.log((other + alpha) / (n_there + prior - other - alpha + 1e-9))
        scores.append((word, odds / math.sqrt(1 / (count + alpha) + 1 / (other + alpha))))
    return sorted(scores, key=lambda pair: (-pair[1], pair[0]))[:most]
