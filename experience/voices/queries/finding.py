"""The newest voices that fit, out of a million, whatever the words and filters are.

The newest voices are looked through first: what is common is found there at once. What is not is rare enough that the
one index over words and labels (`ix_voice_find`, see migration 0005) lists all of it. Either way the work is bounded,
which the planner alone cannot promise: it takes words and filters for independent, and walks through everything for a
word that hardly occurs with a topic.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Interval, Text, cast, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from experience.organisation.permissions import Scope
from experience.organisation.tables import Unit
from experience.touchpoints.tables import Touchpoint
from experience.voices.queries.lists import UNNAMED, Filters
from experience.voices.tables import Voice

#: So many of the newest voices are looked through before the index is asked.
WALKED = 20_000
#: A period of at most so many months is found by its months.
MOST_MONTHS = 36
#: A text said again within this time is a repeat of the newer one.
FOLD_WINDOW = timedelta(days=7)
_WINDOW = literal(FOLD_WINDOW, Interval)
_FIELDS = {"t": "topic", "l": "label", "i": "intent", "k": "touchpoint", "p": "province", "s": "source", "d": "product"}


class Found(NamedTuple):
    """A voice that fits, and how well the words fit."""

    id: int
    at: datetime
    fingerprint: int
    rank: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What a voice must fit, ready for the database: its labels, the words, and the period.

    Every label of `all_of` must be there, and one of each group of `any_of`; a group of none fits nothing.
    """

    all_of: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    query: str = ""
    since: datetime | None = None
    until: datetime | None = None
    import_id: int | None = None
    up_to_id: int = 0
    is_folded: bool = False

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the period narrows the list."""
        return bool(self.all_of or self.any_of or self.query)


def asked(session: Session, scope: Scope, filters: Filters, *, query: str = "", is_folded: bool = False) -> Asked:
    """The filters within the scope, units and product lines looked up."""
    all_of = [
        f"{mark}:{'' if value == UNNAMED else value}"
        for mark, field in _FIELDS.items()
        if (value := getattr(filters, field))
    ]
    all_of += [f"u:{filters.urgency}"] if filters.urgency else []
    all_of += ["unsure"] if filters.is_unsure else []
    any_of = [group for group in (_of_scope(session, scope), _of_unit(session, filters.unit)) if group is not None]
    any_of += [months] if (months := _months(filters.since, filters.until)) else []
    return Asked(
        all_of=tuple(all_of),
        any_of=tuple(any_of),
        query=query,
        since=filters.since,
        until=filters.until,
        import_id=filters.import_id,
        is_folded=is_folded,
    )


def _of_scope(session: Session, scope: Scope) -> tuple[str, ...] | None:
    """The labels of which a voice within the scope has one; None when all voices are."""
    reach = scope.reach("voices.read")
    if reach.is_everything:
        return None
    lines = sorted(reach.product_lines)
    places = [f"p:{territory}" for territory in sorted(reach.territories)]
    if not lines:
        return tuple(places)
    touched = session.scalars(select(col(Touchpoint.code)).where(col(Touchpoint.product_line).in_(lines)))
    return (*places, *(f"d:{line}" for line in lines), *(f"k:{code}" for code in touched))


def _of_unit(session: Session, code: str) -> tuple[str, ...] | None:
    """The labels of the provinces and product lines served by the unit and those under it."""
    if not code:
        return None
    root = session.execute(select(col(Unit.path), col(Unit.kind)).where(col(Unit.code) == code)).first()
    if root is None:
        return ()
    if root.kind == "centre":
        return None
    under = session.execute(
        select(col(Unit.territory), col(Unit.product_line)).where(col(Unit.path).startswith(root.path))
    ).all()
    named = [f"p:{row.territory}" for row in under if row.territory]
    return tuple(sorted({*named, *(f"d:{row.product_line}" for row in under if row.product_line)}))


def _months(since: datetime | None, until: datetime | None) -> tuple[str, ...]:
    """The labels of the months (UTC) a period touches; none for one without an end or too long to name."""
    if since is None or until is None or not timedelta(0) < until - since < timedelta(days=30 * MOST_MONTHS):
        return ()
    first, last = (moment.astimezone(UTC) for moment in (since, until))
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return tuple(f"m:{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers)


def newest(session: Session, wanted: Asked, *, before: tuple[datetime, int] | None = None, limit: int) -> list[Found]:
    """The newest voices that fit, newest first, at most `limit`."""
    if () in wanted.any_of:
        return []
    found = session.execute(walk(wanted, before, limit)).all()
    if len(found) < limit and is_bounded(wanted):
        found = session.execute(look_up(wanted, before, limit)).all()
    return [Found(*row) for row in found]


def is_bounded(wanted: Asked) -> bool:
    """Whether the walk stops after some voices: not when it can go by an index of what is asked."""
    return wanted.import_id is None and wanted.is_narrow


def walk(wanted: Asked, before: tuple[datetime, int] | None, limit: int) -> Any:
    """The statement that looks through the newest voices."""
    if not is_bounded(wanted):
        return _ordered(Voice, wanted).where(*_period(wanted, before), *_fits(Voice, wanted)).limit(limit)
    among: Any = select(Voice).where(*_period(wanted, before)).order_by(col(Voice.at).desc(), col(Voice.id).desc())
    voice: Any = aliased(Voice, among.limit(WALKED).subquery("among"))
    return _ordered(voice, wanted).where(*_fits(voice, wanted)).limit(limit)


def look_up(wanted: Asked, before: tuple[datetime, int] | None, limit: int) -> Any:
    """The statement that lists all that fit by the index, then sorts; `offset 0` keeps the planner from walking."""
    listed = select(Voice).where(*_period(wanted, before), *_fits(Voice, wanted)).offset(0)
    return _ordered(aliased(Voice, listed.subquery("listed")), wanted).limit(limit)


def _ordered(voice: Any, wanted: Asked) -> Any:
    rank = func.ts_rank_cd(voice.tokens, cast(wanted.query, TSQUERY)) if wanted.query else literal(0.0)
    return select(voice.id, voice.at, voice.fingerprint, rank).order_by(voice.at.desc(), voice.id.desc())


def _period(wanted: Asked, before: tuple[datetime, int] | None) -> list[ColumnElement[bool]]:
    made: list[ColumnElement[bool]] = []
    if wanted.since:
        made.append(col(Voice.at) >= wanted.since)
    if wanted.until:
        made.append(col(Voice.at) < wanted.until)
    if wanted.import_id is not None:
        made.append(col(Voice.import_id) == wanted.import_id)
    if wanted.up_to_id:
        made.append(col(Voice.id) <= wanted.up_to_id)
    if before is not None:
        made.append(tuple_(col(Voice.at), col(Voice.id)) < tuple_(literal(before[0]), literal(before[1])))
    return made


def _fits(voice: Any, wanted: Asked) -> list[ColumnElement[bool]]:
    made = labelled(voice, wanted)
    if wanted.query:
        made.append(voice.tokens.op("@@")(cast(wanted.query, TSQUERY)))
    if wanted.is_folded:
        made.append(_is_newest_of_its_kind(voice, wanted))
    return made


def labelled(voice: Any, wanted: Asked) -> list[ColumnElement[bool]]:
    """The conditions on a voice's labels."""
    groups = [group for group in wanted.any_of if len(group) > 1]
    all_of = [*wanted.all_of, *(group[0] for group in wanted.any_of if len(group) == 1)]
    made = [voice.labels.op("&&")(_array(group)) for group in groups]
    return [*made, voice.labels.op("@>")(_array(all_of))] if all_of else made


