"""Who am I, as the API sees me."""

from pydantic import BaseModel

from experience.organisation.permissions import ACTS
from experience.web import door
from experience.web.api.contract import operation


class MeOut(BaseModel):
    """The caller: roles, acts held, what is in scope."""

    login: str
    name: str
    roles: list[str]
    acts: list[str]
    is_everything: bool
    units: list[int]
    territories: list[str]


@operation("GET", "/api/v1/me", act="", answer=MeOut, summary="The caller")
def me() -> MeOut:
    """The caller's login, roles and reach."""
    scope = door.scope()
    return MeOut(
        login=door.user().login,
        name=scope.name,
        roles=sorted(scope.roles),
        acts=sorted(act for act in ACTS if scope.may(act)),
        is_everything=scope.is_everything,
        units=sorted(scope.unit_ids),
        territories=sorted(scope.territories),
    )
