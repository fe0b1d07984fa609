"""Reads of voices: one, some, and what a list is narrowed to, within the caller's scope."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, or_, select, true
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit
from experience.touchpoints.tables import Touchpoint
from experience.voices.tables import Reading, Voice

#: As the value of a filter: those that name none (no province, no touchpoint …).
UNNAMED = "-"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list of voices is narrowed to; an empty field narrows nothing. `unit` is a unit's code."""

    q: str = ""
    topic: str = ""
    label: str = ""
    urgency: int | None = None  # at least
    intent: str = ""
    touchpoint: str = ""
    unit: str = ""
    province: str = ""
    source: str = ""
    product: str = ""
    since: datetime | None = None
    until: datetime | None = None
    is_unsure: bool = False  # the model abstained and nobody has looked yet
    import_id: int | None = None
    sort: str = ""  # relevance or newest; when words are asked for, relevance unless it says otherwise


@dataclass(frozen=True, slots=True)
class Heard:
    """A voice in a list: the row, its reading, how often it was said, and where the search words stand."""

    voice: Voice
    reading: Reading | None
    times: int = 1
    found: Sequence[tuple[int, int]] = field(default=())


@dataclass(frozen=True, slots=True)
class Page:
    """Some voices and the cursor of those that follow, or None."""

    items: list[Heard]
    next: str | None


def visible(scope: Scope, voice: Any = Voice, *, act: str = "voices.read") -> ColumnElement[bool]:
    """The condition under which a voice lies where the act is held: its province, its product, or its touchpoint's."""
    reach = scope.reach(act)
    if reach.is_everything:
        return true()
    lines = sorted(reach.product_lines)
    mine: list[ColumnElement[bool]] = [col(voice.province).in_(sorted(reach.territories))]
    if lines:
        mine.append(col(voice.product).in_(lines))
        mine.append(
            col(voice.touchpoint).in_(select(col(Touchpoint.code)).where(col(Touchpoint.product_line).in_(lines)))
        )
    return or_(*mine)


def demand_row_id(voice_id: int) -> None:
    """Raises NotFound for a number no row can have, which the database would refuse to compare."""
    if not 0 < voice_id < 2**63:
        raise NotFound(say("没有这条客户原声，或不在您的范围内。"))


def one(session: Session, scope: Scope, voice_id: int) -> Heard:
    """The voice with its reading. Raises NotFound outside the scope."""
    demand_row_id(voice_id)
    row = session.execute(_both().where(col(Voice.id) == voice_id, visible(scope))).first()
    if row is None:
        raise NotFound(say("没有这条客户原声，或不在您的范围内。"))
    return Heard(*row)


def within(session: Session, scope: Scope, voice_ids: Sequence[int], act: str) -> frozenset[int]:
    """Those of these voices that lie where the act is held; the database is asked only where that differs."""
    if not scope.may(act):
        return frozenset()
    if scope.reach(act).is_everything:
        return frozenset(voice_ids)
    chosen = select(col(Voice.id)).where(col(Voice.id).in_(voice_ids), visible(scope, act=act))
    return frozenset(session.scalars(chosen))


def some(session: Session, scope: Scope, voice_ids: Sequence[int] | Select[Any]) -> list[Heard]:
    """Those of these voices that lie in the scope, newest first; the ids may be those a query finds."""
    chosen = _both().where(col(Voice.id).in_(voice_ids), visible(scope))
    return [Heard(*row) for row in session.execute(chosen.order_by(col(Voice.at).desc(), col(Voice.id).desc()))]


def conditions(scope: Scope, filters: Filters, voice: Any = Voice, reading: Any = Reading) -> list[ColumnElement[bool]]:
    """The filters and the scope as conditions on a voice and its reading (search words apart)."""
    equal = {
        voice.touchpoint: filters.touchpoint,
        voice.province: filters.province,
        voice.source: filters.source,
        voice.product: filters.product,
        reading.topic: filters.topic,
        reading.label: filters.label,
        reading.intent: filters.intent,
    }
    wanted = {column: "" if value == UNNAMED else value for column, value in equal.items() if value}
    made = [visible(scope, voice), *(col(column) == value for column, value in wanted.items())]
    if filters.urgency is not None:
        made.append(col(reading.urgency) >= filters.urgency)
    if filters.since:
        made.append(col(voice.at) >= filters.since)
    if filters.until:
        made.append(col(voice.at) < filters.until)
    if filters.unit:
        made.append(_of_unit(filters.unit, voice))
    if filters.is_unsure:
        made += [col(reading.abstains).is_(True), col(reading.corrected_at).is_(None)]
    if filters.import_id is not None:
        made.append(col(voice.import_id) == filters.import_id)
    return made


def _both() -> Any:
    both = select(Voice, Reading).outerjoin(Reading, col(Reading.voice_id) == col(Voice.id))
    kept_for_search: list[Any] = [Voice.tokens, Voice.labels]  # not read back
    return both.options(*map(defer, kept_for_search))


def _of_unit(code: str, voice: Any) -> ColumnElement[bool]:
    """Voices of the unit and everything under it, by the provinces and product lines they serve."""
    root = select(col(Unit.path)).where(col(Unit.code) == code).scalar_subquery()
    under = select(Unit).where(col(Unit.path).startswith(root)).subquery()
    is_centre = exists().where(col(Unit.code) == code, col(Unit.kind) == "centre")
    return or_(
        is_centre,
        col(voice.province).in_(select(under.c.territory).where(under.c.territory != "")),
        col(voice.product).in_(select(under.c.product_line).where(under.c.product_line != "")),
    )
