"""What a heap of readings of one topic is about: second-level topics, aspects, words, and voices that show it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis import keywords, series
from experience.voices import duplicates

#: Of each kind shown.
MOST_DETAILS, MOST_ASPECTS, MOST_WORDS, MOST_NEW, MOST_VOICES = 10, 10, 24, 8, 3
#: A word is new here when it was said so often and stands out so far (z) against the time before.
LEAST_NEW, NEW_Z = 3, 2.5


@dataclass(frozen=True, slots=True)
class Read:
    """What is looked at of one voice and its reading."""

    id: int
    fingerprint: int
    label: str
    sentiment: float
    topics: Sequence[Mapping[str, Any]]
    aspects: Sequence[Mapping[str, Any]]
    keywords: Sequence[str]


@dataclass(frozen=True, slots=True)
class Part:
    """A second-level topic or an aspect: how often, and how often badly and well."""

    name: str
    n: int
    bad: int
    good: int

    @property
    def bad_share(self) -> float:
        """The share said of it badly, 0 to 1."""
        return self.bad / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Gist:
    """What `n` readings of a topic are about; `negative` and `positive` are ids of voices that show it."""

    n: int
    details: tuple[Part, ...]
    aspects: tuple[Part, ...]
    words: tuple[tuple[str, int], ...]
    new_words: tuple[tuple[str, int, int], ...]  # (word, times now, times before)
    negative: tuple[int, ...]
    positive: tuple[int, ...]


def gist(topic: str, read: Sequence[Read], before: Sequence[Sequence[str]]) -> Gist:
    """The gist of these readings, newest first; `before` holds the keywords of readings of the time before."""
    words = Counter(word for one in read for word in set(one.keywords))
    past = Counter(word for some in before for word in set(some))
    top = sorted(words, key=lambda word: (-words[word] * keywords.weight(word), word))
    return Gist(
        len(read),
        _details(topic, read),
        _aspects(read),
        tuple((word, words[word]) for word in top[:MOST_WORDS]),
        _new(words, past),
        _shown(read, "negative"),
        _shown(read, "positive"),
    )


def _details(topic: str, read: Sequence[Read]) -> tuple[Part, ...]:
    found: dict[str, list[str]] = {}
    for one in read:
        name = next((str(t.get("detail") or "") for t in one.topics if t.get("code") == topic), "")
        found.setdefault(name, []).append(one.label)
    parts = [Part(name, len(of), of.count("negative"), of.count("positive")) for name, of in found.items()]
    return tuple(sorted(parts, key=lambda part: (part.name == "", -part.n, part.name))[:MOST_DETAILS])


def _aspects(read: Sequence[Read]) -> tuple[Part, ...]:
    bad: Counter[str] = Counter()
    good: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for one in read:
        for name in {str(aspect["aspect"]) for aspect in one.aspects if aspect.get("aspect")}:
            signs = [int(aspect["polarity"]) for aspect in one.aspects if aspect.get("aspect") == name]
            said[name] += 1
            bad[name] += min(signs) < 0
            good[name] += min(signs) >= 0 < max(signs)
    return tuple(Part(name, n, bad[name], good[name]) for name, n in said.most_common(MOST_ASPECTS))


def _new(words: Counter[str], past: Counter[str]) -> tuple[tuple[str, int, int], ...]:
    if not past:
        return ()
    telling = series.telling_words(words, past, most=MOST_NEW)
    return tuple((word, words[word], past[word]) for word, z in telling if z >= NEW_Z and words[word] >= LEAST_NEW)


def _shown(read: Sequence[Read], label: str) -> tuple[int, ...]:
    """The surest voices of a label, no two alike."""
    sure = sorted((one for one in read if one.label == label), key=lambda one: (-abs(one.sentiment), -one.id))
    folds = duplicates.folded((one.id, one.fingerprint) for one in sure[: 4 * MOST_VOICES])
    return tuple(fold.id for fold in folds[:MOST_VOICES])
