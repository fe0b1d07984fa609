"""What is done in learning: judge readings, fill the queue, train, read old voices again."""

from experience.learning.operations.judging import judge, note_score, take_back
from experience.learning.operations.queueing import fill_next
from experience.learning.operations.rereading import pause, reread, reread_next, resume, stop
from experience.learning.operations.schooling import train_next
from experience.learning.operations.training import train

__all__ = [
    "fill_next",
    "judge",
    "note_score",
    "pause",
    "reread",
    "reread_next",
    "resume",
    "stop",
    "take_back",
    "train",
    "train_next",
]
