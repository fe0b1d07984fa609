"""The first page, by role: what needs me now, what is late, what changed since yesterday."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, render_template

from experience.issues import queries as issues
from experience.organisation.permissions import Scope
from experience.reports.queries import home, orders, supervision
from experience.web import door
from experience.web.words import N_

bp = Blueprint("home", __name__)

ON_TIME = timedelta(days=30)
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for the reader: how many, what, where it is, how pressing ('' warn bad)."""

    n: int
    words: str
    hint: str
    link: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A count that may wait for somebody: whose business it is (an act held), and how it is shown."""

    name: str
    act: str
    words: str
    hint: str
    link: str
    tone: str = ""


_KINDS: tuple[_Kind, ...] = (
    _Kind("late", "orders.work", N_("已超时的工单"), N_("先回单，或说明原因"), "/orders?state=late", "bad"),
    _Kind(
        "dispatched",
        "orders.work",
        N_("待签收"),
        N_("时限从派单起算，不签收也在走"),
        "/orders?state=dispatched",
        "warn",
    ),
    _Kind("sent_back", "orders.work", N_("被驳回，需重办"), N_("看驳回原因后补正"), "/orders?state=sent_back", "bad"),
    _Kind("soon", "orders.work", N_("24 小时内到期"), "", "/orders?state=soon", "warn"),
    _Kind(
        "internal_review",
        "orders.approve",
        N_("等您省内审核"),
        N_("审核时间计入本省时限"),
        "/orders?state=internal_review",
        "warn",
    ),
    _Kind(
        "urgent",
        "issues.triage",
        N_("近三天的紧急原声"),
        N_("监管、媒体、重复投诉等"),
        "/voices?urgency=2&hours=72",
        "bad",
    ),
    _Kind(
        "candidate",
        "issues.triage",
        N_("待研判的问题"),
        N_("系统聚出来的，成立或不成立"),
        "/issues?state=candidate",
        "warn",
    ),
    _Kind(
        "open_issues", "orders.dispatch", N_("待派单的问题"), N_("已立项，还没有派给单位"), "/issues?state=open", "warn"
    ),
    _Kind(
        "returned", "orders.dispatch", N_("退回中心的工单"), N_("改派，或驳回后强派"), "/orders?state=returned", "warn"
    ),
    _Kind("requests", "orders.review", N_("待审批的申请"), N_("退单、挂起、延期"), "/orders?flag=requested", "warn"),
    _Kind("submitted", "orders.review", N_("待核验的回单"), N_("核验也有时限"), "/orders?state=submitted", "warn"),
    _Kind("callback", "orders.callback", N_("待回访"), "", "/orders?state=callback", ""),
    _Kind(
        "supervised", "orders.supervise", N_("督办中"), N_("要求书面答复"), "/orders?state=open&flag=supervised", "bad"
    ),
    _Kind("late", "orders.supervise", N_("全国已超时"), "", "/supervision", "bad"),
    _Kind(
        "unsure",
        "voices.correct",
        N_("待人工判断的原声"),
        N_("模型把握不大，一键更正即成训练数据"),
        "/voices?unsure=1&hours=72",
        "",
    ),
)
_CENTRE_ONLY = ("open_issues", "returned")


@bp.get("/")
@door.requires("home.see")
def index() -> str:
    """The first page of whoever asks."""
    db, scope, now = door.db(), door.scope(), door.now()
    sees_orders, sees_voices = scope.may("orders.read"), scope.may("voices.read")
    counts = orders.order_counts(db, scope, now) if sees_orders else {}
    by_state = issues.counts(db, scope) if scope.may("issues.read") else {}
    counted = {
        **counts,
        "candidate": by_state.get("candidate", 0),
        "open_issues": by_state.get("open", 0),
        **(_voice_counts(scope) if sees_voices else {}),
        "requests": orders.pending_requests(db, scope) if scope.may("orders.review") else 0,
    }
    changes = home.voice_changes(db, scope, now) if sees_voices else []
    wanted = orders.Wanted(state="pressing")
    met = supervision.on_time(db, scope, now - ON_TIME, now) if scope.may("reports.read") else {}
    return render_template(
        "home/index.html",
        needs=list(_needs(scope, counted)),
        pressing=orders.orders(db, scope, wanted, now=now, limit=SHOWN)[0] if sees_orders else [],
        counts=counts,
        issues=by_state,
        total=home.total(changes),
        changes=sorted((c for c in changes if c.more), key=lambda c: -abs(c.more))[:SHOWN],
        moved=home.moves(db, scope, now) if sees_orders else None,
        met=(sum(m for m, _ in met.values()), sum(n for _, n in met.values())),
    )


def _voice_counts(scope: Scope) -> dict[str, int]:
    urgent, unsure = home.voices_waiting(door.db(), scope, door.now())
    return {"urgent": urgent, "unsure": unsure}


def _needs(scope: Scope, counted: dict[str, int]) -> Iterable[Need]:
    seen: set[str] = set()
    for kind in _KINDS:
        n = counted.get(kind.name, 0)
        is_mine = scope.may(kind.act) and (scope.reach(kind.act).is_everything or kind.name not in _CENTRE_ONLY)
        if n and is_mine and kind.name not in seen:
            seen.add(kind.name)
            yield Need(n, kind.words, kind.hint, kind.link, kind.tone)
