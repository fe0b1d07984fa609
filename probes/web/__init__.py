"""The probes' doors: the script, the demo hall and its tour, and the staff pages about touchpoints."""

from flask import Flask

from experience.web.assembly import register_operations
from probes.web import anomalies, hall, sdk, touchpoints, tour, triggers
from probes.web.described import describe

#: Page modules, each with a `bp`.
PAGES = (sdk, hall, tour, touchpoints, anomalies, triggers)
#: Modules of operations; importing one registers it.
OPERATIONS = ("api",)


def register(app: Flask) -> None:
    """Gives the application the probes' pages and operations."""
    sdk.script()  # minified when the app starts, so that the first visitor does not wait
    for module in PAGES:
        app.register_blueprint(module.bp)
    register_operations(app, "probes.web", OPERATIONS)
    describe()
