"""What is done with voices: hear, read, correct, moderate, vote, unmask, withdraw."""

from experience.voices.intake import VoiceIn
from experience.voices.operations.board import follow_issue, moderate, vote, withdraw
from experience.voices.operations.hearing import hear, hear_many, mark_triaged, unmask
from experience.voices.operations.reading import correct, read_next, read_now

__all__ = [
    "VoiceIn",
    "correct",
    "follow_issue",
    "hear",
    "hear_many",
    "mark_triaged",
    "moderate",
    "read_next",
    "read_now",
    "unmask",
    "vote",
    "withdraw",
]
