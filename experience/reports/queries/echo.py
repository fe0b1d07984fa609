"""What became of a customer's word: read by receipt or by voice, for its author and for everybody."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col, select

from analysis import normalise
from experience.issues import queries as issues
from experience.issues.tables import Issue, IssueSource
from experience.orders.tables import Effect, FollowUp, WorkOrder
from experience.organisation.tables import Unit
from experience.reports.echo import AskedAgain, Facts, OrderSeen
from experience.voices.tables import Reading, Voice


@dataclass(frozen=True, slots=True)
class Story:
    """The author's words and all that is known of them."""

    voices: Sequence[Voice]
    facts: Facts
    issue: Issue | None
    effects: Sequence[Effect]


@dataclass(frozen=True, slots=True)
class Mended:
    """Something that was mended: the issue, how many said so, one of their words, what was done, its effect."""

    issue: Issue
    voices: int
    said: str
    measure: str
    unit: str
    effect: Effect | None


def story(session: Session, voices: Sequence[Voice]) -> Story:
    """What became of these words of one author; there is at least one."""
    first = min(voices, key=lambda voice: voice.id or 0)
    ids = [voice.id for voice in voices if voice.id is not None]
    reading = session.exec(
        select(Reading).where(col(Reading.voice_id).in_(ids)).order_by(col(Reading.urgency).desc()).limit(1)
    ).first()
    issue = next(iter(issues.of_voices(session, ids)), None)
    order = _order(session, issue.id) if issue and issue.id else None
    effects = _effects(session, issue.id) if issue and issue.id else []
    shown = issue if issue and issue.state != "candidate" else None
    facts = Facts(
        heard_at=first.heard_at,
        read_at=first.read_at,
        topic=reading.topic if reading else "",
        label=reading.label if reading else "",
        board_state=first.board_state,
        issue_state=shown.state if shown else "",
        issue_at=shown.opened_at if shown else None,
        others=_others(session, shown.id, ids) if shown and shown.id else 0,
        order=order,
        asked=_asked(session, ids),
        has_effect=bool(effects),
    )
    return Story(voices, facts, shown, effects)


def _order(session: Session, issue_id: int) -> OrderSeen | None:
    """The newest top order of the issue that was sent and not called off."""
    chosen = (
        select(WorkOrder, Unit.name)
        .join(Unit, col(Unit.id) == col(WorkOrder.unit_id))
        .where(WorkOrder.issue_id == issue_id, col(WorkOrder.dispatched_at).is_not(None))
        .where(col(WorkOrder.state).not_in(("cancelled", "merged")))
        .order_by(col(WorkOrder.level), col(WorkOrder.id).desc())
    )
    row = session.exec(chosen.limit(1)).first()
    if row is None:
        return None
    order, unit = row
    return OrderSeen(
        code=order.code,
        state=order.state,
        unit=unit,
        dispatched_at=order.dispatched_at,
        due_at=order.due_at,
        submitted_at=order.submitted_at,
        archived_at=order.archived_at,
        version=order.version,
        cycle=order.cycle,
        measure=normalise.mask(order.reply_measure) if order.state == "archived" else "",
    )


def _asked(session: Session, voice_ids: Sequence[int]) -> AskedAgain | None:
    chosen = select(FollowUp).where(col(FollowUp.voice_id).in_(voice_ids)).order_by(col(FollowUp.id).desc())
    found = session.exec(chosen.limit(1)).first()
    if found is None:
        return None
    return AskedAgain(found.id or 0, found.state, found.created_at, found.answered_at, found.is_solved)


def _effects(session: Session, issue_id: int) -> list[Effect]:
    measured = select(Effect).where(Effect.issue_id == issue_id, col(Effect.measured_at).is_not(None))
    return list(session.exec(measured.order_by(col(Effect.cycle).desc(), col(Effect.id)).limit(2)))


def _others(session: Session, issue_id: int, mine: Sequence[int]) -> int:
    counted = select(func.count()).where(
        IssueSource.issue_id == issue_id, IssueSource.kind == "voice", col(IssueSource.row).not_in(mine)
    )
    return session.exec(counted).one()


def mended(session: Session, *, limit: int = 12) -> list[Mended]:
    """Issues solved with something to show for it, newest first, for the page everybody may read."""
    chosen = select(Issue).where(Issue.state == "solved").order_by(col(Issue.closed_at).desc(), col(Issue.id).desc())
    solved = list(session.exec(chosen.limit(limit)))
    ids = [issue.id for issue in solved if issue.id is not None]
    said = _first_words(session, ids)
    orders = _archived(session, ids)
    effects = _best_effects(session, ids)
    return [
        Mended(
            issue=issue,
            voices=said.get(issue.id or 0, (0, ""))[0],
            said=said.get(issue.id or 0, (0, ""))[1],
            measure=orders.get(issue.id or 0, ("", ""))[0] or normalise.mask(issue.close_reason),
            unit=orders.get(issue.id or 0, ("", ""))[1],
            effect=effects.get(issue.id or 0),
        )
        for issue in solved
    ]


def _first_words(session: Session, issue_ids: Sequence[int]) -> dict[int, tuple[int, str]]:
    """By issue: (number of voices, masked words of the first that stands on the public board)."""
    counted = (
        select(IssueSource.issue_id, func.count())
        .where(col(IssueSource.issue_id).in_(issue_ids), IssueSource.kind == "voice")
        .group_by(col(IssueSource.issue_id))
    )
    public = (
        select(IssueSource.issue_id, Voice.masked)
        .join(Voice, col(Voice.id) == col(IssueSource.row))
        .where(col(IssueSource.issue_id).in_(issue_ids), IssueSource.kind == "voice", Voice.board_state != "hidden")
        .order_by(col(IssueSource.issue_id), col(Voice.votes).desc(), col(Voice.id))
        .ext(distinct_on(col(IssueSource.issue_id)))
    )
    words = dict(session.exec(public).all())
    return {issue_id: (int(n), words.get(issue_id, "")) for issue_id, n in session.exec(counted)}


def _archived(session: Session, issue_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """By issue: (what was done, by whom), of its newest archived top order."""
    chosen = (
        select(WorkOrder.issue_id, WorkOrder.reply_measure, Unit.name)
        .join(Unit, col(Unit.id) == col(WorkOrder.unit_id))
        .where(col(WorkOrder.issue_id).in_(issue_ids), WorkOrder.state == "archived")
        .order_by(col(WorkOrder.level).desc(), col(WorkOrder.id))
    )
    return {issue_id: (normalise.mask(measure), unit) for issue_id, measure, unit in session.exec(chosen)}


def _best_effects(session: Session, issue_ids: Sequence[int]) -> dict[int, Effect]:
    """The newest measured effect of each issue, a better one before others."""
    measured = (
        select(Effect)
        .where(col(Effect.issue_id).in_(issue_ids), col(Effect.measured_at).is_not(None))
        .order_by((col(Effect.verdict) == "better"), col(Effect.id))
    )
    return {effect.issue_id: effect for effect in session.exec(measured)}


def of_response(session: Session, response_id: int) -> list[Voice]:
    """The voices said in a survey response."""
    return list(session.exec(select(Voice).where(Voice.response_id == response_id).order_by(col(Voice.id))))
