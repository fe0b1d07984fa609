"""Routes of voices and issues for customers and programs: (method, rule, act); act None is open to everybody."""

ROWS: tuple[tuple[str, str, str | None], ...] = (
    ("GET", "/rants", None),
    ("POST", "/rants", None),
    ("GET", "/rants/solved", None),
    ("GET", "/rants/embed", None),
    ("POST", "/rants/embed", None),
    ("POST", "/rants/similar", None),
    ("POST", "/rants/<code>/vote", None),
    ("GET", "/v/<receipt>", None),
    ("POST", "/v/<receipt>/answer", None),
    ("POST", "/v/<receipt>/withdraw", None),
    ("POST", "/api/v1/public/voices", None),
    ("POST", "/api/v1/voices", "voices.hear"),
    ("GET", "/api/v1/voices", "voices.read"),
    ("GET", "/api/v1/voices/<int:voice_id>", "voices.read"),
    ("PATCH", "/api/v1/voices/<int:voice_id>/reading", "voices.correct"),
    ("POST", "/api/v1/voices/<int:voice_id>/unmask", "voices.unmask"),
    ("POST", "/api/v1/issues", "issues.triage"),
    ("GET", "/api/v1/issues", "issues.read"),
    ("GET", "/api/v1/issues/<code>", "issues.read"),
    ("PATCH", "/api/v1/issues/<code>", "issues.triage"),
)
