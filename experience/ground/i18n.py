"""Sentences for users: written in Chinese where they are raised, put into the reader's language at the door."""

import re
from typing import Any

_SEAM = re.compile(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]")


class Sentence(str):
    """A Chinese sentence that remembers its template and its parameters, so that a door can translate it."""

    __slots__ = ("params", "template")
    template: str
    params: dict[str, Any]

    def __new__(cls, template: str, **params: Any) -> "Sentence":
        made = super().__new__(cls, template % params if params else template)
        made.template = template
        made.params = params
        return made


def say(template: str, **params: Any) -> Sentence:
    """The Chinese sentence for the user; `%(name)s` places are filled from params."""
    return Sentence(template, **params)


def spaced(*parts: str) -> str:
    """Names one after the other, a space where Chinese and Latin meet: 广东 and App充值 make 广东 App充值."""
    said = ""
    for part in parts:
        said += f" {part}" if _SEAM.fullmatch(said[-1:] + part[:1]) else part
    return said
