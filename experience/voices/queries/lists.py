"""Reads of voices: one, a page of many, searched and folded, within the caller's scope."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, cast, exists, func, literal, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import aliased, defer
from sqlmodel import Session, col

from analysis import segment
from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit
from experience.touchpoints.tables import Touchpoint
from experience.voices import duplicates, search
from experience.voices.tables import Reading, Voice

#: A text said again within this time is a repeat of the newer one.
FOLD_WINDOW = timedelta(days=7)
_WINDOW = literal(FOLD_WINDOW, Interval)
#: With a search text, the newest so many matches are ranked; older ones are found by narrowing the period.
RANKED = 1_000


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


def some(session: Session, scope: Scope, voice_ids: Sequence[int]) -> list[Heard]:
    """Those of these voices that lie in the scope, newest first."""
    chosen = _both().where(col(Voice.id).in_(voice_ids), visible(scope))
    return [Heard(*row) for row in session.execute(chosen.order_by(col(Voice.at).desc(), col(Voice.id).desc()))]


def page(
    session: Session, scope: Scope, filters: Filters, *, cursor: str = "", limit: int = 50, is_folded: bool = False
) -> Page:
    """A page of voices: newest first, or the best matches first when `filters.q` asks for words.

    With `is_folded`, a text said again within a week shows once, at its newest, with how often it was said.
    Raises Invalid for a cursor that is not ours.
    """
    wanted = search.wanted(filters.q, segment.tokens)
    if filters.q and not wanted.query:
        return Page([], None)
    if wanted.query:
        return _ranked(session, scope, (filters, wanted), cursor=cursor, limit=limit)
    chosen = _both().where(*conditions(scope, filters))
    if is_folded:
        chosen = chosen.where(_is_newest_of_its_kind(scope, filters))
    if cursor:
        at, id = search.moment(cursor)
        chosen = chosen.where(tuple_(col(Voice.at), col(Voice.id)) < tuple_(literal(at), literal(id)))
    rows = session.execute(chosen.order_by(col(Voice.at).desc(), col(Voice.id).desc()).limit(limit + 1)).all()
    items = [Heard(*row) for row in rows[:limit]]
    last = items[-1].voice if len(rows) > limit else None
    following = search.cursor(last.at.isoformat(), last.id or 0) if last else None
    return Page(_folded(session, scope, filters, items) if is_folded else items, following)


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
    made = [visible(scope, voice), *(col(column) == value for column, value in equal.items() if value)]
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
    return both.options(defer(Voice.tokens))  # type: ignore[arg-type]  # what is kept for the search is not read back


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


def _ranked(session: Session, scope: Scope, asked: tuple[Filters, search.Wanted], *, cursor: str, limit: int) -> Page:
    """The best of the newest matches. The cursor keeps the newest id of the first page, so that pages do not shift."""
    filters, wanted = asked
    query = cast(wanted.query, TSQUERY)
    matches: Any = (
        select(col(Voice.id).label("id"), col(Voice.tokens).label("tokens"))
        .outerjoin(Reading, col(Reading.voice_id) == col(Voice.id))
        .where(col(Voice.tokens).op("@@")(query), *conditions(scope, filters))
        .order_by(col(Voice.at).desc(), col(Voice.id).desc())
        .limit(RANKED)
    )
    as_of, start = search.place(cursor, (int, int)) if cursor else (None, 0)
    if as_of is not None:
        matches = matches.where(col(Voice.id) <= as_of)
    newest = matches.subquery()
    scored = session.execute(select(newest.c.id, func.ts_rank_cd(newest.c.tokens, query))).all()
    best = [id for id, _ in sorted(scored, key=lambda row: (-row[1], -row[0]))]
    shown = best[int(start) : int(start) + limit]
    by_id = {heard.voice.id: heard for heard in some(session, scope, shown)}
    items = [replace(by_id[id], found=search.spans(by_id[id].voice.masked, wanted.terms)) for id in shown]
    has_more = len(best) > int(start) + limit
    return Page(items, search.cursor(as_of or max(best), int(start) + limit) if has_more else None)


def _is_newest_of_its_kind(scope: Scope, filters: Filters) -> ColumnElement[bool]:
    """Whether no newer voice of the same list, within a week, says exactly the same."""
    newer: Any = aliased(Voice)
    its_reading: Any = aliased(Reading)
    again = (
        exists()
        .where(
            newer.fingerprint == col(Voice.fingerprint),
            newer.fingerprint != 0,
            tuple_(newer.at, newer.id) > tuple_(col(Voice.at), col(Voice.id)),
            newer.at < col(Voice.at) + _WINDOW,
        )
        .where(its_reading.voice_id == newer.id, *conditions(scope, filters, newer, its_reading))
    )
    return ~again


def _folded(session: Session, scope: Scope, filters: Filters, items: Sequence[Heard]) -> list[Heard]:
    """The page with near-duplicates folded into their newest, each with how often it was said in its week."""
    folds = duplicates.folded((heard.voice.id or 0, heard.voice.fingerprint) for heard in items)
    by_id = {heard.voice.id or 0: heard for heard in items}
    counted = _repeats(session, scope, filters, items)
    times = {fold.id: sum(counted.get(id, 1) for id in (fold.id, *fold.others)) for fold in folds}
    return [replace(by_id[fold.id], times=times[fold.id]) for fold in folds]


def _repeats(session: Session, scope: Scope, filters: Filters, items: Sequence[Heard]) -> dict[int, int]:
    """How many of the same list say exactly the same in the week up to each of these voices, itself counted."""
    same: Any = aliased(Voice)
    its_reading: Any = aliased(Reading)
    counted = (
        select(col(Voice.id), func.count())
        .join(same, same.fingerprint == col(Voice.fingerprint))
        .outerjoin(its_reading, its_reading.voice_id == same.id)
        .where(col(Voice.id).in_([heard.voice.id for heard in items if heard.voice.fingerprint]))
        .where(same.at <= col(Voice.at), same.at > col(Voice.at) - _WINDOW)
        .where(*conditions(scope, filters, same, its_reading))
        .group_by(col(Voice.id))
    )
    return {id: int(n) for id, n in session.execute(counted)}
