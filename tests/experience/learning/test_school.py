"""What a person puts right is learnt: correct, train, promote, and the same sentence is read right from then on."""

import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from analysis import labelled
from analysis.schooling import Verdict, Work, without_gold
from experience.ground import sweep
from experience.ground.errors import Conflict
from experience.ground.store import transaction
from experience.learning import queries
from experience.learning.jobs import JOBS
from experience.learning.operations import judge, note_score, train
from experience.learning.operations.schooling import MOST_ATTEMPTS, gathered
from experience.learning.tables import TrainingRun
from experience.organisation.permissions import SYSTEM
from experience.readers import queries as readers
from experience.readers.operations import promote, roll_back
from experience.voices.tables import Reading
from tests.conftest import NOW
from tests.experience.learning.conftest import said

#: The shipped model takes it for a complaint.
PRAISE = "怕又是坑，提心吊胆看完账单，白担心一场"
#: More of the kind, the other way round: what sounds kind and is not.
OTHERS = ("客服小姐姐声音真甜，就是问题没解决", "等了两个小时师傅才来", "信号还行吧")
TRAIN = next(job for job in JOBS if job.name == "learning.train")


def label_of(session: Session, voice_id: int) -> tuple[str, str]:
    found = session.exec(select(Reading).where(Reading.voice_id == voice_id)).one()
    return found.label, found.intent


@pytest.fixture(scope="module")
def trained(engine: Engine) -> str:
    """The version trained after one sentence was put right and others were confirmed."""
    with transaction(engine) as session:
        ids = said(session, NOW, PRAISE, *OTHERS)
        assert label_of(session, ids[0]) == ("negative", "complaint")
        judge(session, SYSTEM, ids[0], now=NOW, label="positive", topic="billing", intent="praise")
        for id in ids[1:]:
            judge(session, SYSTEM, id, now=NOW)
        note_score(session, said(session, NOW, "客服很耐心，一下就办好了"), "nps", 10)
        train(session, SYSTEM, now=NOW)
    assert sweep.run(engine, TRAIN, NOW) == 1
    with transaction(engine) as session:
        run = queries.runs(session, SYSTEM)[0]
        assert (run.state, run.failure, run.percent) == ("done", "", 100)
        assert readers.version(session, SYSTEM, run.version).state == "candidate"
        return run.version


def test_the_same_sentence_is_read_right_after_the_promotion(engine: Engine, trained: str) -> None:
    with transaction(engine) as session:
        before = said(session, NOW, PRAISE)[0]
        assert label_of(session, before) == ("negative", "complaint")
        promote(session, SYSTEM, trained, now=NOW)
    with transaction(engine) as session:
        after = said(session, NOW, PRAISE)[0]
        assert label_of(session, after) == ("positive", "praise")
        assert session.get_one(Reading, after).model == trained
        assert session.get_one(Reading, before).model == readers.shipped_version()
    with transaction(engine) as session:
        roll_back(session, SYSTEM, now=NOW)
        assert label_of(session, said(session, NOW, PRAISE)[0]) == ("negative", "complaint")


def test_the_card_tells_what_the_model_page_shows(engine: Engine, trained: str) -> None:
    with transaction(engine) as session:
        shown = readers.version(session, SYSTEM, trained)
    card = shown.card
    assert card["counts"] == {"verdicts": 4, "held": card["counts"]["held"], "weak": 1, "unlabelled": 1}
    assert card["learnt"] == 4
    assert set(card["engines"]) == {"model", "snownlp", "bayes"}
    assert card["engines"]["model"]["accuracy"] > card["engines"]["snownlp"]["accuracy"]
    assert card["report"]["calibration"]["all"]["bins"]
    assert sum(sum(row.values()) for row in card["report"]["confusion"].values()) == card["report"]["label"]["n"]


def test_only_one_training_waits_at_a_time(session: Session, now: datetime) -> None:
    train(session, SYSTEM, now=now)
    with pytest.raises(Conflict, match="已有一次训练"):
        train(session, SYSTEM, now=now)


def test_a_training_whose_worker_was_killed_is_taken_up_until_it_has_failed_often(engine: Engine) -> None:
    lost = NOW + timedelta(hours=1)
    with transaction(engine) as session:
        run = train(session, SYSTEM, now=NOW)
        run.state, run.lease_until, run.attempts = "running", lost, MOST_ATTEMPTS
        session.add(run)
    assert sweep.run(engine, TRAIN, lost) == 0
    assert sweep.run(engine, TRAIN, lost + timedelta(seconds=1)) == 1
    with transaction(engine) as session:
        ended = session.exec(select(TrainingRun).order_by(TrainingRun.id.desc())).first()  # type: ignore[union-attr]
        assert ended is not None
        assert (ended.state, ended.finished_at is not None) == ("failed", True)
        assert "中断" in ended.failure


def test_survey_scores_teach_at_their_sure_ends_only(session: Session, now: datetime) -> None:
    ids = said(session, now, "还可以", "很好", "太差了")
    for id, score in zip(ids, (3, 5, 1), strict=True):
        note_score(session, [id], "csat", score)
    assert sorted(gathered(session, now).weak) == [("太差了", -1), ("很好", 1)]


def test_the_gold_set_is_never_learnt_from() -> None:
    gold = labelled.voices(labelled.GOLD)[0]
    work = Work("2026-11-23", [Verdict(gold.text, "positive")], weak=[(gold.text, 1)], unlabelled=[gold.text, "好"])
    left = without_gold(work)
    assert (list(left.verdicts), list(left.weak), list(left.unlabelled)) == ([], [], ["好"])


def test_a_training_ends_with_the_process_that_started_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "analysis.schooling", "/nowhere"], stdin=subprocess.DEVNULL, capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
