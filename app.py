"""Wires the house: settings, store, doors, jobs and commands. Holds no rule.

Everything heavy is imported inside the functions, so that `huisheng analyse` starts without web and database.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experience.cli import command_group, lend

if TYPE_CHECKING:
    from flask import Flask

    from experience.demo.past import Stage
    from experience.ground.config import Settings
    from experience.ground.sweep import Job

#: Commands of the rooms above `experience`: name -> (where, what it does).
COMMANDS: Mapping[str, tuple[str, str]] = {
    "detect": ("probes.cli:detect", "指标异动检测 · anomaly detector on a file"),
}


def create_app(settings: "Settings | None" = None) -> "Flask":
    """The web application on the configured database."""
    from experience.ground import config, postgres, store
    from experience.web.assembly import make
    from probes import web as probes_web
    from probes.web.collect import InFront
    from surveys import web as surveys_web

    chosen = settings or config.settings()
    engine = store.engine(postgres.url(chosen), pool=chosen.database_pool)
    app = make(chosen, engine)
    surveys_web.register(app)
    probes_web.register(app)
    app.wsgi_app = InFront(app.wsgi_app, engine)  # type: ignore[method-assign]
    lend(app.cli, main)  # `flask --app app due …` as `huisheng due …`
    return app


def jobs() -> "Sequence[Job]":
    """Every job, in the order in which one's row is the next one's work."""
    from experience.jobs import JOBS as EXPERIENCE
    from probes.jobs import JOBS as PROBES
    from surveys.jobs import JOBS as SURVEYS

    return (*PROBES, *SURVEYS, *EXPERIENCE)


def demo() -> "Sequence[Stage]":
    """The stages that fill a demo's past, in flow order, and last what can only be said of the whole of it."""
    from experience.demo.filling import CLOSING
    from experience.demo.filling import STAGES as EXPERIENCE
    from probes.demo import STAGES as PROBES
    from surveys.demo import STAGES as SURVEYS

    return (*EXPERIENCE, *SURVEYS, *PROBES, *CLOSING)


main = command_group(create_app, jobs, COMMANDS, demo)
