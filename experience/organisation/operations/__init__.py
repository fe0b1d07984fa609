"""Changes of the organisation, one module a subject."""

from experience.organisation.operations.logins import change_password, end_all, log_in, log_out
from experience.organisation.operations.structure import UnitIn, UserIn, ensure_unit, ensure_user, set_active
from experience.organisation.operations.tokens import issue_token, revoke

__all__ = [
    "UnitIn",
    "UserIn",
    "change_password",
    "end_all",
    "ensure_unit",
    "ensure_user",
    "issue_token",
    "log_in",
    "log_out",
    "revoke",
    "set_active",
]
