"""Publications as this process knows them: parsed once, with their form class; never stale."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from surveys.definition import SurveyDefinition, parse, written
from surveys.forms import AnswerForm, form_for
from surveys.logic import references
from surveys.tables import Publication

KEPT = 500  # publications held in memory; the least lately used goes first

#: Parts of a definition that are the operator's own business.
_PRIVATE = ("distribution", "quotas", "actions")


@dataclass(frozen=True, slots=True)
class Published:
    """A frozen version, ready to use. `public` is what a browser is given, `tags` what its logic asks of a customer."""

    id: int
    version: int
    definition: SurveyDefinition
    form: type[AnswerForm]
    public: Mapping[str, Any]
    tags: frozenset[str]


_known: OrderedDict[tuple[int, str], Published] = OrderedDict()


def published(session: Session, publication_id: int, sha256: str) -> Published:
    """The publication, from memory when this very text was parsed before. Raises NotFound."""
    key = (publication_id, sha256)
    if key not in _known:
        row = session.get(Publication, publication_id)
        if row is None:
            raise NotFound(say("没有这一版问卷。"))
        _known[key] = _ready(row)
        if len(_known) > KEPT:
            _known.popitem(last=False)
    _known.move_to_end(key)
    return _known[key]


def _ready(row: Publication) -> Published:
    definition = parse(row.definition)
    return Published(
        id=row.id or 0,
        version=row.version,
        definition=definition,
        form=form_for(definition),
        public={name: part for name, part in written(definition).items() if name not in _PRIVATE},
        tags=frozenset(ref.partition(".")[2] for ref in references(definition) if ref.startswith("tag.")),
    )
