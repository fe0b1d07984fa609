"""The switch reaches every process with its commit: the next batch is read by the new model, whole."""

import subprocess
import sys
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from analysis import segment
from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM
from experience.readers import queries
from experience.readers.operations import add_candidate, bump, promote, roll_back, use_current
from experience.readers.tables import OperatorWord
from tests.experience.readers.conftest import twin
from tests.running import HOUSE

#: For every line on stdin: reads a batch in a process of its own and prints the models it was read with.
_READER = """
import sys
from datetime import datetime, UTC
from experience.ground import store
from experience.organisation.permissions import SYSTEM
from experience.voices.intake import VoiceIn
from experience.voices.operations import hear, read_now
engine, now = store.engine(sys.argv[1]), datetime(2026, 11, 23, tzinfo=UTC)
for line in sys.stdin:
    with store.transaction(engine) as session:
        heard = [hear(session, SYSTEM, VoiceIn(f"信号差 {line} {n}", "app"), now=now) for n in range(5)]
        print(*sorted({reading.model for reading in read_now(session, heard, now=now)}), flush=True)
"""


class Reader:
    """A process that reads a batch when asked."""

    def __init__(self, engine: Engine) -> None:
        url = engine.url.render_as_string(hide_password=False)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _READER, url], cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def reads_with(self) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def test_two_processes_follow_each_promotion_with_their_next_batch(own_database: Engine, now: datetime) -> None:
    readers = [Reader(own_database) for _ in range(2)]
    try:
        shipped = queries.shipped_version()
        assert [reader.reads_with() for reader in readers] == [shipped, shipped]
        with transaction(own_database) as session:
            for version in ("a", "b"):
                add_candidate(session, SYSTEM, *twin(version), now=now)
            promote(session, SYSTEM, "a", now=now)
            assert [reader.reads_with() for reader in readers] == [shipped, shipped]  # not before the commit
        assert [reader.reads_with() for reader in readers] == ["a", "a"]
        with transaction(own_database) as session:
            promote(session, SYSTEM, "b", now=now)
        assert [reader.reads_with() for reader in readers] == ["b", "b"]
        with transaction(own_database) as session:
            roll_back(session, SYSTEM, now=now)
        assert [reader.reads_with() for reader in readers] == ["a", "a"]
    finally:
        for reader in readers:
            reader.process.kill()
            reader.process.communicate()


def test_a_promotion_undone_is_not_read_with(own_database: Engine, now: datetime) -> None:
    with transaction(own_database) as session:
        for version in ("a", "b"):
            add_candidate(session, SYSTEM, *twin(version), now=now)
    with Session(own_database) as session:
        promote(session, SYSTEM, "a", now=now)
        assert use_current(session).version == "a"
        session.rollback()
    with transaction(own_database) as session:
        assert use_current(session).version == queries.shipped_version()
        promote(session, SYSTEM, "b", now=now)
    with transaction(own_database) as session:
        assert use_current(session).version == "b"


def test_words_come_and_go_without_a_restart(session: Session, now: datetime) -> None:
    text = "咪咕视界会员怎么退"
    assert "咪咕视界" not in segment.tokens(text)
    word = OperatorWord(word="咪咕视界", added_at=now)
    session.add(word)
    session.flush()
    bump(session)
    use_current(session)
    assert "咪咕视界" in segment.tokens(text)
    session.delete(word)
    session.flush()
    bump(session)
    use_current(session)
    assert "咪咕视界" not in segment.tokens(text)


def test_nothing_is_loaded_again_while_nothing_moved(session: Session, now: datetime) -> None:
    add_candidate(session, SYSTEM, *twin("a"), now=now)
    promote(session, SYSTEM, "a", now=now)
    first = use_current(session)
    assert use_current(session) is first
    bump(session)
    assert use_current(session) is first  # the words moved, the model did not


def test_a_model_that_does_not_fit_this_code_is_passed_over(session: Session, now: datetime) -> None:
    artefact, card = twin("a")
    add_candidate(session, SYSTEM, artefact, {**card, "heads": ["other"]}, now=now)
    promote(session, SYSTEM, "a", now=now)
    assert use_current(session).version == queries.shipped_version()
