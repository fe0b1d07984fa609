"""Changes of the organisation, one module a subject."""

from experience.organisation.operations.administration import (
    administered,
    change_user,
    create_user,
    reset_password,
    save_unit,
    switch_user,
)
from experience.organisation.operations.deputies import act_for, appoint, dismiss
from experience.organisation.operations.logins import change_password, end_all, log_in, log_out, log_out_everywhere
from experience.organisation.operations.structure import UnitIn, UserIn, ensure_unit, ensure_user, set_active
from experience.organisation.operations.tokens import issue_token, revoke

__all__ = [
    "UnitIn",
    "UserIn",
    "act_for",
    "administered",
    "appoint",
    "change_password",
    "change_user",
    "create_user",
    "dismiss",
    "end_all",
    "ensure_unit",
    "ensure_user",
    "issue_token",
    "log_in",
    "log_out",
    "log_out_everywhere",
    "reset_password",
    "revoke",
    "save_unit",
    "set_active",
    "switch_user",
]
