"""Old voices are read again by the model now in use: pausable, and a kill in the middle costs one batch."""

import os
import signal
import subprocess
import sys
from datetime import datetime

import pytest
from sqlalchemy import Engine, func, text
from sqlmodel import Session, select

from experience.ground import sweep
from experience.ground.errors import Conflict
from experience.ground.store import transaction
from experience.learning import queries
from experience.learning.jobs import JOBS
from experience.learning.operations import judge, pause, reread, reread_next, resume, stop
from experience.learning.operations.rereading import BATCH
from experience.organisation.permissions import SYSTEM
from experience.readers.queries import shipped_version
from experience.voices.tables import Reading
from tests.experience.learning.conftest import said
from tests.running import HOUSE

REREAD = next(job for job in JOBS if job.name == "learning.reread")


def by_another(session: Session, now: datetime, count: int) -> list[int]:
    ids = said(session, now, *(f"第{n}次反映信号差，气死了" for n in range(count)))
    session.execute(text("update reading set model = 'older', label = 'positive' where corrected_at is null"))
    session.expire_all()
    return ids


def test_every_old_voice_is_read_again_and_the_changes_are_counted(session: Session, now: datetime) -> None:
    by_another(session, now, 250)
    row = reread(session, SYSTEM, now=now)
    assert (row.total, row.state) == (250, "running")
    assert reread_next(session, now)
    assert (row.reread, row.changed_labels) == (BATCH, BATCH)
    assert reread_next(session, now)
    assert reread_next(session, now)
    assert (row.state, row.reread, row.finished_at) == ("done", 250, now)
    assert not reread_next(session, now)
    assert set(session.exec(select(Reading.model))) == {shipped_version()}


def test_what_a_person_judged_stays(session: Session, now: datetime) -> None:
    (first, *_) = by_another(session, now, 3)
    judge(session, SYSTEM, first, now=now, label="neutral", intent="inquiry")
    reread(session, SYSTEM, now=now)
    assert reread_next(session, now)
    session.expire_all()
    kept = session.get_one(Reading, first)
    assert (kept.label, kept.intent, kept.model) == ("neutral", "inquiry", shipped_version())


def test_it_pauses_goes_on_and_stops(session: Session, now: datetime) -> None:
    by_another(session, now, BATCH + 1)
    reread(session, SYSTEM, now=now)
    with pytest.raises(Conflict):
        reread(session, SYSTEM, now=now)
    pause(session, SYSTEM, now=now)
    assert not reread_next(session, now)
    with pytest.raises(Conflict):
        pause(session, SYSTEM, now=now)
    resume(session, SYSTEM, now=now)
    assert reread_next(session, now)
    stop(session, SYSTEM, now=now)
    assert not reread_next(session, now)
    shown = queries.rereading(session, SYSTEM)
    assert shown is not None
    assert (shown.state, shown.reread) == ("stopped", BATCH)
    assert reread(session, SYSTEM, now=now).total == 1


def test_nothing_is_started_when_all_is_read_by_the_model_in_use(session: Session, now: datetime) -> None:
    said(session, now, "信号太差")
    with pytest.raises(Conflict, match="都已用当前模型"):
        reread(session, SYSTEM, now=now)


#: Reads one batch, then waits inside the next one's transaction to be killed.
_WORKER = """
import sys, time
from datetime import datetime, UTC
from experience.ground import store
from experience.learning.operations import reread_next
engine, now = store.engine(sys.argv[1]), datetime(2026, 11, 23, tzinfo=UTC)
with store.transaction(engine) as session:
    reread_next(session, now)
with store.transaction(engine) as session:
    reread_next(session, now)
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_kill_in_the_middle_loses_one_batch_which_is_read_again(own_database: Engine, now: datetime) -> None:
    with transaction(own_database) as session:
        by_another(session, now, 3 * BATCH)
        reread(session, SYSTEM, now=now)
    url = own_database.url.render_as_string(hide_password=False)
    worker = subprocess.Popen([sys.executable, "-c", _WORKER, url], cwd=HOUSE, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"held\n"
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate()
    with transaction(own_database) as session:
        shown = queries.rereading(session, SYSTEM)
        assert shown is not None
        assert (shown.state, shown.reread) == ("running", BATCH)
    sweep.run(own_database, REREAD, now)
    with transaction(own_database) as session:
        shown = queries.rereading(session, SYSTEM)
        assert shown is not None
        assert (shown.state, shown.reread, shown.changed_labels) == ("done", 3 * BATCH, 3 * BATCH)
        left = select(func.count()).select_from(Reading).where(Reading.model == "older")
        assert session.exec(left).one() == 0
