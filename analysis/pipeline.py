"""From one text to one Reading; every door that wants a text read comes here."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from analysis import aspects, evidence, features, keywords, normalise, segment, terms, topics, urgency
from analysis import model as models
from analysis.model import CODES
from analysis.normalise import Clean
from analysis.reading import INTENTS, LABELS, Reading, Topic
from analysis.terms import Terms

__all__ = ["Reading", "read", "read_many", "sentiment", "sentiments"]

#: Below the first a topic is not told, below the second not beside another; with none the text is 其他.
_TOPIC_LEAST, _TOPIC_SECOND = 0.16, 0.25
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


@dataclass(frozen=True, slots=True)
class _Cut:
    """A text made ready to be weighed."""

    clean: Clean
    words: list[str]
    named: Terms


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
    for ready in _batches(texts):
        if positive is not None:
            yield from (2 * positive(one.clean.text) - 1 for one in ready)
            continue
        weighed = _weighed(used, ready)[1].positive
        for one, good in zip(ready, weighed.tolist(), strict=True):
            yield 2 * good - 1 if segment.says_something(one.words) else 0.0


def read_many(
    texts: Iterable[str], *, model: models.Model | None = None, positive: Engine | None = None
) -> Iterator[Reading]:
    """The full reading of each text, in order; several texts are weighed at once, which is twice as fast.

    `positive` is another engine's P(positive) for a clean text; without it the model's own is used.
    """
    used = model or models.load()
    for ready in _batches(texts):
        batch, verdicts = _weighed(used, ready)
        pulls = features.pulls(batch, used.polarity)
        shares = (verdicts.positive, verdicts.labels, verdicts.intents, verdicts.topics)
        rows = zip(*(values.tolist() for values in shares), strict=True)
        for one, pull, row in zip(ready, pulls, rows, strict=True):
            verdict = _Verdict(*row)
            if positive is not None:
                verdict = verdict.with_positive(positive(one.clean.text))
            yield _reading(one, verdict, pull, used.version)


def _batches(texts: Iterable[str]) -> Iterator[list[_Cut]]:
    ready: list[_Cut] = []
    size = 0
    for text in texts:
        clean = normalise.clean(text)
        ready.append(_Cut(clean, segment.cut(clean.text), terms.find(clean.text)))
        size += len(clean.text)
        if size >= _AT_ONCE_CHARACTERS or len(ready) >= _AT_ONCE_TEXTS:
            yield ready
            ready, size = [], 0
    if ready:
        yield ready


def _weighed(used: models.Model, ready: Sequence[_Cut]) -> tuple[features.Batch, models.Verdicts]:
    texts = [one.clean.text for one in ready]
    batch = used.index.find(texts, [one.words for one in ready])
    return batch, used.read(texts, batch, [one.named.topics for one in ready])


@dataclass(frozen=True, slots=True)
class _Verdict:
    """One row of the model's verdicts."""

    positive: float
    labels: list[float]
    intents: list[float]
    topics: list[float]

    def with_positive(self, positive: float) -> "_Verdict":
        """The same with another engine's P(positive); what is neutral stays so."""
        neutral = self.labels[1]
        labels = [(1 - neutral) * (1 - positive), neutral, (1 - neutral) * positive]
        return replace(self, positive=positive, labels=labels)


def _reading(one: _Cut, verdict: _Verdict, pull: features.Pull, version: str) -> Reading:
    tokens = tuple(segment.searchable(one.words))
    if not tokens:
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
        aspects=aspects.aspects(text, one.named.aspects, pull, judges=intent not in ("inquiry", "other")),
        keywords=keywords.keywords(one.words),
        urgency=soon.level,
        urgency_reasons=soon.reasons,
        intent=intent,
        evidence=evidence.evidence(one.clean, one.words, pull),
        tokens=tokens,
        abstains=confidence < _ABSTAIN,
        model=version,
    )


def _topics(verdict: _Verdict, named: Terms, certain: str) -> tuple[Topic, ...]:
    """The first topic, and up to two more that are nearly as likely; 其他 below the threshold.

    A leader (`certain`, or the operator's own terms) comes first with at least the share of whatever the model would
    have put there.
    """
    shares = list(verdict.topics)
    is_sure = max(shares) >= _TOPIC_SURE and CODES[shares.index(max(shares))] != "other"
    leader = certain or topics.led(named.own, is_sure=is_sure)
    if leader:
        shares[CODES.index(leader)] = max(shares)
    ranked = sorted(zip(shares, CODES, strict=True), key=lambda pair: (-pair[0], pair[1] != leader))[:3]
    told = [pair for place, pair in enumerate(ranked) if pair[0] >= (_TOPIC_SECOND if place else _TOPIC_LEAST)]
    return tuple(
        Topic(code, topics.TOPICS[code], round(score, 4), topics.detail_of(code, named.topics, named.own))
        for score, code in told or [(verdict.topics[CODES.index("other")], "other")]
    )
