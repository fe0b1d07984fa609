"""How orders go: accepted or not, split, returned, paused, late, sent back, reopened; each plot is one order's life."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from experience.demo.cases import Case
from experience.demo.theatre import Plot, Theatre, approver, coordinator, handler, hours
from experience.issues.operations import IssueIn, change, raise_issue
from experience.orders import operations
from experience.orders.lifecycle import FINAL
from experience.orders.operations import DispatchIn

_REJECTED = (
    "只说了结果，没有说明原因和整改措施，请补充。",
    "未联系用户就回单，请联系后附通话结论。",
    "影响范围没有核清，请补充用户数和处理清单。",
)
_RETURNED = (
    "核查后属线上营销服务基地的页面问题，建议转派。",
    "用户归属地为外省，本省没有受理记录。",
    "责任在增值业务提供方，建议转相应基地。",
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One way an order can go: its type, the state it is left in, and what happens on the way."""

    until: str = "archived"
    type: str = "experience"
    on_the_way: frozenset[str] = frozenset()
    department: str = ""
    to: str = ""  # the unit, when it is not the province of the case


@dataclass
class Life:
    """One order being lived: who does what, and how long they take."""

    theatre: Theatre
    chance: random.Random
    case: Case
    turn: Turn
    began: datetime
    code: str = ""

    @property
    def unit(self) -> str:
        """The province or base that holds it."""
        return self.turn.to or self.case.province

    @property
    def state(self) -> str:
        """The state it is in now."""
        return self.theatre.order(self.code).state

    def goes(self, what: str) -> bool:
        """Whether this happens on the way."""
        return what in self.turn.on_the_way

    def after(self, least: float, most: float) -> datetime:
        """Some working hours later; in an order that is left open, a share of the natural time there is."""
        number = self.chance.uniform(least, most)
        if self.turn.until == "archived":
            return self.theatre.working(number)
        age = (self.theatre.past.now - self.began).total_seconds() / 3600
        return self.theatre.now + hours(min(number, age * self.chance.uniform(0.1, 0.17)))

    def left(self, *states: str) -> bool:
        """Whether the plot ends here."""
        return self.turn.until in states

    def raised(self) -> int:
        """The issue, raised by the centre from what customers said; a trouble everywhere has no province."""
        theatre, case = self.theatre, self.case
        told = IssueIn(
            title=case.title,
            touchpoint=case.touchpoint,
            topic=case.topic,
            province=case.province,
            voices=case.voices,
            origin=self.chance.choice(("staff", "triage", "triage")),
        )
        scope = theatre.scope("lin")
        issue = raise_issue(theatre.session, scope, told, now=theatre.now)
        if not case.province:
            change(theatre.session, scope, issue.code, {"province": ""}, version=None, now=theatre.now)
        return issue.id or 0

    def dispatch(self, issue: int, *units: str) -> str:
        """The order's code."""
        told = DispatchIn(units, self.turn.type, self.case.instructions)
        theatre = self.theatre
        return operations.dispatch(theatre.session, theatre.scope("lin"), issue, told, now=theatre.now).code


def single(life: Life) -> Plot:
    """An order to one unit."""
    issue = life.raised()
    yield life.theatre.now + timedelta(minutes=life.chance.randint(4, 50))
    life.code = life.dispatch(issue, life.unit)
    yield from lived(life)


def shared(life: Life, units: tuple[str, ...], ends: tuple[str, ...]) -> Plot:
    """A main order over several units; each child order goes its own way."""
    issue = life.raised()
    yield life.theatre.now + timedelta(minutes=life.chance.randint(4, 50))
    main = life.dispatch(issue, *units)
    theatre = life.theatre
    children = theatre.children(main)
    for child, unit, end in zip(children, units, ends, strict=True):
        turn = Turn(until=end, type=life.turn.type, to=unit)
        theatre.begin(lived(Life(theatre, life.chance, life.case, turn, theatre.now, child)), theatre.now)


def lived(life: Life) -> Plot:
    """From dispatch to where the plot ends."""
    for part in (_received, _worked, _answered, _judged, _closed):
        yield from part(life)
        if life.left("dispatched", "returned") or life.state in FINAL or life.state in ("returned",):
            return
        if part is _worked and life.left("processing", "suspended"):
            return
        if part is _answered and life.left("internal_review", "submitted"):
            return
        if part is _judged and life.left("callback"):
            return


