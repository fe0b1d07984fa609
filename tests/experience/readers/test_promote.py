"""Which model reads: a person promotes past the gate, goes back, and never over somebody else's choice."""

import threading
from datetime import datetime

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from experience.audit.tables import AuditLine
from experience.ground.errors import Conflict, Forbidden, Invalid, NotFound
from experience.ground.store import transaction
from experience.learning import operations as learning
from experience.organisation.permissions import SYSTEM
from experience.readers import queries
from experience.readers.operations import add_candidate, promote, roll_back
from experience.readers.tables import ARTEFACT_LIMIT, ReadingModel
from tests.experience.readers.conftest import twin
from tests.people import House, someone


def worse(version: str, **lost: float) -> tuple[bytes, dict[str, object]]:
    artefact, card = twin(version)
    report = {**card["report"]}
    for name, points in lost.items():
        report[name] = {**report[name], "macro_f1": report[name]["macro_f1"] - points}
    return artefact, {**card, "report": report}


def states(session: Session) -> dict[str, str]:
    return {line.version: line.state for line in queries.versions(session, SYSTEM)}


def test_the_shipped_model_reads_until_another_is_promoted(session: Session, now: datetime) -> None:
    assert queries.current_version(session) == queries.shipped_version()
    add_candidate(session, SYSTEM, *twin("a"), now=now)
    assert states(session) == {"a": "candidate", queries.shipped_version(): "current"}
    promote(session, SYSTEM, "a", now=now)
    assert states(session) == {"a": "current", queries.shipped_version(): "retired"}
    assert queries.current_version(session) == "a"


def test_going_back_leads_to_what_read_before(session: Session, now: datetime) -> None:
    for version in ("a", "b"):
        add_candidate(session, SYSTEM, *twin(version), now=now)
        promote(session, SYSTEM, version, now=now)
    back = roll_back(session, SYSTEM, now=now)
    assert back is not None
    assert (back.version, states(session)["b"]) == ("a", "retired")
    assert roll_back(session, SYSTEM, now=now) is None
    assert queries.current_version(session) == queries.shipped_version()
    with pytest.raises(Conflict, match="没有更早的版本"):
        roll_back(session, SYSTEM, now=now)


def test_the_gate_refuses_what_loses_more_than_half_a_point_and_says_which(session: Session, now: datetime) -> None:
    kept = add_candidate(session, SYSTEM, *worse("bad", topic=0.02), now=now)
    assert (kept.state, "主题宏平均 F1" in kept.reason) == ("refused", True)
    with pytest.raises(Conflict, match=r"没有启用 bad：主题宏平均 F1 由 0\.\d+ 降到 0\.\d+"):
        promote(session, SYSTEM, "bad", now=now)
    assert queries.current_version(session) == queries.shipped_version()
    assert add_candidate(session, SYSTEM, *worse("fair", topic=0.004), now=now).state == "candidate"
    promote(session, SYSTEM, "fair", now=now)


def test_a_forced_promotion_is_on_record(session: Session, now: datetime) -> None:
    add_candidate(session, SYSTEM, *worse("bad", label=0.2), now=now)
    promote(session, SYSTEM, "bad", now=now, is_forced=True)
    session.flush()
    line = session.exec(select(AuditLine).where(AuditLine.act == "models.change")).one()
    assert line.subject_id == "bad"
    assert "情感" in line.detail["forced"][0]


def test_a_choice_made_on_an_old_page_is_refused(session: Session, now: datetime) -> None:
    for version in ("a", "b"):
        add_candidate(session, SYSTEM, *twin(version), now=now)
    promote(session, SYSTEM, "a", now=now, instead_of=queries.shipped_version())
    with pytest.raises(Conflict, match="别人刚刚换了模型") as refused:
        promote(session, SYSTEM, "b", now=now, instead_of=queries.shipped_version())
    assert refused.value.current == {"version": "a"}
    with pytest.raises(Conflict, match="正在使用的就是"):
        promote(session, SYSTEM, "a", now=now)


def test_of_two_at_once_one_wins(own_database: Engine, now: datetime) -> None:
    with transaction(own_database) as session:
        for version in ("a", "b"):
            add_candidate(session, SYSTEM, *twin(version), now=now)
    shipped, refused = queries.shipped_version(), []

    def choose(version: str) -> None:
        try:
            with transaction(own_database) as session:
                promote(session, SYSTEM, version, now=now, instead_of=shipped)
        except Conflict as conflict:
            refused.append(conflict)

    threads = [threading.Thread(target=choose, args=(version,)) for version in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    with transaction(own_database) as session:
        assert sorted(states(session).values()) == ["candidate", "current", "retired"]


def test_a_model_is_kept_once_and_only_when_it_is_whole(session: Session, now: datetime) -> None:
    first, again = (add_candidate(session, SYSTEM, *twin("a"), now=now) for _ in range(2))
    assert first.id == again.id
    assert len(session.exec(select(ReadingModel.id)).all()) == 1
    with pytest.raises(Invalid, match="2 MB"):
        add_candidate(session, SYSTEM, bytes(ARTEFACT_LIMIT + 1), twin("b")[1], now=now)
    with pytest.raises(NotFound):
        promote(session, SYSTEM, "nobody", now=now)


def test_who_sees_and_who_changes(house: House, session: Session, now: datetime) -> None:
    add_candidate(session, house.scope("analyst"), *twin("a"), now=now)
    with pytest.raises(Forbidden):
        promote(session, house.scope("lin"), "a", now=now)
    assert queries.version(session, house.scope("lin"), "a").made_by == "何敏"
    with pytest.raises(Forbidden):
        queries.versions(session, house.scope("zhou"))


def test_what_everybody_reads_with_is_changed_in_the_centre_only(session: Session, now: datetime) -> None:
    provincial = someone("analyst", territories=frozenset({"guangdong"}))
    for change in (
        lambda: promote(session, provincial, "shipped", now=now),
        lambda: roll_back(session, provincial, now=now),
        lambda: learning.train(session, provincial, now=now),
        lambda: learning.reread(session, provincial, now=now),
    ):
        with pytest.raises(Forbidden, match="全集团"):
            change()
