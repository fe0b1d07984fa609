"""What each role may do, and the scope that every query takes."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from experience.ground.errors import Forbidden
from experience.ground.i18n import say

_READERS = "leader triager dispatcher reviewer analyst designer coordinator approver handler viewer"

#: act -> roles that hold it. `admin` holds every act but the personal-data ones (only `privacy` and `callback` do).
ACTS: dict[str, frozenset[str]] = {
    act: frozenset(roles.split())
    for act, roles in {
        "home.see": f"{_READERS} callback privacy",
        "voices.read": f"{_READERS} callback privacy",
        "voices.hear": "triager dispatcher reviewer coordinator",
        "voices.import": "triager analyst",
        "voices.correct": "triager analyst",
        "voices.moderate": "triager",
        "voices.unmask": "privacy callback",
        "models.see": "leader triager analyst",
        "models.change": "analyst",
        "words.edit": "triager analyst",
        "issues.read": f"{_READERS} callback",
        "issues.triage": "triager dispatcher",
        "orders.read": "leader triager dispatcher reviewer analyst callback coordinator approver handler viewer",
        "orders.dispatch": "dispatcher coordinator",
        "orders.work": "coordinator handler",
        "orders.approve": "approver",
        "orders.review": "reviewer",
        "orders.callback": "callback reviewer",
        "orders.supervise": "leader",
        "touchpoints.read": _READERS,
        "touchpoints.edit": "designer",
        "anomalies.judge": "triager analyst",
        "triggers.edit": "designer",
        "surveys.read": "leader triager analyst designer viewer coordinator",
        "surveys.edit": "designer",
        "customers.read": "triager dispatcher reviewer analyst callback privacy",
        "customers.edit": "analyst privacy",
        "reports.read": "leader triager dispatcher reviewer analyst designer coordinator approver viewer",
        "audit.read": "leader privacy",
        "organisation.edit": "",
        "system.see": "leader",
    }.items()
}
PERSONAL_ACTS = frozenset({"voices.unmask"})
ROLES = (
    "admin", "leader", "triager", "dispatcher", "reviewer", "analyst", "designer", "callback",
    "coordinator", "approver", "handler", "viewer", "privacy",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reach:
    """A part of the operator: units with their subtrees, their provinces and product lines; or all of it.

    With `is_everything` only membership of a unit still needs the sets. `home_unit_ids` are the units granted,
    without their subtrees.
    """

    unit_ids: frozenset[int] = frozenset()
    territories: frozenset[str] = frozenset()
    product_lines: frozenset[str] = frozenset()
    home_unit_ids: frozenset[int] = frozenset()
    is_everything: bool = False

    def sees_unit(self, unit_id: int) -> bool:
        """Whether the unit lies in this reach."""
        return self.is_everything or unit_id in self.unit_ids

    def sees_province(self, province: str) -> bool:
        """Whether the province's data lies in this reach."""
        return self.is_everything or province in self.territories


EVERYWHERE = Reach(is_everything=True)


def joined(reaches: Iterable[Reach]) -> Reach:
    """What these reach together."""
    several = list(dict.fromkeys(reaches))
    if len(several) == 1:
        return several[0]
    return Reach(
        unit_ids=frozenset[int]().union(*(one.unit_ids for one in several)),
        territories=frozenset[str]().union(*(one.territories for one in several)),
        product_lines=frozenset[str]().union(*(one.product_lines for one in several)),
        home_unit_ids=frozenset[int]().union(*(one.home_unit_ids for one in several)),
        is_everything=any(one.is_everything for one in several),
    )


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """A role and how far it goes: the subtree of the unit it was granted in."""

    role: str
    reach: Reach

    def holds(self, act: str) -> bool:
        """Whether the role holds the act."""
        return self.role in ACTS[act] or (self.role == "admin" and act not in PERSONAL_ACTS)


@dataclass(frozen=True, slots=True)
class Scope:
    """Who asks, and each of their roles with its own reach.

    There is no reach of a person, only of an act: a viewer at the centre who approves in one province reads
    everywhere and approves in that province. Whoever filters or checks asks for the `reach` of the act they serve.
    `token_scopes` narrows a token's acts; empty means all the user's acts.
    """

    user_id: int | None
    name: str = ""
    held: tuple[RoleHeld, ...] = ()
    acting_for_id: int | None = None
    token_scopes: frozenset[str] = frozenset()
    _reaches: dict[str, Reach] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def roles(self) -> frozenset[str]:
        """The names of the roles, to be shown; what they allow is asked by act."""
        return frozenset(one.role for one in self.held)

    def may(self, act: str) -> bool:
        """Whether the act is held anywhere (and the token, if any, was not narrowed against it)."""
        return self._is_open(act) and any(one.holds(act) for one in self.held)

    def reach(self, act: str) -> Reach:
        """Where the act is held: the reaches, together, of the roles that hold it; nowhere for an act not held."""
        known = self._reaches.get(act)
        if known is None:
            held = (one.reach for one in self.held if one.holds(act)) if self._is_open(act) else ()
            known = self._reaches[act] = joined(held)
        return known

    def reach_as(self, role: str) -> Reach:
        """Where this very role is held."""
        return joined(one.reach for one in self.held if one.role == role)

    def demand(self, act: str) -> None:
        """Raises Forbidden unless the act is held somewhere."""
        if not self.may(act):
            raise Forbidden(say("您没有“%(act)s”的权限，请联系管理员开通。", act=act))

    def may_everywhere(self, act: str) -> bool:
        """Whether the act is held for the whole operator."""
        return self.reach(act).is_everything

    def demand_everywhere(self, act: str) -> None:
        """Raises Forbidden unless the act is held for the whole operator: for what changes everybody's work."""
        self.demand(act)
        if not self.may_everywhere(act):
            raise Forbidden(say("这一项对全集团生效，请由集团的同事操作。"))

    def _is_open(self, act: str) -> bool:
        return not self.token_scopes or bool(self.token_scopes & {act, act.partition(".")[0]})


#: The clock's own scope: sees everything, holds every act.
SYSTEM = Scope(user_id=None, name="system", held=(RoleHeld("admin", EVERYWHERE),))
