"""Pages of work orders: the list, one order with its clocks and steps, and every act on it."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from experience.ground.errors import Conflict, Forbidden, HuishengError, Invalid
from experience.ground.i18n import say
from experience.orders import operations, queries
from experience.reports import bars
from experience.reports.queries import order_file, units
from experience.reports.queries import orders as reads
from experience.web import door, errors, kit
from experience.web.forms.orders import FORMS, ActForm, DecisionForm
from experience.web.once import once
from experience.web.order_acts import filled, grouped
from experience.web.saying import told, word

bp = Blueprint("orders", __name__, url_prefix="/orders")

PAGE = 50
MOST_PICKED = 100
BULK = ("accept", "urge", "supervise")


@bp.get("")
@door.requires("orders.read")
def index() -> str:
    """The list of orders, most pressing first."""
    chosen = wanted()
    db, scope, now = door.db(), door.scope(), door.now()
    found, following = reads.orders(db, scope, chosen, now=now, cursor=request.args.get("cursor", ""), limit=PAGE)
    return render_template(
        "orders/list.html",
        orders=found,
        next=following,
        wanted=chosen,
        counts=reads.order_counts(db, scope, now),
        unit_choices=units.choices(kit.units(), scope.reach("orders.read")),
        bulk=[a for a in BULK if _may_bulk(a)],
    )


def wanted() -> reads.Wanted:
    """What this request's list is narrowed to; open orders when nothing was asked."""
    args = request.args
    return reads.Wanted(
        q=args.get("q", "").strip()[:100],
        state=args.get("state", "open" if not args else ""),
        unit=args.get("unit", ""),
        type=args.get("type", ""),
        flag=args.get("flag", ""),
        issue=args.get("issue", ""),
        age=args.get("age", ""),
        lately=args.get("lately", ""),
        sort=args.get("sort", "due"),
    )


def _may_bulk(action: str) -> bool:
    held = {"accept": "orders.work", "urge": "orders.dispatch", "supervise": "orders.supervise"}
    return door.scope().may(held[action])


@bp.get("/bulk")
@door.requires("orders.read")
def bulk_address() -> Response:
    """The address of what was done to many, reloaded: leads to the list, and is no order's code."""
    return redirect(url_for("orders.index"), 303)


@bp.post("/bulk")
@door.requires("orders.read")
def bulk() -> str:
    """One act on each picked order, each on its own; what was refused says why, and the others stand."""
    action = request.form.get("action", "")
    if action not in BULK:
        raise Invalid(say("不能批量做这件事。"))
    codes = list(dict.fromkeys(request.form.getlist("order")))[:MOST_PICKED]
    results = []
    for code in codes:
        try:
            with door.db().begin_nested():
                card = queries.order_card(door.db(), door.scope(), code, now=door.now())
                asked = operations.Act(action=action, version=card["version"], fields={})
                operations.act(door.db(), door.scope(), code, asked, now=door.now())
            results.append((code, True, word(action, "action")))
        except HuishengError as refused:
            results.append((code, False, told(refused)))
    door.commit()
    return render_template("orders/bulk.html", results=results, action=action)


@bp.get("/<code>")
@door.requires("orders.read")
def one(code: str) -> str:
    """One order: where it stands against time, what was done, and what this caller may do now."""
    return _one(code)


def _one(code: str, refused: HuishengError | None = None, form: ActForm | None = None, acted: str = "") -> str:
    db, scope, now = door.db(), door.scope(), door.now()
    file = order_file.order_file(db, scope, code, now=now)
    order, order_id = file.order, file.order.id or 0
    is_answered = bool(order.reply_note) or order.cycle > 1
    shown, totals = order_file.follow_ups(db, order_id) if is_answered else ([], {})
    acts = grouped(file.allowed, order.state)
    forms = {name: filled(name, order, kit.units()) for name in (*acts.first, *acts.other)}
    if form is not None:
        forms[acted] = form
    return render_template(
        "orders/one.html",
        order=order,
        issue=file.issue,
        acts=acts,
        forms=forms,
        acted=acted if form is not None else "",
        refused=told(refused) if refused else "",
        faults=getattr(refused, "errors", []),
        is_overtaken=isinstance(refused, Conflict),
        clocks=[bars.bar(timing, now) for timing in order_file.timings(db, order_id)],
        steps=order_file.steps(db, order_id),
        children=order_file.children(db, scope, order_id) if file.around.children else [],
        requests=file.around.requests,
        decides=file.decides,
        decision=DecisionForm(formdata=None),
        follow_ups=shown,
        asked=totals,
        effects=queries.effects_of_order(db, order_id) if is_answered else [],
        voices=order_file.issue_voices(db, scope, order.issue_id),
        parent_code=file.parent_code,
    )


@bp.post("/<code>/act/<action>")
@door.requires("orders.read")
def act(code: str, action: str) -> Response | tuple[str, int]:
    """Does one act with its form's fields. A stale version shows the order as it is now, the text kept."""
    if action not in FORMS:
        abort(404)
    order = order_file.order_file(door.db(), door.scope(), code, now=door.now()).order
    form = filled(action, order, kit.units(), FORMS[action](request.form))
    if not form.validate():
        return _one(code, Invalid(say("请补全标红的内容。")), form, action), 422

    def does() -> str:
        asked = operations.Act(action=action, version=_version(), fields=form.values())
        operations.act(door.db(), door.scope(), code, asked, now=door.now())
        flash(
            gettext("%(act)s完成：%(code)s %(title)s", act=word(action, "action"), code=code, title=order.title[:40]),
            "good",
        )
        return _back(code)

    try:
        return once(does)
    except Conflict as refused:
        door.db().rollback()
        return _one(code, refused, form, action), 409
    except (Invalid, Forbidden) as refused:
        door.db().rollback()
        if isinstance(refused, Forbidden):
            errors.denied()
        return _one(code, refused, form, action), 422 if isinstance(refused, Invalid) else 403


@bp.post("/<code>/requests/<int(max=9223372036854775807):request_id>")
@door.requires("orders.read")
def decide(code: str, request_id: int) -> Response | tuple[str, int]:
    """Says yes or no to a return, suspension or extension."""
    form = DecisionForm(request.form)
    if not form.validate():
        return _one(code, Invalid(say("请选择同意或不同意，并写明意见。"))), 422

    def does() -> str:
        operations.decide(
            door.db(),
            door.scope(),
            code,
            request_id,
            decision=form.decision.data,
            reason=form.reason.data,
            now=door.now(),
        )
        flash(gettext("已答复申请。"), "good")
        return _back(code)

    try:
        return once(does)
    except Conflict as refused:
        door.db().rollback()
        return _one(code, refused), 409
    except (Invalid, Forbidden) as refused:
        door.db().rollback()
        return _one(code, refused), 422 if isinstance(refused, Invalid) else 403


def _version() -> int:
    given = request.form.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 10 else 0


def _back(code: str) -> str:
    """Where an act leads: back to the page it was done on (only our own desk), else to the order."""
    return url_for("desk.index") if request.form.get("back") == "desk" else url_for("orders.one", code=code)
