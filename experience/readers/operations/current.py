"""Read with what was chosen for all processes: looked up before every batch, loaded only when it moved."""

import threading
from dataclasses import dataclass

import structlog
from sqlalchemy import URL
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from analysis import model as models
from analysis import retraining, segment, topics
from experience.readers.tables import REVISIONS, OperatorWord, ReaderState, ReadingModel, TopicTerm

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What this process has loaded, and under which revision of which database."""

    place: URL
    revision: int
    model_id: int | None
    model: models.Model


class _Desk:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.loaded: _Loaded | None = None


_desk = _Desk()


def use_current(session: Session) -> models.Model:
    """The model every process reads with now; the operator's words and terms are then in use too.

    One look at one row; only when that moved is anything loaded. A batch keeps the model it was given to its end, so no
    batch is read by two. A stored model that does not fit this code is logged and the shipped one reads instead.
    """
    place = session.get_bind().engine.url
    found = session.execute(select(ReaderState.revision, ReaderState.model_id)).first()
    revision, model_id = found if found is not None else (0, None)
    loaded = _desk.loaded
    if loaded is None or (loaded.place, loaded.revision, loaded.model_id) != (place, revision, model_id):
        with _desk.lock:
            loaded = _desk.loaded = _load(session, _desk.loaded, place, revision, model_id)
    return loaded.model


def bump(session: Session) -> None:
    """Tells every process, once this transaction is committed, that what is read with has changed."""
    row = insert(ReaderState).values(id=1, revision=REVISIONS.next_value())
    session.execute(row.on_conflict_do_update(index_elements=["id"], set_={"revision": row.excluded.revision}))


def forget() -> None:
    """Lets go of what was loaded and reads with the shipped words alone; for tests and for what ends."""
    with _desk.lock:
        _desk.loaded = None
        topics.use(())
        if segment.words_in_use():
            segment.use()


def _load(session: Session, before: _Loaded | None, place: URL, revision: int, model_id: int | None) -> _Loaded:
    if before is not None and (before.place, before.model_id) == (place, model_id):
        model = before.model
    else:
        model = _model(session, model_id)
    words = {word.strip().lower() for word in session.exec(select(OperatorWord.word))}
    if words != segment.words_in_use():
        segment.use(words)
    terms = session.execute(select(TopicTerm.term, TopicTerm.code, TopicTerm.detail).order_by(col(TopicTerm.id)))
    topics.use([(term, code, detail) for term, code, detail in terms])
    return _Loaded(place, revision, model_id, model)


def _model(session: Session, model_id: int | None) -> models.Model:
    if model_id is not None:
        artefact, card = session.execute(
            select(ReadingModel.artefact, ReadingModel.card).where(ReadingModel.id == model_id)
        ).one()
        try:
            return retraining.unpacked(artefact, card)
        except ValueError as misfit:
            log.error("the chosen model does not fit this code; the shipped one reads", reason=str(misfit))
    return models.load(models.SHIPPED)
