"""The correction queue: one voice at a time, judged by keyboard; what was drawn at random is judged blind."""

from datetime import datetime, time
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from analysis.reading import INTENTS
from analysis.topics import TOPICS
from experience.ground.i18n import say
from experience.learning import operations, queries
from experience.learning.queries import Waiting
from experience.learning.tables import Correction
from experience.voices import queries as voices
from experience.voices.intake import invalid
from experience.web import door
from experience.web.saying import BEIJING, word
from experience.web.voices import TOPIC_KEYS

bp = Blueprint("learning", __name__, url_prefix="/learning")

ASKED = ("label", "topic", "intent")


@bp.get("/queue")
@door.requires("voices.correct")
def queue() -> str:
    """The next voice to look at; the card alone for the page's own script."""
    return _card(after=_number(request.args.get("after", "")))


def _card(*, after: int = 0, **more: Any) -> str:
    found = queries.queue(door.db(), door.scope(), after=after, limit=1)
    item = found.items[0] if found.items else None
    return _shown(item, {"open": found.open, "after": after, **more})


def _shown(item: Waiting | None, facts: dict[str, Any]) -> str:
    page = "learning/card.html" if request.headers.get("HX-Request") else "learning/queue.html"
    return render_template(
        page,
        one=item,
        today=queries.judged(door.db(), door.scope(), since=_midnight()),
        topics=list(TOPICS.items()),
        topic_keys=TOPIC_KEYS,
        intents=[(code, word(code, "intent")) for code in INTENTS],
        **facts,
    )


@bp.post("/queue/<int(max=9223372036854775807):voice_id>")
@door.requires("voices.correct")
def judge(voice_id: int) -> Response | str:
    """Takes the verdict on a voice of the queue and shows the next one, with what the model had said of this."""
    told: dict[str, Any] = {name: request.form.get(name) or None for name in ASKED}
    heard = voices.one(door.db(), door.scope(), voice_id)
    if request.form.get("blind") and not all(told.values()):
        raise invalid("label", say("这条要盲判：请把情感、主题和意图都选好。"))
    if heard.reading is not None and not request.form.get("blind"):
        told = {name: said for name, said in told.items() if said != getattr(heard.reading, name)}
    kept = operations.judge(door.db(), door.scope(), voice_id, now=door.now(), origin="queue_margin", **told)
    door.commit()
    after = _number(request.form.get("after", ""))
    if request.headers.get("HX-Request"):
        return _card(after=after, back=after, last=kept, agrees=agrees(kept))
    flash(gettext("已记下，将用于训练。"), "good")
    return redirect(url_for("learning.queue", after=after or None), 303)


@bp.post("/queue/back")
@door.requires("voices.correct")
def take_back() -> Response | str:
    """Undoes this person's last verdict; where the queue stood then (`back`), that voice is the next one again."""
    operations.take_back(door.db(), door.scope(), now=door.now())
    door.commit()
    back = _number(request.form.get("back", ""))
    if request.headers.get("HX-Request"):
        return _card(after=back, back=back, is_back=True)
    flash(gettext("已撤销，恢复为模型的判断。"), "good")
    return redirect(url_for("learning.queue", after=back or None), 303)


def agrees(kept: Correction) -> bool:
    """Whether the person found all right that the model had said."""
    return all(getattr(kept, name) in (None, getattr(kept, f"model_{name}")) for name in ASKED)


def _number(given: str) -> int:
    return int(given) if given.isdecimal() and len(given) <= 18 else 0


def _midnight() -> datetime:
    return datetime.combine(door.now().astimezone(BEIJING).date(), time(), BEIJING)
