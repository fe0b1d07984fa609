"""What each role may do, and the scope that every query takes."""

from dataclasses import dataclass, field

from experience.ground.errors import Forbidden
from experience.ground.i18n import say

_READERS = "leader triager dispatcher reviewer analyst designer coordinator approver handler viewer"

#: act -> roles that hold it. `admin` holds every act but the personal-data ones (only `privacy` and `callback` do).
ACTS: dict[str, frozenset[str]] = {
    act: frozenset(roles.split())
    for act, roles in {
        "home.see": f"{_READERS} callback privacy",
        "voices.read": f"{_READERS} callback",
        "voices.hear": "triager dispatcher reviewer coordinator",
        "voices.import": "triager analyst",
        "voices.correct": "triager analyst",
        "voices.moderate": "triager",
        "voices.unmask": "privacy callback",
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
class Scope:
    """Who asks and what they may see: the units (with their subtrees) and provinces of their grants.

    `is_everything` is true for members of the centre and for the system itself; then unit_ids and territories
    need no check.
    `token_scopes` narrows a token's acts; empty means all the user's acts.
    """

    user_id: int | None
    name: str = ""
    roles: frozenset[str] = frozenset()
    unit_ids: frozenset[int] = frozenset()
    home_unit_ids: tuple[int, ...] = ()  # the units granted, without their subtrees
    territories: frozenset[str] = frozenset()
    product_lines: frozenset[str] = frozenset()
    is_everything: bool = False
    acting_for_id: int | None = None
    token_scopes: frozenset[str] = field(default=frozenset())

    def may(self, act: str) -> bool:
        """Whether one of the roles holds the act (and the token, if any, was not narrowed against it)."""
        if self.token_scopes and not self.token_scopes & {act, act.partition(".")[0]}:
            return False
        if "admin" in self.roles and act not in PERSONAL_ACTS:
            return True
        return bool(self.roles & ACTS[act])

    def demand(self, act: str) -> None:
        """Raises Forbidden unless the act is held."""
        if not self.may(act):
            raise Forbidden(say("您没有“%(act)s”的权限，请联系管理员开通。", act=act))

    def sees_unit(self, unit_id: int) -> bool:
        """Whether the unit lies in this scope."""
        return self.is_everything or unit_id in self.unit_ids

    def sees_province(self, province: str) -> bool:
        """Whether the province's data lies in this scope."""
        return self.is_everything or province in self.territories


#: The clock's own scope: sees everything, holds every act.
SYSTEM = Scope(user_id=None, name="system", roles=frozenset({"admin"}), is_everything=True)
