"""Routes of discovery and of the operator's words: (method, rule, act that the door demands)."""

_ROW = "<int(max=9223372036854775807):row_id>"
ROWS: tuple[tuple[str, str, str | None], ...] = (
    ("GET", "/discovery", "voices.read"),
    ("GET", f"/discovery/words/{_ROW}", "voices.read"),
    ("POST", f"/discovery/words/{_ROW}/promote", "words.edit"),
    ("POST", f"/discovery/words/{_ROW}/<any(dismiss, restore):what>", "words.edit"),
    ("GET", "/discovery/clusters", "voices.read"),
    ("POST", "/discovery/clusters", "words.edit"),
    ("POST", "/discovery/clusters/<any(merge, dismiss):what>", "words.edit"),
    ("GET", f"/discovery/clusters/{_ROW}", "voices.read"),
    ("POST", f"/discovery/clusters/{_ROW}/name", "words.edit"),
    ("POST", f"/discovery/clusters/{_ROW}/promote", "words.edit"),
    ("GET", f"/discovery/runs/{_ROW}", "voices.read"),
    ("GET", "/words", "voices.read"),
    ("POST", "/words", "words.edit"),
    ("POST", "/words/terms", "words.edit"),
    ("POST", f"/words/{_ROW}/remove", "words.edit"),
    ("POST", f"/words/terms/{_ROW}/remove", "words.edit"),
)
