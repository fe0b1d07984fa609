"""Issues and orders in every state: what is over and done, what is late, and what waits on somebody's desk now."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine, func
from sqlmodel import select

from experience.demo import operator, rhythm
from experience.demo.cases import Case, Docket
from experience.demo.past import Past
from experience.demo.plots import Life, Turn, merged, shared, single
from experience.demo.theatre import Theatre
from experience.ground import sweep
from experience.ground.store import transaction
from experience.issues.operations import triage_next
from experience.issues.tables import Issue
from experience.orders.operations import measure_effect
from experience.orders.tables import WorkOrder

_SHARES = {code: share for code, _, share in operator.PROVINCES}
_TYPES = {"complaint": 0.45, "experience": 0.42, "suggestion": 0.08, "major": 0.05}
_ENDED = 52
_DAYS = 80


def _on(*turns: str) -> frozenset[str]:
    return frozenset(turns)


#: What happens on the way of an order that is over, and how often in a hundred; the rest go straight.
_WAYS: tuple[tuple[frozenset[str], int], ...] = (
    (_on(), 40), (_on("reject"), 12), (_on("late"), 11), (_on("return"), 7), (_on("return_refused"), 4), (_on("suspend"), 6),
    (_on("extend"), 6), (_on("extend", "extend_refused"), 3), (_on("urge"), 5), (_on("reopen"), 3), (_on("followup_no"), 3),
    (_on("internal_reject"), 3), (_on("cancel"), 3), (_on("late", "supervise"), 2),
)  # fmt: skip
#: What is open now: unit ('' by chance), hours since dispatch, how it goes. 48 hours are a complaint's time.
_OPEN: tuple[tuple[str, float, Turn], ...] = (
    ("guangdong", 0.7, Turn("dispatched", "complaint")),
    ("guangdong", 1.2, Turn("dispatched", "experience")),
    ("guangdong", 46.0, Turn("processing", "complaint")),
    ("guangdong", 47.4, Turn("processing", "complaint", _on("urge"))),
    ("guangdong", 55.0, Turn("processing", "complaint")),
    ("guangdong", 20.0, Turn("processing", "complaint", _on("child_works"), "network")),
    ("guangdong", 9.0, Turn("processing", "experience", _on("child_waits"), "network")),
    ("guangdong", 30.0, Turn("processing", "complaint", _on("child_answers"), "network")),
    ("guangdong", 26.0, Turn("processing", "complaint", _on("child_works"), "service")),
    ("guangdong", 22.0, Turn("internal_review", "complaint")),
    ("guangdong", 28.0, Turn("submitted", "complaint")),
    ("guangdong", 60.0, Turn("suspended", "complaint", _on("suspend"))),
    ("guangdong", 40.0, Turn("callback", "complaint")),
    ("guangdong", 30.0, Turn("processing", "experience", _on("extend", "extend_open"))),
    ("hunan", 1.0, Turn("dispatched", "complaint")),
    ("hunan", 62.0, Turn("processing", "complaint")),
    ("hunan", 24.0, Turn("internal_review", "complaint")),
    ("hunan", 18.0, Turn("processing", "complaint", _on("child_works"), "network")),
    ("sichuan", 30.0, Turn("submitted", "complaint")),
    ("sichuan", 75.0, Turn("processing", "complaint", _on("supervise"))),
    ("zhejiang", 46.3, Turn("processing", "complaint")),
    ("zhejiang", 50.0, Turn("submitted", "complaint", _on("reject"))),
    ("video", 12.0, Turn("processing", "experience", to="video")),
    ("video", 0.9, Turn("dispatched", "suggestion", to="video")),
    ("online", 50.0, Turn("processing", "complaint", to="online")),
    ("music", 30.0, Turn("submitted", "experience", to="music")),
    ("", 6.0, Turn("returned", "complaint", _on("return"))),
    ("", 8.0, Turn("returned", "experience", _on("return"))),
    ("", 90.0, Turn("processing", "suggestion")),
    ("", 70.0, Turn("processing", "complaint")),
    ("", 25.0, Turn("processing", "major")),
    ("", 45.6, Turn("processing", "complaint")),
    ("", 33.0, Turn("callback", "complaint")),
    ("", 36.0, Turn("callback", "experience")),
    ("", 20.0, Turn("submitted", "complaint")),
    ("", 44.0, Turn("suspended", "experience", _on("suspend"))),
    ("", 15.0, Turn("processing", "complaint")),
    ("", 110.0, Turn("processing", "experience")),
)  # fmt: skip


def fill(engine: Engine, past: Past) -> int:
    """Raises, dispatches, works and ends the orders of the last 80 days; returns how many there are."""
    with transaction(engine) as session:
        theatre, chance = Theatre(session, past), past.chance("orders")
        planner = _Planner(theatre, chance)
        planner.incidents()
        planner.open()
        planner.shared()
        planner.ended(past.count(_ENDED, least=14))
        theatre.play()
        return session.exec(select(func.count()).select_from(WorkOrder)).one()


def triage(engine: Engine, past: Past) -> int:
    """What the clock makes of the voices of the last days; returns how many issues wait for a person."""
    sweep.run(engine, sweep.Job("issues.triage", triage_next, 1), past.now)
    with transaction(engine) as session:
        return session.exec(select(func.count()).where(Issue.state == "candidate")).one()


def measure(engine: Engine, past: Past) -> int:
    """What became of the figures since; returns how many effects could be measured by now."""
    return sweep.run(engine, sweep.Job("orders.effect", measure_effect, 1), past.now)


class _Planner:
    """Puts the plots on the stage, the ones that must find their evidence first."""

    def __init__(self, theatre: Theatre, chance: random.Random) -> None:
        self.theatre, self.chance, self.now = theatre, chance, theatre.past.now
        self.docket = Docket(theatre.session, chance)

    def _life(self, at: datetime, case: Case, turn: Turn) -> Life:
        return Life(self.theatre, self.chance, case, turn, at)

    def incidents(self) -> None:
        """The three planted troubles: one still being mended, two mended and measured."""
        recharge, plan, broadband = (self.now - one.began for one in rhythm.INCIDENTS)
        fresh = self.docket.case(
            recharge + timedelta(hours=20),
            province="guangdong",
            touchpoint="web.recharge",
            topic="billing",
            says="没到账",
        )
        turn = Turn("processing", "experience", _on("urge", "child_works"), "it")
        at = rhythm.on_shift(recharge + timedelta(hours=4))
        self._begin(single(self._life(at, fresh, turn)), at)
        at = rhythm.on_shift(plan + timedelta(hours=9))
        everywhere = self.docket.case(
            plan + timedelta(days=3), touchpoint="app.plan_change", topic="plan", says="一直报错"
        )
        wide = _without_place(everywhere, "App 套餐变更确认后报错，是否成功说不清")
        self._begin(single(self._life(at, wide, Turn(type="major", to="online"))), at)
        at = rhythm.on_shift(broadband + timedelta(days=2))
        slots = self.docket.case(
            broadband + timedelta(days=7), touchpoint="web.broadband", topic="broadband", says="可约时段"
        )
        told = _without_place(slots, "四川、重庆网厅宽带预约时段为空，无法下单")
        self._begin(
            shared(self._life(at, told, Turn(type="experience")), ("sichuan", "chongqing"), ("archived",) * 2), at
        )

    def open(self) -> None:
        """What waits now."""
        for unit, age, turn in _OPEN:
            at = rhythm.on_shift(self.now - timedelta(hours=age, minutes=30))
            case = self.docket.case(at, province=unit if unit in _SHARES else "", topic=self._topic(turn))
            life = self._life(at, case, turn)
            self._begin(single(life), at)
            if turn.department == "service":
                self._again(life, at)

    def _again(self, life: Life, at: datetime) -> None:
        """The same trouble is told twice; the second order is merged into the first."""
        at = max(rhythm.on_shift(at + timedelta(hours=2)), at)
        case = self.docket.case(at, province=life.case.province, topic=life.case.topic, says=life.case.says)
        self._begin(merged(self._life(at, case, Turn(type=life.turn.type)), life), at)

    def shared(self) -> None:
        """Main orders over several units, one over and one under way."""
        for days, units, ends in (
            (33, ("jiangsu", "anhui", "henan"), ("archived",) * 3),
            (1.2, ("guangdong", "hunan", "hubei", "jiangxi"), ("processing", "submitted", "dispatched", "archived")),
        ):
            ago = rhythm.on_shift(self.now - timedelta(days=days))
            at = self._at(days) if days > 2 else ago  # noqa: PLR2004 - else it is next week
            case = _without_place(
                self.docket.case(at, topic="mobile_network", touchpoint="network.mobile", says="刷个视频"),
                "多省反映晚高峰 5G 网速慢",
            )
            self._begin(shared(self._life(at, case, Turn(type="experience")), units, ends), at)

    def ended(self, number: int) -> None:
        """What is over, spread over the days, with a merged pair now and then."""
        for turn in self._turns(number):
            at = self._at(self.chance.uniform(4, _DAYS))
            case = self.docket.case(at, topic=self._topic(turn))
            life = self._life(at, case, turn)
            self._begin(single(life), at)
            if self.chance.random() < 0.05:  # noqa: PLR2004 - one in twenty is told twice
                self._again(life, at)

    def _topic(self, turn: Turn) -> str:
        """What a base can mend, and what a province returns because a base must; '' for anything."""
        if turn.to in ("video", "music"):
            return "value_added"
        return self.chance.choice(("app", "billing", "plan")) if turn.to or "return" in turn.on_the_way else ""

    def _turns(self, number: int) -> Iterator[Turn]:
        more = [way for way, weight in _WAYS for _ in range(round(weight * number / 100) - 1)]
        self.chance.shuffle(more)
        ways = [way for way, _ in _WAYS] + more[: max(number - len(_WAYS), 0)]  # every way is gone once at least
        self.chance.shuffle(ways)
        for way in ways:
            kind = self.chance.choices(list(_TYPES), list(_TYPES.values()))[0]
            department = (
                self.chance.choice(("network", "service", "it", "market")) if self.chance.random() < 0.3 else ""
            )  # noqa: PLR2004
            yield Turn(type=kind, on_the_way=way, department="" if "return" in way else department)

    def _at(self, days: float) -> datetime:
        """A working moment so many days ago."""
        self.theatre.now = self.now - timedelta(days=days)
        return self.theatre.working(self.chance.uniform(0.2, 3))

    def _begin(self, plot: object, at: datetime) -> None:
        self.theatre.begin(plot, at)  # type: ignore[arg-type]


def _without_place(case: Case, title: str) -> Case:
    return replace(case, province="", title=title)
