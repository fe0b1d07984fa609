"""What was read in one text: the values every door prints and every table stores."""

from dataclasses import dataclass
from json.encoder import encode_basestring as quoted
from typing import Any

LABELS = ("negative", "neutral", "positive")
INTENTS = ("complaint", "suggestion", "inquiry", "praise", "other")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic the text is about; `score` 0 to 1. `detail` is the second level, "" when none is clear."""

    code: str
    name: str
    score: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing named in one clause, what is said of it, and whether that is good (1), bad (−1) or neither (0)."""

    aspect: str
    opinion: str
    polarity: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the original text and how far it carried the verdict: −1 to 1, negative speaks against."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read in one text. `sentiment` is 2·P(positive) − 1; `abstains` asks a person to look."""

    sentiment: float
    label: str
    confidence: float
    topics: tuple[Topic, ...]
    aspects: tuple[Aspect, ...]
    keywords: tuple[str, ...]
    urgency: int
    urgency_reasons: tuple[str, ...]
    intent: str
    evidence: tuple[Evidence, ...]
    tokens: tuple[str, ...]
    abstains: bool
    model: str

    def document(self) -> dict[str, Any]:
        """The reading as CONTRACT §1 prints it, JSON-ready."""
        return {
            "sentiment": self.sentiment,
            "label": self.label,
            "confidence": self.confidence,
            "topics": [
                {"code": one.code, "name": one.name, "score": one.score, "detail": one.detail} for one in self.topics
            ],
            "aspects": [
                {"aspect": one.aspect, "opinion": one.opinion, "polarity": one.polarity} for one in self.aspects
            ],
            "keywords": list(self.keywords),
            "urgency": self.urgency,
            "urgency_reasons": list(self.urgency_reasons),
            "intent": self.intent,
            "evidence": [{"start": one.start, "end": one.end, "weight": one.weight} for one in self.evidence],
            "abstains": self.abstains,
            "model": self.model,
        }

    def members(self) -> str:
        """The members of `document()` as JSON, without the braces: a third of the time of encoding those mappings."""
        topics = ", ".join(
            [
                f'{{"code": "{one.code}", "name": "{one.name}", "score": {one.score}, "detail": {quoted(one.detail)}}}'
                for one in self.topics
            ]
        )
        aspects = ", ".join(
            [
                f'{{"aspect": {quoted(one.aspect)}, "opinion": {quoted(one.opinion)}, "polarity": {one.polarity}}}'
                for one in self.aspects
            ]
        )
        spans = ", ".join(
            [f'{{"start": {one.start}, "end": {one.end}, "weight": {one.weight}}}' for one in self.evidence]
        )
        return (
            f'"sentiment": {self.sentiment}, "label": "{self.label}", "confidence": {self.confidence}, '
            f'"topics": [{topics}], "aspects": [{aspects}], "keywords": [{", ".join(map(quoted, self.keywords))}], '
            f'"urgency": {self.urgency}, "urgency_reasons": [{", ".join(map(quoted, self.urgency_reasons))}], '
            f'"intent": "{self.intent}", "evidence": [{spans}], '
            f'"abstains": {"true" if self.abstains else "false"}, "model": {quoted(self.model)}'
        )
