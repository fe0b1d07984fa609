"""The clock's work of discovery: asking every night and week, and looking."""

from datetime import datetime

from sqlmodel import Session

from experience.discovery.operations import ask_nightly, look_next
from experience.discovery.operations.looking import JOB
from experience.discovery.rules import BEIJING
from experience.ground.sweep import Job

#: The clock looks after the night's imports, in Beijing's hours.
_FROM_HOUR = 2


def ask(session: Session, now: datetime) -> bool:
    """Asks for this night's looks; whether there were any to ask for."""
    return now.astimezone(BEIJING).hour >= _FROM_HOUR and ask_nightly(session, now=now) > 0


JOBS: tuple[Job, ...] = (
    Job("discovery.ask", ask, every_seconds=600),
    Job(JOB, look_next, every_seconds=5, limit=50),
)
