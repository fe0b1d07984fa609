"""Ask for a training; the clock does it, one at a time."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from experience.audit.operations import record
from experience.ground.errors import Conflict
from experience.ground.i18n import say
from experience.learning.tables import TrainingRun
from experience.organisation.permissions import Scope


def train(session: Session, scope: Scope, *, now: datetime) -> TrainingRun:
    """A training that waits for the clock. Raises Conflict while another waits or runs."""
    scope.demand_everywhere("models.change")
    row = {
        "state": "waiting", "asked_at": now, "started_by_id": scope.user_id, "attempts": 0, "percent": 0,
        "progress": "", "failure": "", "version": "",
    }  # fmt: skip
    made = session.execute(insert(TrainingRun).values(row).on_conflict_do_nothing().returning(col(TrainingRun.id)))
    run_id = made.scalar()
    if run_id is None:
        raise Conflict(say("已有一次训练在进行，请等它完成。"))
    record(session, scope, "models.train", ("training_run", run_id), now=now)
    return session.exec(select(TrainingRun).where(TrainingRun.id == run_id)).one()
