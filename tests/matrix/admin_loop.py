"""Routes of calendars and policies: (method, rule, act that the door demands)."""

ROWS: tuple[tuple[str, str, str | None], ...] = (
    ("GET", "/admin/calendars", "organisation.edit"),
    ("GET", "/admin/calendars/<name>", "organisation.edit"),
    ("POST", "/admin/calendars/<name>/clear", "organisation.edit"),
    ("POST", "/admin/calendars/<name>/coverage", "organisation.edit"),
    ("POST", "/admin/calendars/<name>/days", "organisation.edit"),
    ("GET", "/admin/policies", "organisation.edit"),
    ("POST", "/admin/policies", "organisation.edit"),
    ("GET", "/admin/policies/<code>", "organisation.edit"),
    ("POST", "/admin/policies/<code>", "organisation.edit"),
    ("GET", "/admin/policies/new", "organisation.edit"),
)
