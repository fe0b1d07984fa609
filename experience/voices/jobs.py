"""The clock's work with voices."""

from experience.ground.sweep import Job
from experience.voices.operations import read_next

JOBS: tuple[Job, ...] = (Job("voices.read", read_next, every_seconds=2),)