def _received(life: Life) -> Plot:
    theatre = life.theatre
    if life.goes("cancel"):
        yield life.after(0.3, 0.9)
        theatre.act("lin", life.code, "cancel", reason="与已派工单重复，撤回。")
        return
    if life.left("dispatched"):
        return
    yield life.after(0.2, 1.6)
    if life.goes("return") or life.goes("return_refused"):
        yield from _returned(life)
        if life.state == "returned":
            return
    if life.state == "dispatched":
        theatre.act(coordinator(life.unit), life.code, "accept")


def _returned(life: Life) -> Plot:
    theatre = life.theatre
    reason = life.chance.choice(_RETURNED)
    theatre.act(coordinator(life.unit), life.code, "return", reason=reason, evidence="系统受理记录截图已上传工单附件。")
    yield life.after(0.5, 2.5)
    if life.goes("return_refused"):
        theatre.decide("lin", life.code, "reject", "用户在贵省办理并在贵省使用，请继续处理。")
        return
    theatre.decide("lin", life.code, "approve", "同意退单，改派责任单位。")
    if life.left("returned"):
        return
    yield life.after(0.3, 1.5)
    life.turn = Turn(life.turn.until, life.turn.type, life.turn.on_the_way, "", "online")
    theatre.act("lin", life.code, "dispatch", unit="online", instructions=life.case.instructions)
    yield life.after(0.3, 1.5)


def _worked(life: Life) -> Plot:
    theatre = life.theatre
    yield life.after(0.5, 3)
    if life.goes("suspend"):
        yield from _suspended(life)
        if life.state == "suspended":
            return
    if life.goes("extend"):
        yield from _extended(life)
    if life.turn.department:
        yield from _split(life)
    if life.goes("urge") and life.state == "processing":
        theatre.act("lin", life.code, "urge", note="用户今天又来电，请尽快给出处理结果。")
    if life.goes("supervise"):
        yield life.after(0.5, 2)
        theatre.act("tang", life.code, "supervise", note="此类问题本月第三次出现，请书面说明原因和根治措施。")
    if life.goes("late"):
        due = theatre.order(life.code).due_at
        assert due is not None
        yield due + hours(life.chance.uniform(3, 30))
        yield theatre.working(0.5)


def _suspended(life: Life) -> Plot:
    theatre = life.theatre
    until = theatre.now + timedelta(days=life.chance.randint(3, 6)) if life.left("suspended") else theatre.working(14)
    theatre.act(
        coordinator(life.unit),
        life.code,
        "suspend",
        reason=life.chance.choice(("等用户", "等第三方")),
        until=until.isoformat(),
    )
    yield life.after(0.5, 2)
    theatre.decide("lin", life.code, "approve", "情况属实，同意挂起，到期自动恢复。")
    if life.left("suspended"):
        return
    yield theatre.working(8)
    if life.state == "suspended":
        theatre.act(coordinator(life.unit), life.code, "resume", note="用户已回复，继续处理。")


def _extended(life: Life) -> Plot:
    theatre = life.theatre
    due = theatre.order(life.code).due_at
    if due is None or theatre.now > due:  # who accepts after a weekend may be too late to ask
        return
    later = theatre.extended(life.code, 0.4)
    theatre.act(
        coordinator(life.unit), life.code, "extend", reason="需等设备到货，已与用户沟通。", due_at=later.isoformat()
    )
    yield life.after(0.5, 2)
    if life.goes("extend_open"):
        return
    refuses = life.goes("extend_refused")
    theatre.decide(
        "lin",
        life.code,
        "reject" if refuses else "approve",
        "备件库有货，请按期完成。" if refuses else "同意延期一次。",
    )