def _array(labels: Sequence[str]) -> Any:
    return cast(list(labels), ARRAY(Text))


def _is_newest_of_its_kind(voice: Any, wanted: Asked) -> ColumnElement[bool]:
    """Whether no newer voice of the same list, within a week, says exactly the same.

    The words need no second look, the text being the same. `offset 0` has it asked of each voice shown, by the index,
    where the planner might else join the list with all voices.
    """
    newer: Any = aliased(Voice)
    again = (
        select(literal(1))
        .where(
            newer.fingerprint == voice.fingerprint,
            newer.fingerprint != 0,
            newer.at >= voice.at,
            tuple_(newer.at, newer.id) > tuple_(voice.at, voice.id),
            newer.at < voice.at + _WINDOW,
            *_same_list(newer, wanted),
        )
        .offset(0)
        .exists()
    )
    return ~again


def _same_list(voice: Any, wanted: Asked) -> list[ColumnElement[bool]]:
    made = labelled(voice, wanted)
    if wanted.since:
        made.append(voice.at >= wanted.since)
    if wanted.until:
        made.append(voice.at < wanted.until)
    if wanted.import_id is not None:
        made.append(voice.import_id == wanted.import_id)
    return made


def repeats(session: Session, wanted: Asked, ids: Sequence[int]) -> dict[int, int]:
    """How many of the same list say exactly the same in the week up to each of these voices, itself counted."""
    same: Any = aliased(Voice)
    counted = (
        select(func.count())
        .where(
            same.fingerprint == col(Voice.fingerprint),
            same.at <= col(Voice.at),
            same.at > col(Voice.at) - _WINDOW,
            *_same_list(same, wanted),
        )
        .correlate(Voice)
        .scalar_subquery()
    )
    told = select(col(Voice.id), counted).where(col(Voice.id).in_(ids), col(Voice.fingerprint) != 0)
    return {id: int(n) for id, n in session.execute(told)}
