"""What became of mine: the page behind a receipt, known only to its author."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.wrappers import Response

from analysis.topics import TOPICS
from experience.ground.errors import HuishengError, Invalid
from experience.ground.i18n import say
from experience.orders import operations as orders
from experience.orders.operations import Act
from experience.organisation.permissions import SYSTEM
from experience.reports import echo as rules
from experience.reports.queries import echo
from experience.reports.sketch import Sketch, sketch
from experience.voices import intake, operations, queries
from experience.web import door, saying, security

bp = Blueprint("receipts", __name__, url_prefix="/v")
security.csrf.exempt(bp)  # who holds the receipt may answer; there is no cookie to ride on

NOTE_LIMIT = 500
_ANSWERS = "huisheng.receipts.answers"


@dataclass(frozen=True, slots=True)
class Answered:
    """A survey response whose author holds the receipt."""

    response_id: int
    at: datetime
    title: str


#: Finds the response with this receipt hash.
AnswerFinder = Callable[[Session, str], Answered | None]


def know_answers(app: Flask, finder: AnswerFinder) -> None:
    """Makes receipts of survey responses known: surveys lie above and come down to say so."""
    app.extensions[_ANSWERS] = finder


@bp.get("/<receipt>")
def show(receipt: str) -> str:
    """The story of the author's word so far."""
    return _show(receipt)


@bp.post("/<receipt>/answer")
def answer(receipt: str) -> Response | tuple[str, int]:
    """Takes the author's verdict: to the follow-up question, or that it was not solved after all."""
    mine = _mine(receipt)
    try:
        _take_verdict(mine.story)
    except HuishengError as refused:
        return _show(receipt, refused=saying.told(refused)), 422
    door.commit()
    return redirect(url_for("receipts.show", receipt=receipt, thanks=1), 303)


@bp.post("/<receipt>/withdraw")
def withdraw(receipt: str) -> Response:
    """Takes the author's words off the board and forgets how to reach the author."""
    mine = _mine(receipt)
    for voice in mine.story.voices if mine.story else ():
        operations.withdraw(door.db(), voice.id or 0)
    door.commit()
    return redirect(url_for("receipts.show", receipt=receipt), 303)


@dataclass(frozen=True, slots=True)
class _Mine:
    """What a receipt opens: the words and their story, or a response that had no words."""

    story: echo.Story | None
    answered: Answered | None


def _mine(receipt: str) -> _Mine:
    """What the receipt opens; 404 for anybody else's guess."""
    db = door.db()
    voice = queries.by_receipt(db, receipt)
    if voice is not None:
        return _Mine(echo.story(db, [voice]), None)
    find: AnswerFinder | None = current_app.extensions.get(_ANSWERS)
    answered = find(db, intake.digest(receipt)) if find else None
    if answered is None:
        abort(404)
    said = echo.of_response(db, answered.response_id)
    return _Mine(echo.story(db, said) if said else None, answered)


def _show(receipt: str, **more: str) -> str:
    mine = _mine(receipt)
    story = mine.story
    return render_template(
        "receipts/show.html",
        receipt=receipt,
        story=story,
        answered=mine.answered,
        facts=story.facts if story else None,
        headline=rules.headline(story.facts) if story else "heard",
        steps=rules.steps(story.facts) if story else [],
        topic=gettext(TOPICS.get(story.facts.topic, "")) if story and story.facts.topic else "",
        drawings=_drawings(story),
        may_answer=story is not None and rules.may_answer(story.facts),
        may_reopen=story is not None and rules.may_reopen(story.facts, door.now()),
        is_new=bool(request.args.get("new")),
        is_thanked=bool(request.args.get("thanks")),
        **more,
    )


def _drawings(story: echo.Story | None) -> dict[int, Sketch]:
    """By effect: its drawing."""
    drawn = {}
    for effect in story.effects if story else ():
        made = sketch(effect.series, effect.split_at, (effect.before_value, effect.after_value))
        if made is not None and effect.id is not None:
            drawn[effect.id] = made
    return drawn


def _take_verdict(story: echo.Story | None) -> None:
    """Raises Invalid for an answer that is none, Conflict when it comes too late."""
    verdict, note = request.form.get("solved", ""), intake.clean(request.form.get("note", ""))
    score = request.form.get("score", "")
    if story is None or verdict not in ("yes", "no"):
        raise Invalid(say("请先选“解决了”或“没解决”。"))
    if len(note) > NOTE_LIMIT:
        raise Invalid(say("补充说明最多 %(limit)d 个字。", limit=NOTE_LIMIT))
    facts = story.facts
    if rules.may_answer(facts) and facts.asked:
        orders.record_followup(
            door.db(),
            facts.asked.id,
            is_solved=verdict == "yes",
            score=int(score) if score in ("1", "2", "3", "4", "5") else None,
            note=note,
            now=door.now(),
        )
    elif verdict == "no" and facts.order and rules.may_reopen(facts, door.now()):
        reason = note or str(say("客户在回执页上说没有解决"))
        reopening = Act("reopen", facts.order.version, {"reason": reason})
        orders.act(door.db(), SYSTEM, facts.order.code, reopening, now=door.now())
    else:
        raise Invalid(say("这个问题现在不需要您再回答了，谢谢。"))