def _split(life: Life) -> Plot:
    """The province gives the work to a department, judges its answer, and answers for both."""
    theatre, department = life.theatre, f"{life.unit}.{life.turn.department}"
    mine, theirs = coordinator(life.unit), handler(department)
    theatre.act(
        mine, life.code, "dispatch", unit=department, instructions=f"请{life.case.instructions.removeprefix('请')}"
    )
    child = theatre.children(life.code)[-1]
    yield life.after(0.3, 1)
    if life.goes("child_waits"):
        return
    if theatre.order(child).state == "dispatched":
        theatre.act(theirs, child, "accept")
    yield life.after(1, 4)
    if life.goes("child_works"):
        return
    theatre.act(theirs, child, "reply", **_said(life))
    yield life.after(0.3, 1)
    if life.goes("child_answers"):
        return
    theatre.act(mine, child, "confirm", score=life.chance.randint(82, 98))


def _said(life: Life) -> dict[str, object]:
    case = life.case
    return {
        "note": case.note,
        "cause": case.cause,
        "measure": case.measure,
        "contacted": life.chance.random() < 0.9,  # noqa: PLR2004 - nine of ten call the customer
    }


def _answered(life: Life) -> Plot:
    theatre = life.theatre
    yield life.after(1, 6)
    theatre.act(coordinator(life.unit), life.code, "reply", **_said(life))
    if life.state != "internal_review" or life.left("internal_review"):
        return
    yield life.after(0.3, 2)
    if life.goes("internal_reject"):
        theatre.act(approver(life.unit), life.code, "reject_internal", reason="请把影响用户数写清楚再报。")
        yield life.after(0.5, 2)
        theatre.act(coordinator(life.unit), life.code, "reply", **_said(life))
        yield life.after(0.3, 1)
    theatre.act(approver(life.unit), life.code, "approve_internal", note="情况属实，同意上报。")


def _judged(life: Life) -> Plot:
    theatre = life.theatre
    yield life.after(0.4, 3.2)
    if life.goes("reject"):
        theatre.act("lin", life.code, "reject", reason=life.chance.choice(_REJECTED))
        yield life.after(1, 5)
        yield from _again(life)
    theatre.act("lin", life.code, "confirm", score=life.chance.randint(76, 99), note="原因清楚，措施可行。")


def _again(life: Life) -> Plot:
    """A second answer, through the province's own review where there is one, on the reviewer's desk."""
    theatre = life.theatre
    theatre.act(coordinator(life.unit), life.code, "reply", **_said(life))
    if life.state == "internal_review":
        yield life.after(0.3, 1)
        theatre.act(approver(life.unit), life.code, "approve_internal")
    yield life.after(0.4, 2)


def _closed(life: Life) -> Plot:
    theatre, is_wronged = life.theatre, life.goes("reopen") or life.goes("followup_no")
    yield life.after(1, 3)
    theatre.answer_followups(life.code, life.chance, share=0.45, says_no=life.goes("followup_no"))
    if life.state == "callback":
        yield life.after(0.5, 3)
        theatre.act("ye", life.code, "callback", **_called(life))
    if is_wronged and life.state == "processing":
        yield life.after(2, 6)
        yield from _again(life)
        theatre.act("lin", life.code, "confirm", score=life.chance.randint(70, 90))
        yield life.after(1, 3)
        if life.state == "callback":
            theatre.act("ye", life.code, "callback", result="satisfied", note="用户确认已彻底解决。")


def _called(life: Life) -> dict[str, object]:
    if life.goes("reopen"):
        return {"result": "dissatisfied", "responsible": True, "note": "用户反映问题复现，责任成立。"}
    result = life.chance.choices(("satisfied", "basically", "dissatisfied"), (68, 24, 8))[0]
    return {"result": result, "responsible": False, "note": _HEARD[result]}


_HEARD = {
    "satisfied": "用户表示满意。",
    "basically": "用户表示基本满意，希望以后别再出现。",
    "dissatisfied": "用户对赔付金额不满意，已解释规定，责任不成立。",
}


def merged(life: Life, other: Life) -> Plot:
    """A second order about the same trouble, given to the same unit and merged into the first."""
    issue = life.raised()
    yield life.theatre.now + timedelta(minutes=life.chance.randint(4, 30))
    life.code = life.dispatch(issue, life.unit)
    yield life.after(0.5, 1.5)
    theatre = life.theatre
    if other.code and other.state not in FINAL and life.state in ("dispatched", "processing"):
        theatre.act("lin", life.code, "merge", into=other.code, reason="同一原因，合并处理。")
