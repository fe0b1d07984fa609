"""Which readings a person should look at: the shares of the queue and the choice within each.

Source: the shares are those of ANALYSIS §4; farthest-first choice after Gonzalez 1985.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.similar import distance

MARGIN, DISAGREEMENT, DIVERSE, RANDOM = "queue_margin", "queue_disagreement", "queue_diverse", "queue_random"
#: Of ten items so many come from each; what one cannot give the smallest margins do.
SHARES: Mapping[str, int] = {MARGIN: 6, DISAGREEMENT: 2, DIVERSE: 1, RANDOM: 1}
#: Another text's fingerprint at most so many bits away is the same text again.
NEAR = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """A voice that was read: its fingerprint (0: none), and what the reading says."""

    id: int
    fingerprint: int
    topic: str = "other"
    margin: float = 1.0


def margin(label: str, confidence: float, sentiment: float) -> float:
    """How far the likeliest label is from the next, 0 to 1, out of what a reading keeps.

    Labels are (1−n)(1−p), n and (1−n)p with p = P(positive) and n = P(neutral); `confidence` is the largest of them,
    which gives n.
    """
    positive = (sentiment + 1) / 2
    side = {"negative": 1 - positive, "positive": positive}
    neutral = confidence if label == "neutral" else 1 - min(1.0, confidence / max(side[label], 1e-9))
    ranked = sorted(((1 - neutral) * side["negative"], neutral, (1 - neutral) * side["positive"]))
    return ranked[2] - ranked[1]


def quotas(wanted: int, held: Mapping[str, int] | None = None) -> dict[str, int]:
    """How many of `wanted` new items each origin should give, so that with what is `held` the shares come out.

    The sum is `wanted`; each origin's total is within one of its share of the whole where what is held allows it.
    """
    held = {origin: (held or {}).get(origin, 0) for origin in SHARES}
    given = dict.fromkeys(SHARES, 0)
    total = sum(held.values()) + wanted
    for _ in range(wanted):
        lacking = {origin: share * total / 10 - held[origin] - given[origin] for origin, share in SHARES.items()}
        given[max(lacking, key=lambda origin: (lacking[origin], SHARES[origin]))] += 1
    return given


def folded(candidates: Sequence[Seen], known: Sequence[int], most: int) -> list[Seen]:
    """The first `most` candidates whose text is neither known by its fingerprint nor taken before them."""
    taken: list[Seen] = []
    marks = [mark for mark in known if mark]
    for one in candidates:
        if len(taken) == most:
            break
        if one.fingerprint and any(distance(one.fingerprint, mark) <= NEAR for mark in marks):
            continue
        taken.append(one)
        if one.fingerprint:
            marks.append(one.fingerprint)
    return taken


def diverse(candidates: Sequence[Seen], known: Sequence[int], most: int) -> list[Seen]:
    """Up to `most` candidates, each the farthest from all known or chosen before it; rarer topics are preferred."""
    left = [one for one in candidates if one.fingerprint]
    near = {one.id: min((distance(one.fingerprint, mark) for mark in known if mark), default=64) for one in left}
    topics: dict[str, int] = {}
    chosen: list[Seen] = []
    while left and len(chosen) < most:
        best = max(left, key=lambda one: (near[one.id] - 4 * topics.get(one.topic, 0), -one.id))
        left.remove(best)
        if near[best.id] <= NEAR:
            near[best.id] = -1
            continue
        chosen.append(best)
        topics[best.topic] = topics.get(best.topic, 0) + 1
        for one in left:
            near[one.id] = min(near[one.id], distance(one.fingerprint, best.fingerprint))
    return chosen


def draws(chance: random.Random, first: int, last: int, most: int) -> list[int]:
    """Up to `most` different numbers from first to last, in random order, each as likely as any other."""
    return chance.sample(range(first, last + 1), min(most, last - first + 1)) if last >= first else []
