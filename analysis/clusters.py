"""Heaps of kindred voices, for staff to name, merge and make topics of."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis import emerging, keywords, series

#: At most so many distinct texts are looked at; who has more draws a sample.
MOST = 20_000
#: Fewer distinct texts than this make no heaps.
FEWEST = 12
#: Two to three times as many heaps as there are topics, since staff merge easily and cannot split. About √(n/2).
_FEWEST_HEAPS, _MOST_HEAPS = 4, 72
#: Dimensions of the latent space. Source: NMI .551 against .444 of NMF, .251 of LDA (docs/analysis.md).
_DIMENSIONS = 100
#: A heap of fewer voices, or whose members point further apart than this from its centre, says nothing.
_SMALLEST, _LOOSEST = 3, 0.4
_EXAMPLES = 6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A heap of voices: its name and telling words, all members, and those nearest the centre.

    `share` is that of the voices looked at; `tightness` the mean cosine of members to the centre, 0 to 1. Members and
    examples are places among the texts given.
    """

    name: str
    words: tuple[str, ...]
    members: tuple[int, ...]
    examples: tuple[int, ...]
    share: float
    tightness: float

    @property
    def size(self) -> int:
        """How many voices it holds, repeats counted."""
        return len(self.members)


def is_possible() -> bool:
    """Whether what makes heaps is installed; the product reads without it."""
    return find_spec("sklearn") is not None


def clusters(texts: Sequence[Sequence[str]], *, seed: int = 7) -> list[Cluster]:
    """Heaps of segmented texts, biggest first; the same texts and seed give the same heaps.

    KMeans over the first hundred latent dimensions of word and phrase TF-IDF. A text said again counts once while the
    heaps form and fully when they are measured. What fits nowhere stays out. Raises ValueError for more than MOST
    distinct texts.
    """
    places: dict[frozenset[str], list[int]] = {}
    for place, words in enumerate(texts):
        told = _told(words)
        if told:
            places.setdefault(told, []).append(place)
    if len(places) > MOST:
        raise ValueError(f"at most {MOST} distinct texts")
    if len(places) < FEWEST:
        return []
    vectors = _vectors(list(places), seed)
    if vectors is None:
        return []
    labels, nearness = _grouped(vectors, seed)
    said = _Said(list(places), list(places.values()), ["".join(texts[some[0]]) for some in places.values()], len(texts))
    made = [_cluster(said, labels == label, nearness) for label in range(labels.max() + 1)]
    return sorted((one for one in made if one is not None), key=lambda one: (-one.size, one.name))


@dataclass(frozen=True, slots=True)
class _Said:
    """The distinct texts: what each tells, the places it is said at, its characters; and how many were given."""

    told: Sequence[frozenset[str]]
    places: Sequence[Sequence[int]]
    texts: Sequence[str]
    given: int


def _told(words: Sequence[str]) -> frozenset[str]:
    """What a text says: its telling words and the phrases they make."""
    return frozenset(word for word in emerging.phrases(words, is_whole=True) if keywords.weight(word) or len(word) > 2)


def _vectors(texts: Sequence[frozenset[str]], seed: int) -> Floats | None:
    """Unit vectors in the latent space, or None when the texts have hardly a word in common."""
    from sklearn.decomposition import TruncatedSVD  # noqa: PLC0415 -- 60 MB, only for who makes heaps
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415

    try:
        weighed: Any = TfidfVectorizer(analyzer=sorted, min_df=2, max_df=0.5, sublinear_tf=True).fit_transform(texts)
    except ValueError:  # no word is left in two texts: nothing to group by
        return None
    dimensions = min(_DIMENSIONS, weighed.shape[1] - 1, len(texts) - 1)
    if dimensions < 2:
        return None
    latent: Floats = TruncatedSVD(dimensions, random_state=seed).fit_transform(weighed)
    lengths = np.linalg.norm(latent, axis=1, keepdims=True)
    unit: Floats = latent / np.maximum(lengths, 1e-12)
    return unit


def _grouped(vectors: Floats, seed: int) -> tuple[npt.NDArray[np.int32], Floats]:
    """Each text's heap, and its cosine to the heap's centre."""
    from sklearn.cluster import KMeans  # noqa: PLC0415 -- see _vectors

    wanted = round(math.sqrt(len(vectors) / 2))
    count = min(max(_FEWEST_HEAPS, wanted), _MOST_HEAPS, len(vectors) // 2)
    fitted = KMeans(count, n_init=3, max_iter=100, random_state=seed).fit(vectors)
    centres = fitted.cluster_centers_ / np.maximum(np.linalg.norm(fitted.cluster_centers_, axis=1), 1e-12)[:, None]
    nearness: Floats = np.einsum("ij,ij->i", vectors, centres[fitted.labels_])
    return fitted.labels_, nearness


def _cluster(said: _Said, is_in: npt.NDArray[np.bool_], nearness: Floats) -> Cluster | None:
    """The heap, or None when it is too small or too loose to be shown."""
    inside: list[int] = np.flatnonzero(is_in).tolist()
    tightness = float(nearness[is_in].mean()) if inside else 0.0
    members = sorted(place for at in inside for place in said.places[at])
    words = _words(said, inside, np.flatnonzero(~is_in).tolist())
    if len(members) < _SMALLEST or len(inside) < 2 or tightness < _LOOSEST or not words:
        return None
    nearest = sorted(inside, key=lambda at: (-nearness[at], at))
    return Cluster(
        name=name(words),
        words=words,
        members=tuple(members),
        examples=tuple(said.places[at][0] for at in nearest[:_EXAMPLES]),
        share=len(members) / said.given,
        tightness=tightness,
    )


def _words(said: _Said, inside: Sequence[int], outside: Sequence[int]) -> tuple[str, ...]:
    """The phrases that set the heap apart and that more than one of its texts holds; pieces of others left out."""
    here, there = (Counter(word for at in some for word in said.told[at]) for some in (inside, outside))
    scored = [word for word, z in series.telling_words(here, there, most=40) if here[word] > 1 and z > 1]
    chosen: list[str] = []
    for word in scored:
        longer = next((one for one in scored if word in one and here[one] >= 0.7 * here[word]), word)
        whole = emerging.grown(longer, [text for text in said.texts if longer in text])
        if whole and not any(whole in known or known in whole for known in chosen):
            chosen.append(whole)
    return tuple(chosen[:8])


def name(words: Sequence[str]) -> str:
    """What a heap is called until staff name it: its two most telling words."""
    return " · ".join(words[:2])
