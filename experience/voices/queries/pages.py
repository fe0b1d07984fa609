"""Pages of voices: newest first or best match first, folded, with the words found."""

from collections.abc import Sequence
from dataclasses import replace

from sqlmodel import Session

from analysis import segment
from experience.organisation.permissions import Scope
from experience.readers.operations import use_current
from experience.voices import duplicates, search
from experience.voices.queries import finding
from experience.voices.queries.lists import Filters, Page, some

#: The newest so many matches are ranked; older ones are found with `sort=newest` or by narrowing the period.
RANKED = 400


def page(
    session: Session, scope: Scope, filters: Filters, *, cursor: str = "", limit: int = 50, is_folded: bool = False
) -> Page:
    """A page of voices: newest first, or the best matches first when `filters.q` asks for words.

    With `is_folded`, a text said again within a week (among ranked matches: at any time) shows once, with how often it
    was said. Raises Invalid for a cursor that is not ours.
    """
    if filters.q:
        use_current(session)  # the same words as the voices were cut with
    wanted = search.wanted(filters.q, segment.tokens, own_words=segment.words_in_use())
    if filters.q and not wanted.query:
        return Page([], None)
    is_ranked = bool(wanted.terms) and filters.sort != "newest"
    asked = finding.asked(session, scope, filters, query=wanted.query, is_folded=is_folded and not is_ranked)
    if is_ranked:
        found, following = _best(session, asked, cursor=cursor, limit=limit, is_folded=is_folded)
    else:
        found, following = _newest(session, asked, cursor=cursor, limit=limit)
    by_id = {heard.voice.id: heard for heard in some(session, scope, list(found))}
    items = [replace(by_id[id], times=times) for id, times in found.items() if id in by_id]
    if wanted.terms:
        items = [replace(heard, found=search.spans(heard.voice.masked, wanted.terms)) for heard in items]
    return Page(items, following)


def _newest(session: Session, asked: finding.Asked, *, cursor: str, limit: int) -> tuple[dict[int, int], str | None]:
    """Ids of the page and how often each was said, newest first; and the next cursor."""
    rows = finding.newest(session, asked, before=search.moment(cursor) if cursor else None, limit=limit + 1)
    shown = rows[:limit]
    following = search.cursor(shown[-1].at.isoformat(), shown[-1].id) if len(rows) > limit else None
    if not asked.is_folded:
        return dict.fromkeys((row.id for row in shown), 1), following
    counted = finding.repeats(session, asked, [row.id for row in shown])
    return _added_up(shown, counted), following


def _added_up(rows: Sequence[finding.Found], counted: dict[int, int]) -> dict[int, int]:
    """The rows with near-duplicates folded into the first of them: id -> how often it was said."""
    folds = duplicates.folded((row.id, row.fingerprint) for row in rows)
    return {fold.id: sum(counted.get(id, 1) for id in (fold.id, *fold.others)) for fold in folds}


def _best(
    session: Session, asked: finding.Asked, *, cursor: str, limit: int, is_folded: bool
) -> tuple[dict[int, int], str | None]:
    """The best of the newest matches. The cursor keeps the newest id of the first page, so that pages do not shift."""
    as_of, start = (int(value) for value in search.place(cursor, (int, int))) if cursor else (0, 0)
    rows = finding.newest(session, replace(asked, up_to_id=as_of), limit=RANKED)
    ranked = sorted(rows, key=lambda row: (-row.rank, -row.at.timestamp(), -row.id))
    best = _added_up(ranked, {}) if is_folded else dict.fromkeys((row.id for row in ranked), 1)
    shown = dict(list(best.items())[start : start + limit])
    has_more = len(best) > start + limit
    newest_id = as_of or max((row.id for row in rows), default=0)
    return shown, search.cursor(newest_id, start + limit) if has_more else None
