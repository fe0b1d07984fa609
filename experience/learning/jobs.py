"""The clock's work in learning: keep the queue filled, train, read old voices again."""

from experience.ground.sweep import Job
from experience.learning.operations import fill_next, reread_next, train_next

JOBS: tuple[Job, ...] = (
    Job("learning.queue", fill_next, every_seconds=30),
    Job("learning.train", train_next, every_seconds=3),
    Job("learning.reread", reread_next, every_seconds=2, limit=50),
)
