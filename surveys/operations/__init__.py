"""What is done with surveys: edit, publish, offer, show, answer, ask again."""

from surveys.operations.answering import KeyReused, SubmitIn, Submitted, submit
from surveys.operations.asking import Offered, OfferIn, Refused, current, dismiss, explain, offer, release_next, shown
from surveys.operations.editing import create, edit, move, publish

__all__ = [
    "KeyReused",
    "OfferIn",
    "Offered",
    "Refused",
    "SubmitIn",
    "Submitted",
    "create",
    "current",
    "dismiss",
    "edit",
    "explain",
    "move",
    "offer",
    "publish",
    "release_next",
    "shown",
    "submit",
]
