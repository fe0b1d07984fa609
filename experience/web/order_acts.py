"""Which of the acts allowed now come first on an order's page, and their forms ready to be filled."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from experience.orders.tables import WorkOrder
from experience.reports.queries.units import UnitName
from experience.web.forms.orders import FORMS, ActForm
from experience.web.words import CAUSES

#: state -> the acts that move the order on; they stand open on the page, all others behind a button.
FIRST = {
    "draft": ("dispatch",),
    "dispatched": ("accept",),
    "processing": ("reply", "submit"),
    "suspended": ("resume",),
    "internal_review": ("approve_internal", "reject_internal"),
    "submitted": ("confirm", "reject"),
    "callback": ("callback", "archive"),
    "returned": ("dispatch",),
}
#: The order in which other acts are offered.
_RANK = (
    "accept", "dispatch", "transfer", "urge", "supervise", "extend", "suspend", "resume", "return", "escalate",
    "archive", "reopen", "merge", "cancel",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Acts:
    """What may be done now: `first` moves the order on, `other` is offered beside it."""

    first: list[str]
    other: list[str]


def grouped(allowed: Iterable[str], state: str) -> Acts:
    """The allowed acts we have forms for, parted into those that move the order on and the others."""
    known = [act for act in allowed if act in FORMS]
    first = [act for act in FIRST.get(state, ()) if act in known]
    if "submit" in first and "reply" in first:
        first.remove("submit")  # one act under two names: it goes to the province's own review where there is one
    rest = [act for act in known if act not in first and act != "submit"]
    return Acts(first, sorted(rest, key=lambda act: _RANK.index(act) if act in _RANK else len(_RANK)))


def filled(act: str, order: WorkOrder, units: dict[int, UnitName], form: ActForm | None = None) -> ActForm:
    """The act's form with its choices, empty or as it was sent; a reply begins with what was replied before.

    What is handed on begins with what was asked of oneself.
    """
    made = form if form is not None else FORMS[act](formdata=None, obj=_replied(act, order))
    for name in ("unit", "suggest"):
        field = getattr(made, name, None)
        if isinstance(field, SelectField):
            field.choices = [SelectChoice(code, name) for code, name in [("", ""), *_units(act, order, units)]]
    cause = getattr(made, "cause", None)
    if isinstance(cause, SelectField):
        cause.choices = [SelectChoice("", ""), *(SelectChoice(code, gettext(name)) for code, name in CAUSES.items())]
    return made


@dataclass(frozen=True, slots=True)
class _Replied:
    note: str
    cause: str
    measure: str
    contacted: bool


@dataclass(frozen=True, slots=True)
class _HandedOn:
    instructions: str


def _replied(act: str, order: WorkOrder) -> _Replied | _HandedOn | None:
    if act == "dispatch":
        return _HandedOn(order.instructions)
    if act not in ("reply", "submit"):
        return None
    return _Replied(order.reply_note, order.reply_cause, order.reply_measure, bool(order.reply_contacted))


def _units(act: str, order: WorkOrder, units: dict[int, UnitName]) -> list[tuple[str, str]]:
    """Units an act may name: below the holder for a child order or a transfer, first-level ones otherwise."""
    holder = units[order.unit_id]
    top = units[holder.top_id]
    if act in ("transfer", "dispatch") and order.state != "returned" and holder.kind != "centre":
        near = [u for u in units.values() if u.path.startswith(top.path) and u.id != holder.id]
        return [(u.code, u.name) for u in near]
    return [(u.code, u.name) for u in units.values() if u.top_id == u.id and u.kind != "centre" and u.id != holder.id]
