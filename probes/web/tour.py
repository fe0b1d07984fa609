"""The demo's guided tour: what to click next, and which steps of the loop have happened since it began."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request
from sqlalchemy import or_
from sqlmodel import col, select

from experience.demo.operator import LOGINS, PASSWORD
from experience.ground.config import settings
from experience.issues.tables import Issue, IssueSource
from experience.orders.tables import Effect, FollowUp, OrderStep, WorkOrder
from experience.voices.tables import Voice
from experience.web import door
from experience.web.words import N_
from probes.tables import Firing, ProbeEvent
from probes.web.hall import SITE, TOUCHPOINT
from surveys.tables import Response

bp = Blueprint("demo_tour", __name__, url_prefix="/demo/tour", template_folder="templates")

#: Somebody who opens the tour again within this long goes on with it.
LASTING = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: its words, where, as whom, and whether it has happened."""

    title: str
    words: str
    href: str
    login: str = ""
    is_done: bool = False


#: title, what to do, where, as whom
_STEPS: tuple[tuple[str, str, str, str], ...] = (
    (
        N_("充值失败，事件到达"),
        N_("在演示网厅走一遍充值，开关保持“支付失败”。探针把每一步和失败传回来。"),
        "/demo/hall", "",
    ),
    (
        N_("当场发出邀约"),
        N_("失败后约一秒，页面右下角弹出三个问题。没有弹出？同一台设备有打扰控制，换无痕窗口再试。"),
        "/triggers", "he",
    ),
    (
        N_("客户作答"),
        N_("选一个问题、打分、写一句话，然后提交；记下“查看处理进展”的链接。"),
        "/demo/hall", "",
    ),
    (
        N_("原声研读"),
        N_("客户写的话被读成情感、主题和紧急程度，判断依据会标亮。也可以去吐槽专区多写几句。"),
        "/voices", "lin",
    ),
    (
        N_("形成问题"),
        N_("在客户原声里选中几条，新建问题；或在异动页点“转为问题”。"),
        "/issues", "lin",
    ),
    (
        N_("派单到省"),
        N_("在问题页选广东公司，写清要求，派单。时限从这一刻起算。"),
        "/issues", "lin",
    ),
    (
        N_("省公司签收"),
        N_("广东的协调员在工作台签收；可以再转给网络部。"),
        "/desk", "zhou",
    ),
    (
        N_("回单"),
        N_("填写原因、措施、是否联系客户后回单；广东要先经省内审核（梁敏仪）。"),
        "/desk", "zhou",
    ),
    (
        N_("集团核验"),
        N_("回到林晓，核验通过或驳回。"),
        "/orders", "lin",
    ),
    (
        N_("再问一次客户"),
        N_("核验通过后，受影响的客户会被问一句“解决了吗”。客户在查看进展的页面上也能作答。"),
        "/orders", "lin",
    ),
    (
        N_("成效测算"),
        N_("观察期过后，前后成功率的差异带区间画出来。不想等：huisheng tick --at 把时间往后推。"),
        "/touchpoints/web.recharge", "tang",
    ),
)  # fmt: skip


@bp.before_request
def only_in_demos() -> None:
    """404 in production."""
    if settings().env == "production":
        abort(404)


@bp.get("")
def tour() -> str:
    """The whole page."""
    since = _since()
    return render_template("demo/tour.html", logins=LOGINS, password=PASSWORD, since=since, steps=_steps(since))


@bp.get("/state")
def state() -> str:
    """The checklist alone, asked for again and again by the page."""
    since = _since()
    return render_template("demo/_steps.html", since=since, steps=_steps(since))


def _since() -> datetime:
    """When the tour began, from the address; now for a new one."""
    try:
        at = datetime.fromtimestamp(int(request.args.get("since", "")[:12]), tz=door.now().tzinfo)
    except (ValueError, OverflowError, OSError):
        return door.now()
    return max(at, door.now() - LASTING * 12)


def _steps(since: datetime) -> Sequence[Step]:
    done = _happened(since)
    return [
        Step(title, words, href, login, is_done)
        for (title, words, href, login), is_done in zip(_STEPS, done, strict=True)
    ]


def _happened(since: datetime) -> list[bool]:
    """Whether each step has happened since then to the hall's own touchpoint, in one query."""
    told = select(IssueSource.issue_id).join(Voice, (col(Voice.id) == IssueSource.row) & (IssueSource.kind == "voice"))
    heard = told.where(Voice.touchpoint == TOUCHPOINT, Voice.heard_at >= since)
    is_ours = or_(col(Issue.touchpoint) == TOUCHPOINT, col(Issue.id).in_(heard))
    orders = select(WorkOrder.id).join(Issue, col(Issue.id) == WorkOrder.issue_id).where(is_ours)
    acted = select(OrderStep.id).where(col(OrderStep.order_id).in_(orders), OrderStep.at >= since)
    asked: tuple[Any, ...] = (
        select(ProbeEvent.event_id).where(
            ProbeEvent.site == SITE, ProbeEvent.touchpoint == TOUCHPOINT, ProbeEvent.type == "fail",
            ProbeEvent.arrived_at >= since,
        ),
        select(Firing.id).where(Firing.touchpoint == TOUCHPOINT, Firing.outcome == "offered", Firing.at >= since),
        select(Response.id).where(Response.touchpoint == TOUCHPOINT, Response.at >= since),
        select(Voice.id).where(
            col(Voice.source).in_(("survey", "rant")), col(Voice.read_at) >= since, Voice.heard_at >= since,
            col(Voice.touchpoint).in_((TOUCHPOINT, "")),
        ),
        select(Issue.id).where(is_ours, Issue.opened_at >= since),
        orders.where(col(WorkOrder.dispatched_at) >= since),
        acted.where(OrderStep.action == "accept"),
        acted.where(OrderStep.action == "reply"),
        acted.where(OrderStep.action == "confirm"),
        select(FollowUp.id).where(col(FollowUp.order_id).in_(orders), FollowUp.created_at >= since),
        select(Effect.id).where(Effect.touchpoint == TOUCHPOINT, col(Effect.measured_at) >= since),
    )  # fmt: skip
    row = door.db().execute(select(*(one.exists() for one in asked))).one()
    return [bool(found) for found in row]
