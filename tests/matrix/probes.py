"""Routes of the probes: (method, rule, act); act None is open to everybody."""

ROWS: tuple[tuple[str, str, str | None], ...] = (
    ("GET", "/sdk/v1.js", None),
    ("GET", "/demo/hall", None),
    ("POST", "/demo/hall/pay", None),
    ("GET", "/probes/static/<path:filename>", None),
    ("GET", "/api/v1/touchpoints", "touchpoints.read"),
    ("GET", "/api/v1/touchpoints/<code>/indicators", "touchpoints.read"),
    ("GET", "/api/v1/anomalies", "touchpoints.read"),
    ("POST", "/api/v1/anomalies/<code>/dismiss", "anomalies.judge"),
    ("POST", "/api/v1/anomalies/<code>/issue", "issues.triage"),
)
