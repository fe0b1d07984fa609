"""From one text to one Reading; every door that wants a text read comes here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from analysis import aspects, evidence, features, keywords, normalise, ordinary, scan, sheet, topics, urgency
from analysis import model as models
from analysis.matcher import Hit
from analysis.model import CODES
from analysis.normalise import Clean
from analysis.reading import INTENTS, LABELS, Evidence, Reading, Topic
from analysis.sheet import Cut, Sheet
from analysis.terms import Terms

__all__ = ["Reading", "read", "read_many", "sentiment", "sentiments"]

#: Below the first a topic is not told, below the second not beside another; with none the text is 其他.
_TOPIC_LEAST, _TOPIC_SECOND = 0.16, 0.25
_TOPICS_TOLD = 3
#: From here on the model knows its topic well enough to need a strong own term before it is led away.
_TOPIC_SURE = 0.5
#: A verdict less sure than this goes to the review queue.
_ABSTAIN = 0.52
#: A text without one letter or figure says nothing.
_NOTHING = Reading(
    sentiment=0.0,
    label="neutral",
    confidence=1.0,
    topics=(Topic("other", topics.TOPICS["other"], 1.0),),
    aspects=(),
    keywords=(),
    urgency=0,
    urgency_reasons=(),
    intent="other",
    evidence=(),
    tokens=(),
    abstains=False,
    model="",
)


#: What is weighed at once: enough to spare the cost of many small sums, little enough to keep memory small.
_AT_ONCE_TEXTS, _AT_ONCE_CHARACTERS = 256, 16_000

Engine = Callable[[str], float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Page:
    """Several texts made ready to be weighed together."""

    cleans: list[Clean]
    sheet: Sheet
    cut: Cut
    seen: models.Seen


@dataclass(frozen=True, slots=True)
class _One:
    """What was found in one text before it is judged."""

    clean: Clean
    words: list[str]
    tokens: tuple[str, ...]
    named: Terms
    evidence: tuple[Evidence, ...]
    pull: aspects.Pull


def sentiment(text: str) -> float:
    """2·P(positive) − 1 of a text, calibrated; nothing else is read."""
    return next(sentiments([text]))


def read(text: str, *, model: models.Model | None = None, positive: Engine | None = None) -> Reading:
    """The full reading of any str: empty, foreign, markup, emoji, 100,000 characters, lone surrogates."""
    return next(read_many([text], model=model, positive=positive))


def sentiments(
    texts: Iterable[str], *, model: models.Model | None = None, positive: Engine | None = None
) -> Iterator[float]:
    """For each text 2·P(positive) − 1, the same as its full reading says."""
    used = model or models.load()
    for together in _batches(texts):
        page = _page(used, together)
        if positive is not None:
            yield from (2 * positive(clean.text) - 1 for clean in page.cleans)
        else:
            said = _says_something(page)
            yield from np.where(said, 2 * used.positive(page.seen) - 1, 0.0).tolist()


def read_many(
    texts: Iterable[str], *, model: models.Model | None = None, positive: Engine | None = None
) -> Iterator[Reading]:
    """The full reading of each text, in order; several texts are weighed at once, which is twice as fast.

    `positive` is another engine's P(positive) for a clean text; without it the model's own is used.
    """
    used = model or models.load()
    for together in _batches(texts):
        page = _page(used, together)
        verdicts = used.read(page.seen)
        best = np.argsort(-verdicts.topics, axis=1, kind="stable")[:, :_TOPICS_TOLD]
        shares = (verdicts.positive, verdicts.labels, verdicts.intents, verdicts.topics, best)
        rows = zip(*(values.tolist() for values in shares), strict=True)
        for one, row in zip(_each(used, page), rows, strict=True):
            verdict = _Verdict(*row)
            if positive is not None:
                verdict = verdict.with_positive(positive(one.clean.text))
            yield _reading(one, verdict, used.version)


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    together: list[str] = []
    size = 0
    for text in texts:
        together.append(text)
        size += min(len(text), normalise.HEAD + normalise.TAIL)
        if size >= _AT_ONCE_CHARACTERS or len(together) >= _AT_ONCE_TEXTS:
            yield together
            together, size = [], 0
    if together:
        yield together


def _page(used: models.Model, texts: Sequence[str]) -> _Page:
    cleans = ordinary.clean(texts)
    laid = sheet.laid([clean.text for clean in cleans])
    cut = sheet.cut(laid)
    seen = models.Seen(used.index.find(laid, cut), scan.topic_terms().find(laid), sheet.riches(laid))
    return _Page(cleans, laid, cut, seen)


def _says_something(page: _Page) -> npt.NDArray[np.bool_]:
    """Whether there is one letter or figure in each text."""
    return np.bincount(page.cut.owners, _searchable(page), len(page.cleans)) > 0


def _searchable(page: _Page) -> npt.NDArray[np.bool_]:
    """Which words hold a letter, figure or Chinese character: `segment.searchable` of a whole page."""
    letters: sheet.Ints = np.concatenate(([0], np.cumsum(ordinary.is_letter(page.sheet.codes), dtype=np.int64)))
    searchable: npt.NDArray[np.bool_] = letters[page.cut.ends] > letters[page.cut.starts]
    return searchable


def _each(used: models.Model, page: _Page) -> Iterator[_One]:
    """What was found in each text of a page, in order."""
    before = features.pulls(page.seen.batch, used.polarity)
    carried = evidence.evidence(page.sheet, page.cut, before)
    rules = _by_text(page.seen.hits, page.sheet, range(len(topics.rules())))
    names = _by_text(scan.aspect_terms().find(page.sheet), page.sheet, scan.aspect_names())
    own = _own_terms(page.sheet)
    pulled = before.tolist()
    searchable, words = _searchable(page).tolist(), page.cut.words
    places = (page.cut.begins.tolist(), page.cut.stops.tolist(), page.sheet.begins.tolist())
    rows = zip(page.cleans, *places, carried, strict=True)
    for number, (clean, first, stop, begin, spans) in enumerate(rows):
        yield _One(
            clean,
            words[first:stop],
            tuple(compress(words[first:stop], searchable[first:stop])),
            Terms(rules.get(number, []), names.get(number, []), own.get(number, [])),
            tuple([Evidence(*clean.span(start, end), weight) for start, end, weight in spans]),
            aspects.Pull(pulled, begin),
        )


def _own_terms(laid: Sheet) -> dict[int, list[Hit[topics.Rule]]]:
    own = topics.own_terms()
    return _by_text(scan.own_terms(own).find(laid), laid, [one.rule for one in own]) if own else {}


def _by_text(hits: scan.Hits, laid: Sheet, payloads: Sequence[T]) -> dict[int, list[Hit[T]]]:
    """The hits of each text that has any, their places counted from its beginning."""
    begins = laid.begins[hits.owners]
    found: dict[int, list[Hit[T]]] = {}
    rows = (hits.owners, hits.starts - begins, hits.ends - begins, hits.numbers)
    for owner, start, end, number in zip(*(row.tolist() for row in rows), strict=True):
        found.setdefault(owner, []).append((start, end, payloads[number]))
    return found


@dataclass(frozen=True, slots=True)
class _Verdict:
    """One row of the model's verdicts."""

    positive: float
    labels: list[float]
    intents: list[float]
    topics: list[float]
    best: list[int]  # places of the likeliest topics

    def with_positive(self, positive: float) -> "_Verdict":
        """The same with another engine's P(positive); what is neutral stays so."""
        neutral = self.labels[1]
        labels = [(1 - neutral) * (1 - positive), neutral, (1 - neutral) * positive]
        return replace(self, positive=positive, labels=labels)


