"""The people and the small operator that the tests know.

林 (centre: triages, dispatches, reviews), 周 (Guangdong), 何 (its network department), 吴 (a base), 王 (Hunan, who must
see nothing of Guangdong), and one user for each other role.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from sqlmodel import Session

from experience.organisation import operations, queries
from experience.organisation.operations import UnitIn, UserIn
from experience.organisation.permissions import SYSTEM, Reach, RoleHeld, Scope
from experience.organisation.tables import Unit, User
from experience.touchpoints.tables import Channel, Journey, Site, Stage, Touchpoint

PASSWORD = "correct-horse-8"
#: Hashed once and cheaply: argon2 is slow on purpose.
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
UNITS = (
    UnitIn("centre", "集团客户体验管理中心", "centre"),
    UnitIn("guangdong", "广东公司", "province", "centre", territory="guangdong", internal_review=True),
    UnitIn("hunan", "湖南公司", "province", "centre", territory="hunan"),
    UnitIn("migu", "咪咕基地", "base", "centre", product_line="video"),
    UnitIn("guangdong.network", "网络部", "department", "guangdong"),
    UnitIn("guangdong.service", "客户服务部", "department", "guangdong"),
)
PEOPLE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "lin": ("林", "centre", ("triager", "dispatcher", "reviewer")),
    "leader": ("唐", "centre", ("leader",)),
    "designer": ("叶", "centre", ("designer",)),
    "analyst": ("何敏", "centre", ("analyst",)),
    "callback": ("秦", "centre", ("callback",)),
    "viewer": ("许", "centre", ("viewer",)),
    "privacy": ("方", "centre", ("privacy",)),
    "admin": ("管理员", "centre", ("admin",)),
    "zhou": ("周", "guangdong", ("coordinator",)),
    "approver": ("梁", "guangdong", ("approver",)),
    "he": ("何", "guangdong.network", ("handler",)),
    "wang": ("王", "hunan", ("coordinator", "approver", "handler")),
    "wu": ("吴", "migu", ("coordinator",)),
}


def someone(*roles: str, user_id: int | None = None, name: str = "", **reach: Any) -> Scope:
    """A caller with these roles, all over the same reach (see `permissions.Reach`), without rows."""
    return Scope(user_id, name, tuple(RoleHeld(role, Reach(**reach)) for role in roles or ("viewer",)))


@dataclass
class House:
    """What was built: units and users by code and login."""

    session: Session
    now: datetime
    units: dict[str, Unit] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    def unit(self, code: str) -> int:
        found = self.units[code].id
        assert found is not None
        return found

    def scope(self, login: str) -> Scope:
        """The scope of this person, as a door would give it."""
        return queries.scope_of(self.session, self.users[login], self.now)

    def token(self, login: str, *scopes: str) -> str:
        return operations.issue_token(self.session, SYSTEM, login, now=self.now, scopes=scopes)


def build_house(session: Session, now: datetime) -> House:
    """The operator with its people, two touchpoints and one site, flushed but not committed."""
    house = House(session, now)
    for told in UNITS:
        house.units[told.code] = operations.ensure_unit(session, told)
    for login, (name, unit, roles) in PEOPLE.items():
        grants = tuple((unit, role) for role in roles)
        house.users[login] = operations.ensure_user(
            session, UserIn(login, name, grants, password_hash=PASSWORD_HASH), now=now
        )
    _touchpoints(session)
    return house


def _touchpoints(session: Session) -> None:
    journey = Journey(name="充值缴费")
    for row in (Channel(code="web", name="网上营业厅"), Channel(code="app", name="App")):
        session.merge(row)
    session.add(journey)
    session.flush()
    stage = Stage(journey_id=journey.id or 0, name="办理")
    session.add(stage)
    session.flush()
    steps = ["amount", "pay", "done"]
    session.add(
        Touchpoint(code="web.recharge", name="网厅充值", channel="web", stage_id=stage.id, is_key=True, steps=steps)
    )
    session.add(Touchpoint(code="app.bill", name="账单查询", channel="app", stage_id=stage.id))
    session.add(Site(key="site_demo", name="网上营业厅", origins=["http://shop.example"], secret="hush"))
    session.flush()
