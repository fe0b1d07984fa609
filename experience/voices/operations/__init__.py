"""What is done with voices: hear, read, correct, moderate, vote, unmask, withdraw."""

from experience.voices.intake import VoiceIn
from experience.voices.operations.board import follow_issue, moderate, vote, withdraw
from experience.voices.operations.counting import count_next
from experience.voices.operations.hearing import hear, hear_many, mark_triaged, unlike, unmask
from experience.voices.operations.reading import confirm, correct, hold, read_next, read_now, uncorrect
from experience.voices.operations.uploading import upload

__all__ = [
    "VoiceIn",
    "confirm",
    "correct",
    "count_next",
    "follow_issue",
    "hear",
    "hear_many",
    "hold",
    "mark_triaged",
    "moderate",
    "read_next",
    "read_now",
    "uncorrect",
    "unlike",
    "unmask",
    "upload",
    "vote",
    "withdraw",
]
