"""The clock table of `experience`: every room's jobs, in the order in which one's row is the next one's work."""

from experience.ground.sweep import Job
from experience.issues.jobs import JOBS as ISSUES
from experience.orders.jobs import JOBS as ORDERS
from experience.voices.jobs import JOBS as VOICES

JOBS: tuple[Job, ...] = (*VOICES, *ISSUES, *ORDERS)  # register here
