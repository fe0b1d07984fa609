"""Answers as rows: one an item, with the text the customer saw, and the words worth hearing as voices."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from surveys import conditions
from surveys.definition import AnyItem, Matrix, SurveyDefinition, in_language, options, scale


def answer_rows(
    survey: SurveyDefinition, answers: Mapping[str, Any], lang: str, *, is_inactive: bool = False
) -> list[dict[str, Any]]:
    """The rows of these answers, without the response they belong to."""
    return [
        _row(survey, survey.item[name], value, answers, lang) | {"is_inactive": is_inactive}
        for name, value in answers.items()
        if "." not in name
    ]


def _row(survey: SurveyDefinition, item: AnyItem, value: Any, answers: Mapping[str, Any], lang: str) -> dict[str, Any]:
    number = float(value) if scale(item) or item.type == "consent" else None
    own_words = answers.get(f"{item.id}.other", "")
    return {
        "item": item.id,
        "kind": item.type,
        "metric": item.metric or "",
        "number": number,
        "options": list(_chosen(survey, item, value, lang)),
        "text": value if item.type == "text" else own_words,
    }


def _chosen(survey: SurveyDefinition, item: AnyItem, value: Any, lang: str) -> Iterator[dict[str, str]]:
    texts = {option.id: in_language(option.text, lang, survey.default_lang) for option in options(item)}
    if isinstance(item, Matrix):
        rows = {row.id: in_language(row.text, lang, survey.default_lang) for row in item.rows}
        for row, option in value.items():
            yield {"row": row, "row_text": rows[row], "id": option, "text": texts[option]}
        return
    for option in value if isinstance(value, list) else [value]:
        if option in texts:
            yield {"id": option, "text": texts[option]}


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words of one answer that are to become a voice; `item` tells them apart, `severity` asks for an issue."""

    item: str
    text: str
    severity: int | None = None


def utterances(
    survey: SurveyDefinition, answers: Mapping[str, Any], facts: conditions.Facts, lang: str
) -> list[Utterance]:
    """What this response says that should be heard.

    Every answered text marked `analyse`. When an action fires, the other texts too; and when there is no text at all,
    the options chosen, since they too are the customer's words.
    """
    fired = [action for action in survey.actions if conditions.holds(action.when, {**facts, "a": answers})]
    severity = min((action.severity or 2 for action in fired if action.do == "issue"), default=None)
    words = [item for item in survey.items if item.type == "text" and answers.get(item.id)]
    heard = [item for item in words if fired or item.analyse]
    if heard:
        return [Utterance(item.id, answers[item.id], severity) for item in heard]
    chosen = "；".join(_option_words(survey, answers, lang)) if fired else ""
    return [Utterance("options", chosen, severity)] if chosen else []


def _option_words(survey: SurveyDefinition, answers: Mapping[str, Any], lang: str) -> Iterator[str]:
    for item in survey.items:
        if item.type in ("single", "multi", "dropdown") and answers.get(item.id):
            yield from (one["text"] for one in _chosen(survey, item, answers[item.id], lang))
            if answers.get(f"{item.id}.other"):
                yield answers[f"{item.id}.other"]
