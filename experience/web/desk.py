"""A unit's own desk: what is new, what presses, what came back; accepted, handed on and answered without leaving it."""

from datetime import datetime, timedelta

from flask import Blueprint, abort, render_template

from experience.reports.queries import order_file, orders
from experience.reports.queries.orders import OrderLine
from experience.web import door, kit
from experience.web.forms.orders import FORMS
from experience.web.order_acts import filled

bp = Blueprint("desk", __name__, url_prefix="/desk")

SOON = timedelta(hours=24)
MOST = 200  # orders on one desk; the list pages through all of them
DECIDED = timedelta(days=3)
#: Groups in the order of the page: code -> whether it stands open.
GROUPS = {"new": True, "late": True, "soon": True, "sent_back": True, "review": True, "working": True, "away": False}


@bp.get("")
@door.requires("orders.read")
def index() -> str:
    """The desk: every open order of the caller's units in the group where it needs them."""
    db, scope, now = door.db(), door.scope(), door.now()
    groups: dict[str, list[OrderLine]] = {name: [] for name in GROUPS}
    shown = orders.open_orders(db, scope, limit=MOST)
    for order in shown:
        groups[_group(order, now + SOON, is_late=order.due_at is not None and order.due_at < now)].append(order)
    return render_template(
        "desk/index.html",
        groups=groups,
        children=orders.open_children(db, (order.id for order in shown if order.state == "processing")),
        is_open=GROUPS,
        most=MOST if len(shown) == MOST else 0,
        pending=orders.requests(db, scope),
        decided=orders.requests(db, scope, state="decided", since=now - DECIDED, limit=10),
    )


def _group(order: OrderLine, soon_at: datetime, *, is_late: bool) -> str:
    if order.state == "dispatched":
        return "new"
    if order.state == "internal_review":
        return "review"
    if order.state != "processing":
        return "away"
    if order.reject_count:
        return "sent_back"
    if is_late:
        return "late"
    return "soon" if order.due_at and order.due_at < soon_at else "working"


@bp.get("/<code>/<action>")
@door.requires("orders.read")
def form(code: str, action: str) -> str:
    """One act's form, to be opened in its row."""
    db, scope = door.db(), door.scope()
    if action not in FORMS:
        abort(404)
    file = order_file.order_file(db, scope, code, now=door.now())
    return render_template(
        "desk/_form.html",
        order=file.order,
        name=action if action in file.allowed else "",
        form=filled(action, file.order, kit.units()),
        voices=order_file.issue_voices(db, scope, file.order.issue_id, limit=3),
    )
