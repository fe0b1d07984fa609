"""Who am I, as the API sees me."""

from pydantic import BaseModel

from experience.organisation.permissions import ACTS, joined
from experience.web import door
from experience.web.api.contract import operation


class GrantOut(BaseModel):
    """A role, the ids of the unit it was granted in and of those below."""

    role: str
    is_everything: bool
    units: list[int]


class MeOut(BaseModel):
    """The caller: roles with the units they were granted in, acts held, and all that is reached by any role.

    `is_everything`, `units` and `territories` say where any of the roles reaches; an act reaches as far as the roles
    that hold it.
    """

    login: str
    name: str
    roles: list[str]
    grants: list[GrantOut]
    acts: list[str]
    is_everything: bool
    units: list[int]
    territories: list[str]


@operation("GET", "/api/v1/me", act="", answer=MeOut, summary="The caller")
def me() -> MeOut:
    """The caller's login, roles and reach."""
    scope = door.scope()
    anywhere = joined(one.reach for one in scope.held)
    return MeOut(
        login=door.user().login,
        name=scope.name,
        roles=sorted(scope.roles),
        grants=[
            GrantOut(
                role=one.role,
                is_everything=one.reach.is_everything,
                units=sorted(one.reach.unit_ids | one.reach.home_unit_ids),
            )
            for one in scope.held
        ],
        acts=sorted(act for act in ACTS if scope.may(act)),
        is_everything=anywhere.is_everything,
        units=sorted(anywhere.unit_ids),
        territories=sorted(anywhere.territories),
    )
