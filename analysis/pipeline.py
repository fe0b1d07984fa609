"""From one text to one Reading; every door that wants a text read comes here."""

from collections.abc import Callable
from dataclasses import replace

from analysis import aspects, evidence, features, keywords, normalise, segment, topics, urgency
from analysis import model as models
from analysis.model import Verdict
from analysis.reading import Reading, Topic

__all__ = ["Reading", "read", "sentiment"]

#: Below this probability a topic is not told; when none reaches it, the text is 其他.
_TOPIC_LEAST, _TOPIC_SECOND = 0.28, 0.25
#: A verdict less sure than this goes to the review queue.
_ABSTAIN = 0.52
#: A text without one letter says nothing.
_NOTHING = Reading(
    0.0, "neutral", 1.0, (Topic("other", topics.TOPICS["other"], 1.0),), (), (), 0, (), "other", (), (), False, ""
)


def sentiment(text: str, *, model: models.Model | None = None, positive: Callable[[str], float] | None = None) -> float:
    """2·P(positive) − 1 of a text, calibrated; nothing else is read."""
    used = model or models.load()
    clean = normalise.clean(text).text
    if positive is not None:
        return 2 * positive(clean) - 1
    words = segment.cut(clean)
    numbers = used.numbers
    logit = used.polarity_logit([number for gram in features.grams(clean, words) if (number := numbers.get(gram))])
    return 2 * models.sigmoid(logit) - 1


def read(text: str, *, model: models.Model | None = None, positive: Callable[[str], float] | None = None) -> Reading:
    """The full reading of any str: empty, foreign, markup, emoji, 100,000 characters, lone surrogates.

    `positive` is another engine's P(positive) for a clean text; without it the model's own is used.
    """
    used = model or models.load()
    clean = normalise.clean(text)
    words = segment.cut(clean.text)
    tokens = tuple(segment.searchable(words))
    if not tokens:
        return _silent(used)
    hits = topics.hits(clean.text)
    verdict = used.read(clean.text, words, hits)
    if positive is not None:
        verdict = _with_other_polarity(verdict, positive(clean.text))
    label = max(verdict.labels, key=lambda name: verdict.labels[name])
    intent = max(verdict.intents, key=lambda name: verdict.intents[name])
    soon = urgency.urgency(clean.text, intent)
    confidence = verdict.labels[label]
    return Reading(
        sentiment=round(2 * verdict.positive - 1, 4),
        label=label,
        confidence=round(confidence, 4),
        topics=_topics(verdict, hits),
        aspects=aspects.aspects(clean.text, verdict.places),
        keywords=keywords.keywords(words),
        urgency=soon.level,
        urgency_reasons=soon.reasons,
        intent=intent,
        evidence=evidence.evidence(clean, words, verdict.places),
        tokens=tokens,
        abstains=confidence < _ABSTAIN,
        model=used.version,
    )


def _silent(used: models.Model) -> Reading:
    return replace(_NOTHING, model=used.version)


def _topics(verdict: Verdict, hits: list[tuple[int, int, topics.Rule]]) -> tuple[Topic, ...]:
    """The first topic, and a second where it is nearly as likely; 其他 below the threshold."""
    ranked = sorted(verdict.topics.items(), key=lambda pair: -pair[1])
    told = [pair for place, pair in enumerate(ranked[:3]) if pair[1] >= (_TOPIC_SECOND if place else _TOPIC_LEAST)]
    return tuple(
        Topic(code, topics.TOPICS[code], round(score, 4), topics.detail_of(code, hits))
        for code, score in told or [("other", verdict.topics["other"])]
    )


def _with_other_polarity(verdict: Verdict, positive: float) -> Verdict:
    neutral = verdict.labels["neutral"]
    labels = {"negative": (1 - neutral) * (1 - positive), "neutral": neutral, "positive": (1 - neutral) * positive}
    return replace(verdict, positive=positive, labels=labels)
