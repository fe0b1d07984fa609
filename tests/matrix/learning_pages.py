"""Routes of the pages of learning: judging by keyboard, the correction queue, the models."""

ROWS: tuple[tuple[str, str, str | None], ...] = (
    ("POST", "/voices/<int(max=9223372036854775807):voice_id>/reading/undo", "voices.correct"),
    ("GET", "/learning/queue", "voices.correct"),
    ("POST", "/learning/queue/<int(max=9223372036854775807):voice_id>", "voices.correct"),
    ("POST", "/learning/queue/back", "voices.correct"),
    ("GET", "/models", "models.see"),
    ("GET", "/models/<version>", "models.see"),
    ("GET", "/models/progress", "models.see"),
    ("GET", "/models/<any(train, back, reread):what>", "models.see"),
    ("POST", "/models/train", "models.change"),
    ("POST", "/models/<version>/promote", "models.change"),
    ("POST", "/models/back", "models.change"),
    ("POST", "/models/reread/<any(start, pause, resume, stop):what>", "models.change"),
)
