"""From one text to one Reading; every door that wants a text read comes here."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from analysis import aspects, evidence, features, keywords, normalise, segment, terms, topics, urgency
from analysis import model as models
from analysis.matcher import Hit
from analysis.model import CODES, Verdict
from analysis.reading import INTENTS, LABELS, Reading, Topic

__all__ = ["Reading", "read", "sentiment"]

#: Below the first a topic is not told, below the second not beside another; with none the text is 其他.
_TOPIC_LEAST, _TOPIC_SECOND = 0.25, 0.25
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


def sentiment(text: str, *, model: models.Model | None = None, positive: Callable[[str], float] | None = None) -> float:
    """2·P(positive) − 1 of a text, calibrated; nothing else is read."""
    clean = normalise.clean(text).text
    if positive is not None:
        return 2 * positive(clean) - 1
    words = segment.cut(clean)
    if not any(map(str.isalnum, clean)):
        return 0.0
    return 2 * (model or models.load()).positive(clean, words) - 1


def read(text: str, *, model: models.Model | None = None, positive: Callable[[str], float] | None = None) -> Reading:
    """The full reading of any str: empty, foreign, markup, emoji, 100,000 characters, lone surrogates.

    `positive` is another engine's P(positive) for a clean text; without it the model's own is used.
    """
    used = model or models.load()
    clean = normalise.clean(text)
    words = segment.cut(clean.text)
    tokens = tuple(segment.searchable(words))
    if not tokens:
        return replace(_NOTHING, model=used.version)
    named = terms.find(clean.text)
    found = used.index.find(clean.text, words)
    verdict = used.read(clean.text, found, named.topics)
    if positive is not None:
        verdict = _with_other_polarity(verdict, positive(clean.text))
    confidence = max(verdict.labels)
    intent = INTENTS[verdict.intents.index(max(verdict.intents))]
    soon = urgency.urgency(clean.text, intent)
    pull = features.pull(found, used.polarity, len(clean.text))
    return Reading(
        sentiment=round(2 * verdict.positive - 1, 4),
        label=LABELS[verdict.labels.index(confidence)],
        confidence=round(confidence, 4),
        topics=_topics(verdict, named.topics),
        aspects=aspects.aspects(clean.text, named.aspects, pull),
        keywords=keywords.keywords(words),
        urgency=soon.level,
        urgency_reasons=soon.reasons,
        intent=intent,
        evidence=evidence.evidence(clean, words, pull),
        tokens=tokens,
        abstains=confidence < _ABSTAIN,
        model=used.version,
    )


def _topics(verdict: Verdict, hits: Sequence[Hit[int]]) -> tuple[Topic, ...]:
    """The first topic, and up to two more that are nearly as likely; 其他 below the threshold."""
    ranked = sorted(zip(verdict.topics, CODES, strict=True), reverse=True)[:3]
    told = [pair for place, pair in enumerate(ranked) if pair[0] >= (_TOPIC_SECOND if place else _TOPIC_LEAST)]
    return tuple(
        Topic(code, topics.TOPICS[code], round(score, 4), topics.detail_of(code, hits))
        for score, code in told or [(verdict.topics[CODES.index("other")], "other")]
    )


def _with_other_polarity(verdict: Verdict, positive: float) -> Verdict:
    neutral = verdict.labels[1]
    labels = ((1 - neutral) * (1 - positive), neutral, (1 - neutral) * positive)
    return replace(verdict, positive=positive, labels=labels)
