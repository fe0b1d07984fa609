"""The probes' doors: the script, the demo hall and its tour, and the staff pages about touchpoints."""

from flask import Flask

from experience.web.assembly import register_operations
from probes.web import sdk

#: Modules of operations; importing one registers it.
OPERATIONS = ("api",)


def register(app: Flask) -> None:
    """Gives the application the probes' pages and operations."""
    sdk.script()  # minified when the app starts, so that the first visitor does not wait
    app.register_blueprint(sdk.bp)
    register_operations(app, "probes.web", OPERATIONS)