def _reading(one: _One, verdict: _Verdict, version: str) -> Reading:
    if not one.tokens:
        return replace(_NOTHING, model=version)
    text = one.clean.text
    confidence = max(verdict.labels)
    intent = INTENTS[verdict.intents.index(max(verdict.intents))]
    soon = urgency.urgency(text, intent)
    return Reading(
        sentiment=round(2 * verdict.positive - 1, 4),
        label=LABELS[verdict.labels.index(confidence)],
        confidence=round(confidence, 4),
        topics=_topics(verdict, one.named, topics.leading(text)),
        aspects=aspects.aspects(text, one.named.aspects, one.pull, judges=intent not in ("inquiry", "other")),
        keywords=keywords.keywords(one.words),
        urgency=soon.level,
        urgency_reasons=soon.reasons,
        intent=intent,
        evidence=one.evidence,
        tokens=one.tokens,
        abstains=confidence < _ABSTAIN,
        model=version,
    )


def _topics(verdict: _Verdict, named: Terms, certain: str) -> tuple[Topic, ...]:
    """The first topic, and up to two more that are nearly as likely; 其他 below the threshold.

    A leader (`certain`, or the operator's own terms) comes first with at least the share of whatever the model would
    have put there.
    """
    shares, best = verdict.topics, verdict.best
    leader = certain
    if named.own:
        is_sure = shares[best[0]] >= _TOPIC_SURE and CODES[best[0]] != "other"
        leader = leader or topics.led(named.own, is_sure=is_sure)
    if leader:
        led = CODES.index(leader)
        shares = [shares[best[0]] if place == led else share for place, share in enumerate(shares)]
        best = [led, *(place for place in best if place != led)][:_TOPICS_TOLD]
    ranked = [(shares[place], CODES[place]) for place in best]
    told = [pair for place, pair in enumerate(ranked) if pair[0] >= (_TOPIC_SECOND if place else _TOPIC_LEAST)]
    return tuple(
        Topic(code, topics.TOPICS[code], round(score, 4), topics.detail_of(code, named.topics, named.own))
        for score, code in told or [(shares[CODES.index("other")], "other")]
    )
