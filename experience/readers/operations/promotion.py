"""Candidates, and which of them reads: a person promotes one past the gate, or goes back to the one before."""

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from analysis import evaluation
from experience.audit.operations import record
from experience.ground.errors import Conflict, Invalid, NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.readers import queries
from experience.readers.operations.current import bump
from experience.readers.tables import ARTEFACT_LIMIT, ReaderState, ReadingModel


def add_candidate(
    session: Session, scope: Scope, artefact: bytes, card: dict[str, Any], *, now: datetime
) -> ReadingModel:
    """Keeps a trained model with its card; the one already there when the version is known. It does not read yet.

    `card["report"]` is the model's `evaluation.Report` on the gold set: where the gate refuses it against what reads
    now, the row is `refused` and says why. Raises Invalid for a file over 2 MB or a card without version or report.
    """
    scope.demand_everywhere("models.change")
    if len(artefact) > ARTEFACT_LIMIT or not card.get("version") or "report" not in card:
        raise Invalid(say("模型文件不能超过 2 MB，且须带有版本和金标集评测结果。"))
    reasons = _reasons(session, card)
    row = {
        "version": card["version"],
        "made_at": now,
        "made_by_id": scope.user_id,
        "state": "refused" if reasons else "candidate",
        "artefact": artefact,
        "card": card,
        "reason": "；".join(reasons),
    }
    made = insert(ReadingModel).values(row).on_conflict_do_nothing(index_elements=["version"])
    if session.execute(made.returning(col(ReadingModel.id))).scalar() is not None:
        detail = {"state": row["state"], "base": card.get("base", "")}
        record(session, scope, "models.add", ("reading_model", card["version"]), now=now, detail=detail)
    return _row(session, card["version"])


def promote(
    session: Session,
    scope: Scope,
    version: str,
    *,
    now: datetime,
    instead_of: str | None = None,
    is_forced: bool = False,
) -> ReadingModel | None:
    """Lets this version read in all processes from the commit on; None for the shipped one, which needs no gate.

    Raises NotFound for an unknown version; Conflict when the gate refuses (naming the score and its fall), when the
    version reads already, and when `instead_of` is given and another version reads by now.
    """
    scope.demand_everywhere("models.change")
    state = _locked(session)
    now_reads = _demand_unmoved(session, instead_of)
    if queries.is_shipped(version):
        if state.model_id is None:
            raise Conflict(say("正在使用的就是随产品发布的模型。"))
        return _switch(session, scope, state, None, now=now, detail={"from": now_reads})
    chosen = _row(session, version)
    if chosen.state == "current":
        raise Conflict(say("正在使用的就是模型 %(version)s。", version=version))
    reasons = _reasons(session, chosen.card)
    if reasons and not is_forced:
        raise Conflict(say("没有启用 %(version)s：%(reasons)s。", version=version, reasons="；".join(reasons)))
    chosen.followed_id = state.model_id
    detail = {"from": now_reads, **({"forced": list(reasons)} if reasons else {})}
    return _switch(session, scope, state, chosen, now=now, detail=detail)


def roll_back(session: Session, scope: Scope, *, now: datetime, instead_of: str | None = None) -> ReadingModel | None:
    """Lets that version read again which the current one took the place of; None when that is the shipped one.

    Raises Conflict when the shipped model reads already, or another than `instead_of`.
    """
    scope.demand_everywhere("models.change")
    state = _locked(session)
    now_reads = _demand_unmoved(session, instead_of)
    if state.model_id is None:
        raise Conflict(say("正在使用随产品发布的模型，没有更早的版本可以退回。"))
    followed = session.get_one(ReadingModel, state.model_id, options=[defer(ReadingModel.artefact)]).followed_id  # type: ignore[arg-type]
    chosen = session.get(ReadingModel, followed, options=[defer(ReadingModel.artefact)]) if followed else None  # type: ignore[arg-type]
    return _switch(session, scope, state, chosen, now=now, detail={"from": now_reads, "is_back": True})


def _switch(
    session: Session,
    scope: Scope,
    state: ReaderState,
    chosen: ReadingModel | None,
    *,
    now: datetime,
    detail: dict[str, Any],
) -> ReadingModel | None:
    """One step for all processes: the old retires, the new reads, the revision moves."""
    session.execute(update(ReadingModel).where(col(ReadingModel.state) == "current").values(state="retired"))
    if chosen is not None:
        chosen.state, chosen.reason = "current", ""
        chosen.promoted_at, chosen.promoted_by_id = now, scope.user_id
        session.add(chosen)
    state.model_id = chosen.id if chosen else None
    session.add(state)
    session.flush()
    bump(session)
    version = chosen.version if chosen else queries.SHIPPED
    record(session, scope, "models.change", ("reading_model", version), now=now, detail=detail)
    return chosen


def _locked(session: Session) -> ReaderState:
    """The state, held until the transaction ends: two promotions go one after the other."""
    row = insert(ReaderState).values(id=1, revision=0)
    session.execute(row.on_conflict_do_nothing(index_elements=["id"]))
    held = select(ReaderState).with_for_update()
    return session.exec(held, execution_options={"populate_existing": True}).one()


def _demand_unmoved(session: Session, instead_of: str | None) -> str:
    now_reads = queries.current_version(session)
    if instead_of not in (None, now_reads):
        sentence = say("别人刚刚换了模型，现在使用的是 %(version)s。请刷新后再试。", version=now_reads)
        raise Conflict(sentence, {"version": now_reads})
    return now_reads


def _reasons(session: Session, card: dict[str, Any]) -> tuple[str, ...]:
    """Why the gate refuses this card against what reads now; empty when it does not."""
    return evaluation.may_replace(queries.current_report(session), evaluation.report_of(card["report"]))


def _row(session: Session, version: str) -> ReadingModel:
    wanted = select(ReadingModel).where(ReadingModel.version == version).options(defer(ReadingModel.artefact))  # type: ignore[arg-type]
    found = session.exec(wanted.with_for_update(), execution_options={"populate_existing": True}).first()
    if found is None:
        raise NotFound(say("没有模型 %(version)s：用 huisheng model list 查看已有的模型。", version=version))
    return found
