"""Routes of topics and of issues like one another: (method, rule, act that the door demands)."""

ROWS: tuple[tuple[str, str, str | None], ...] = (
    ("GET", "/issues/alike", "issues.triage"),
    ("GET", "/topics", "voices.read"),
    ("GET", "/topics/<code>", "voices.read"),
    ("GET", "/topics/<code>/export.<any(csv, xlsx):kind>", "voices.read"),
    ("GET", "/topics/export.<any(csv, xlsx):kind>", "voices.read"),
)
