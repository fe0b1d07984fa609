"""Many notices of one kind are told once, and none is lost."""

from datetime import UTC, datetime, timedelta

from experience.notices.tables import Notice
from experience.orders import escalation
from experience.web.notices import runs

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


def notice(minutes: int, sentence: str, *, is_read: bool = False) -> Notice:
    at = NOON - timedelta(minutes=minutes)
    return Notice(id=1000 - minutes, dedupe=f"n{minutes}", user_id=1, at=at, topic="voices", sentence=sentence,
                  read_at=NOON if is_read else None)  # fmt: skip


def test_three_of_a_kind_on_a_day_stand_together_at_the_newest() -> None:
    heard = [notice(n, "新的负面原声") for n in (1, 3, 5)]
    late = [notice(n, "工单已超时") for n in (2, 4)]
    found = runs(sorted(heard + late, key=lambda one: one.at, reverse=True))
    assert found == [heard, [late[0]], [late[1]]]


def test_read_ones_and_other_days_stay_apart() -> None:
    kept = [notice(1, "催办"), notice(2, "催办"), notice(3, "催办", is_read=True), notice(1500, "催办")]
    assert runs(kept) == [[one] for one in kept]


def test_a_rung_of_the_ladder_is_told_apart_from_its_clock() -> None:
    for kind, name in escalation.CLOCK_NAMES.items():
        for level in escalation.LADDER:
            rung, clock = escalation.apart(escalation.sentence(kind, level))
            assert clock == name
            assert "%(clock)s" in rung
    assert escalation.apart("催办：工单 %(code)s %(title)s") == ("", "")
