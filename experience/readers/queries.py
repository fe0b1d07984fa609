"""Reads of the models: versions, cards, reports on the gold set; the shipped one stands among them without a row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from analysis import evaluation, labelled
from analysis import model as models
from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.organisation.tables import User
from experience.readers.tables import ReaderState, ReadingModel

#: How people call the model that comes with the product; its own version is `shipped_version()`.
SHIPPED = "shipped"
#: Versions shown; older ones are found by name.
MOST_VERSIONS = 100


@dataclass(frozen=True, slots=True)
class Version:
    """A model in the list. `state`: candidate, current, retired, refused. `card` is its whole card (see docs)."""

    version: str
    state: str
    is_shipped: bool
    made_at: datetime | None  # None: with the product
    made_by: str
    promoted_at: datetime | None
    promoted_by: str
    reason: str
    card: Mapping[str, Any]


def versions(session: Session, scope: Scope) -> list[Version]:
    """Every model, newest first, the shipped one last."""
    scope.demand("models.see")
    newest = select(ReadingModel).options(defer(ReadingModel.artefact))  # type: ignore[arg-type]
    rows = session.exec(newest.order_by(col(ReadingModel.made_at).desc(), col(ReadingModel.id).desc()))
    found = rows.fetchmany(MOST_VERSIONS)
    ids = {id for row in found for id in (row.made_by_id, row.promoted_by_id) if id}
    names = dict(session.execute(select(User.id, User.name).where(col(User.id).in_(ids))).all())
    is_shipped_current = all(row.state != "current" for row in found)
    return [*(_line(row, names) for row in found), _shipped_line(is_current=is_shipped_current)]


def version(session: Session, scope: Scope, name: str) -> Version:
    """One model; `shipped` or its own version for the shipped one. Raises NotFound."""
    scope.demand("models.see")
    if is_shipped(name):
        return _shipped_line(is_current=_current(session) is None)
    wanted = select(ReadingModel).where(ReadingModel.version == name).options(defer(ReadingModel.artefact))  # type: ignore[arg-type]
    row = session.exec(wanted).first()
    if row is None:
        raise NotFound(say("没有模型 %(version)s：用 huisheng model list 查看已有的模型。", version=name))
    ids = [id for id in (row.made_by_id, row.promoted_by_id) if id]
    names = dict(session.execute(select(User.id, User.name).where(col(User.id).in_(ids))).all())
    return _line(row, names)


def artefact(session: Session, scope: Scope, name: str) -> bytes:
    """The .npz of a version. Raises NotFound."""
    scope.demand("models.see")
    if is_shipped(name):
        return models.SHIPPED.read_bytes()
    found = session.exec(select(ReadingModel.artefact).where(ReadingModel.version == name)).first()
    if found is None:
        raise NotFound(say("没有模型 %(version)s：用 huisheng model list 查看已有的模型。", version=name))
    return found


def current_version(session: Session) -> str:
    """The version every process reads with."""
    row = _current(session)
    return row.version if row else shipped_version()


def current_report(session: Session) -> evaluation.Report:
    """How well the version in use reads the gold set."""
    row = _current(session)
    return evaluation.report_of(row.card["report"]) if row else shipped_report()


def shipped_version() -> str:
    """The version of the model that comes with the product."""
    return models.load(models.SHIPPED).version


def is_shipped(name: str) -> bool:
    """Whether this names the shipped model."""
    return name in (SHIPPED, shipped_version())


@cache
def shipped_report() -> evaluation.Report:
    """How well the shipped model reads the gold set; measured once a process (half a second)."""
    return evaluation.evaluate(models.load(models.SHIPPED), labelled.voices(labelled.GOLD))


def _current(session: Session) -> ReadingModel | None:
    chosen = select(ReadingModel).join(ReaderState, col(ReaderState.model_id) == col(ReadingModel.id))
    return session.exec(chosen.options(defer(ReadingModel.artefact))).first()  # type: ignore[arg-type]


def _line(row: ReadingModel, names: Mapping[int | None, str]) -> Version:
    return Version(
        version=row.version,
        state=row.state,
        is_shipped=False,
        made_at=row.made_at,
        made_by=names.get(row.made_by_id, ""),
        promoted_at=row.promoted_at,
        promoted_by=names.get(row.promoted_by_id, ""),
        reason=row.reason,
        card=row.card,
    )


def _shipped_line(*, is_current: bool) -> Version:
    card = json.loads(models.SHIPPED.with_suffix(".json").read_text(encoding="utf-8"))
    return Version(
        version=card["version"],
        state="current" if is_current else "retired",
        is_shipped=True,
        made_at=None,
        made_by="",
        promoted_at=None,
        promoted_by="",
        reason="",
        card={**card, "report": shipped_report().document()},
    )
