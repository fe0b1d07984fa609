"""Sentences for users: written in Chinese where they are raised, put into the reader's language at the door."""

from typing import Any


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
