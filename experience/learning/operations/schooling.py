"""The clock's side of a training: gather, let a process of its own do the work, keep the candidate.

The run is claimed with a lease in a transaction of its own, so that pages see how far it is and a worker killed in the
middle only costs the time until the lease ends.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, or_, update
from sqlmodel import Session, col, select

from analysis.schooling import Verdict, Work
from experience.ground.i18n import say
from experience.ground.store import transaction
from experience.learning.lessons import is_held
from experience.learning.tables import Correction, TrainingRun, VoiceScore
from experience.organisation.permissions import SYSTEM
from experience.readers.operations import add_candidate
from experience.readers.queries import current_report
from experience.readers.tables import OperatorWord, ReadingModel, TopicTerm
from experience.voices.tables import Reading, Voice

LEASE = timedelta(seconds=60)
#: Taken up so often after its worker was killed; then it has failed.
MOST_ATTEMPTS = 3
#: The newest so many of each kind are learnt from.
MOST_VERDICTS, MOST_WEAK, MOST_UNLABELLED = 5_000, 1_000, 1_000
_LOOK_SECONDS = 1.0


def train_next(session: Session, now: datetime) -> bool:
    """Does the training that waits, to its end; whether there was one."""
    engine = session.get_bind().engine
    run_id = _claim(engine, now)
    if run_id is None:
        return False
    run = session.get_one(TrainingRun, run_id)
    session.expunge(run)
    if run.attempts > MOST_ATTEMPTS:
        _end(session, run_id, now, failure=say("训练进程多次中断，请检查内存后重试。"))
        return True
    with tempfile.TemporaryDirectory(prefix="huisheng-train-") as folder:
        work = gathered(session, now)
        (Path(folder) / "work.json").write_text(json.dumps(work.document(), ensure_ascii=False), encoding="utf-8")
        failure = _wait(engine, run_id, Path(folder), now)
        if failure:
            _end(session, run_id, now, failure=failure)
        else:
            _keep(session, run, Path(folder), now)
    return True


def gathered(session: Session, now: datetime) -> Work:
    """All there is to learn from: verdicts, survey scores at their sure ends, and read voices nobody judged."""
    judged = select(Correction, Voice.masked).join(Voice, col(Voice.id) == col(Correction.voice_id))
    verdicts = [
        Verdict(text, one.label, one.topic, one.intent, is_held(one.voice_id))
        for one, text in session.exec(judged.order_by(col(Correction.id).desc()).limit(MOST_VERDICTS))
    ]
    scored = select(Voice.masked, VoiceScore.side).join(VoiceScore, col(VoiceScore.voice_id) == col(Voice.id))
    weak = scored.where(VoiceScore.side != 0).order_by(col(Voice.id).desc()).limit(MOST_WEAK)
    plain = select(Voice.masked).join(Reading).where(col(Reading.corrected_at).is_(None))
    unlabelled = session.exec(plain.order_by(col(Voice.id).desc()).limit(MOST_UNLABELLED))
    return Work(
        on=now.date().isoformat(),
        verdicts=verdicts,
        weak=[(text, side) for text, side in session.exec(weak)],
        unlabelled=list(dict.fromkeys(unlabelled)),
        against=current_report(session).document(),
        words=list(session.exec(select(OperatorWord.word).order_by(OperatorWord.word))),
        terms=list(session.exec(select(TopicTerm.term, TopicTerm.code, TopicTerm.detail).order_by(TopicTerm.term))),
    )


def _claim(engine: Engine, now: datetime) -> int | None:
    """The run that waits, or whose worker was lost; its lease is taken and committed."""
    with transaction(engine) as short:
        is_lost = (col(TrainingRun.state) == "running") & (col(TrainingRun.lease_until) < now)
        waiting = select(TrainingRun).where(or_(col(TrainingRun.state) == "waiting", is_lost))
        run = short.exec(waiting.limit(1).with_for_update(skip_locked=True)).first()
        if run is None:
            return None
        run.state, run.lease_until, run.attempts = "running", now + LEASE, run.attempts + 1
        run.percent, run.progress = 0, ""
        short.add(run)
        return run.id


def _wait(engine: Engine, run_id: int, folder: Path, now: datetime) -> str:
    """Lets the work be done in a process of its own, renewing the lease; why it failed, or ""."""
    began = time.monotonic()
    told, complaint = folder / "progress", folder / "complaint"
    with told.open("wb") as out, complaint.open("wb") as err:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "analysis.schooling", str(folder)], stdin=subprocess.PIPE, stdout=out, stderr=err
        )
        try:
            while process.poll() is None:
                _note(engine, run_id, told, now + timedelta(seconds=time.monotonic() - began))
                _pause(process)
        finally:
            process.kill()
            process.communicate()
    if process.returncode:
        if "No module named 's" in complaint.read_text(encoding="utf-8", errors="replace"):  # sklearn or scipy
            return say("服务器没有安装 scikit-learn，不能训练：请安装 huisheng[train] 后再试。")
        last = complaint.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        return say("训练没有完成：%(reason)s", reason=(last or [f"exit {process.returncode}"])[0][:300])
    return ""


def _pause(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return


def _note(engine: Engine, run_id: int, told: Path, at: datetime) -> None:
    """How far it is, for everybody to see."""
    lines = [line for line in told.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    stage = json.loads(lines[-1]) if lines else {"stage": "", "percent": 0}
    with transaction(engine) as short:
        noted = update(TrainingRun).where(col(TrainingRun.id) == run_id)
        short.execute(noted.values(progress=stage["stage"], percent=stage["percent"], lease_until=at + LEASE))


def _keep(session: Session, run: TrainingRun, folder: Path, now: datetime) -> ReadingModel:
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    maker = replace(SYSTEM, user_id=run.started_by_id)
    kept = add_candidate(session, maker, (folder / "model.npz").read_bytes(), card, now=now)
    _end(session, run.id or 0, now, version=kept.version)
    return kept


def _end(session: Session, run_id: int, now: datetime, *, failure: str = "", version: str = "") -> None:
    ended = update(TrainingRun).where(col(TrainingRun.id) == run_id)
    state = {"state": "failed"} if failure else {"state": "done", "percent": 100, "progress": "done"}
    session.execute(ended.values(finished_at=now, lease_until=None, failure=failure, version=version, **state))
