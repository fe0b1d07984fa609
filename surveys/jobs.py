"""What the clock does for surveys: invite whom orders want asked again, give back what was not displayed."""

from experience.ground.sweep import Job
from surveys.operations.asking import release_next
from surveys.operations.counting import count_next
from surveys.operations.following import expire_next, invite_next

JOBS: tuple[Job, ...] = (
    Job("surveys.invite", invite_next, every_seconds=5),
    Job("surveys.release", release_next, every_seconds=10),
    Job("surveys.count", count_next, every_seconds=300),
    Job("surveys.expire", expire_next, every_seconds=600),
)
