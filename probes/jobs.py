"""What the clock does for probes: move events into the database, watch the indicators, keep the house tidy."""

from experience.ground.sweep import Job
from probes.operations import drain_next, watch_next
from probes.operations.tidying import tidy_next

JOBS: tuple[Job, ...] = (
    Job("probes.drain", drain_next, every_seconds=1),
    Job("probes.watch", watch_next, every_seconds=20),
    Job("probes.tidy", tidy_next, every_seconds=3600),
)
