"""The clock's work with issues."""

from experience.ground.sweep import Job
from experience.issues.operations import triage_next, word_next

JOBS: tuple[Job, ...] = (
    Job("issues.triage", triage_next, every_seconds=5),
    Job("issues.words", word_next, every_seconds=20),
)
