"""What is done with events: taken in, moved into the database, watched, answered with a question."""

from probes.operations.draining import drain_next
from probes.operations.ingesting import Taken, ingest
from probes.operations.judging import dismiss, make_issue
from probes.operations.simulating import simulate
from probes.operations.triggering import edit, fire
from probes.operations.watching import watch_next

__all__ = ["Taken", "dismiss", "drain_next", "edit", "fire", "ingest", "make_issue", "simulate", "watch_next"]
