"""Pages of customers' voices: the stream, one voice, correcting a reading, making issues of a selection."""

import json
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as Answer

from analysis.reading import INTENTS
from analysis.topics import TOPICS
from experience.ground.errors import HuishengError, Invalid
from experience.ground.i18n import say
from experience.issues import operations as issues
from experience.issues import queries as issue_queries
from experience.learning import operations as learning
from experience.reports.queries import voices as reads
from experience.touchpoints.tables import Touchpoint
from experience.voices import operations, queries
from experience.voices.intake import PROVINCES, SOURCES
from experience.voices.queries import Filters, topics
from experience.web import door, kit
from experience.web.kit import words_of
from experience.web.once import once
from experience.web.saying import BEIJING, told, word

bp = Blueprint("voices", __name__, url_prefix="/voices")

PAGE = 40
MOST_PICKED = 200
#: What a voice's page offers to who holds it where the voice lies.
ACTS_HERE = ("voices.correct", "voices.moderate", "voices.unmask", "issues.triage")

#: The letter that chooses a topic: the initial of a word in its name (资 Z, 套 T, 网 W …), each once.
TOPIC_KEYS = dict(zip(TOPICS, "ztwklvhyrxsamqdo", strict=True))


#: Lengths until now that the list may be narrowed to instead of days: what the first page counts.
LATELY = {"24": timedelta(hours=24), "72": timedelta(hours=72)}


@bp.get("")
@door.requires("voices.read")
def stream() -> str:
    """Voices newest first, folded, with the words that made each verdict; the rows alone for the page's own script."""
    chosen = filters()
    found = queries.page(
        door.db(), door.scope(), chosen, cursor=request.args.get("cursor", ""), limit=PAGE, is_folded=True
    )
    beside = _beside([h.voice.id or 0 for h in found.items])
    if request.headers.get("HX-Request"):
        return render_template("voices/_rows.html", page=found, terms=words_of(chosen.q), **beside)
    return render_template(
        "voices/stream.html",
        page=found,
        filters=chosen,
        total=topics.total(door.db(), door.scope(), chosen),
        live_issues=reads.live_issues(door.db(), door.scope()) if door.scope().may("issues.triage") else [],
        **beside,
        **_choices(),
    )


def _beside(voice_ids: Sequence[int]) -> dict[str, Any]:
    """What stands beside rows of voices."""
    return {
        "issues_of": reads.issues_of(door.db(), door.scope(), voice_ids),
        "judged_here": queries.within(door.db(), door.scope(), voice_ids, "voices.correct"),
    }


@bp.get("/<int(max=9223372036854775807):voice_id>")
@door.requires("voices.read")
def one(voice_id: int) -> str:
    """One voice with everything that was read in it."""
    return _one(voice_id)


def _one(voice_id: int, **more: Any) -> str:
    heard = queries.one(door.db(), door.scope(), voice_id)
    seen = {issue.code for issue in reads.issues_of(door.db(), door.scope(), [voice_id]).get(voice_id, ())}
    return render_template(
        "voices/one.html",
        heard=heard,
        issues=[issue for issue in issue_queries.of_voices(door.db(), [voice_id]) if issue.code in seen],
        touchpoint=door.db().get(Touchpoint, heard.voice.touchpoint) if heard.voice.touchpoint else None,
        topics=list(TOPICS.items()),
        held={act for act in ACTS_HERE if queries.within(door.db(), door.scope(), [voice_id], act)},
        **more,
    )


@bp.post("/<int(max=9223372036854775807):voice_id>/reading")
@door.requires("voices.correct")
def correct(voice_id: int) -> Answer | str:
    """Puts label, topic or intent right, or confirms all; a script gets the row back, a plain form the voice's page."""
    told: dict[str, Any] = {name: request.form.get(name) or None for name in ("label", "topic", "intent")}
    if not any(told.values()) and not request.form.get("confirms"):
        raise Invalid(say("请给出要更正的情感、主题或意图。"))
    if any(told.values()):
        learning.judge(door.db(), door.scope(), voice_id, now=door.now(), **told)
    if request.form.get("confirms"):  # and all the rest of it is right
        learning.judge(door.db(), door.scope(), voice_id, now=door.now())
    door.commit()
    return _judged(voice_id, gettext("已记下，将用于训练。"))


@bp.post("/<int(max=9223372036854775807):voice_id>/reading/undo")
@door.requires("voices.correct")
def take_back(voice_id: int) -> Answer | str:
    """Undoes what this caller judged of the voice; the model's reading is back."""
    learning.take_back(door.db(), door.scope(), now=door.now(), voice_id=voice_id)
    door.commit()
    return _judged(voice_id, gettext("已撤销，恢复为模型的判断。"))


def _judged(voice_id: int, told: str) -> Answer | str:
    if not request.headers.get("HX-Request"):
        flash(told, "good")
        return redirect(url_for("voices.one", voice_id=voice_id), 303)
    heard = queries.one(door.db(), door.scope(), voice_id)
    return render_template("voices/row.html", heard=heard, terms=(), is_swapped=True, **_beside([voice_id]))


@bp.post("/issue")
@door.requires("issues.triage")
def to_issue() -> Answer | str:
    """Makes an issue of the picked voices, or adds them to one; a script stays in its list and gets the rows anew."""
    picked = _picked()
    is_staying = bool(request.headers.get("HX-Request"))
    told = ""

    def act() -> str:
        nonlocal told
        if request.form.get("into"):
            issue = issues.join(door.db(), door.scope(), request.form["into"], picked, now=door.now())
            told = gettext("已将 %(n)s 条原声并入 %(code)s。", n=len(picked), code=issue.code)
        else:
            issue = issues.raise_issue(door.db(), door.scope(), _told(picked), now=door.now())
            told = gettext("已建立问题 %(code)s，可以直接派单。", code=issue.code)
        if not is_staying or request.form.get("open"):
            flash(told, "good")
        return url_for("issues.one", code=issue.code)

    done = once(act)
    return _stayed(picked, told, str(done.location)) if is_staying else done


def _stayed(picked: Sequence[int], told: str, where: str) -> Response:
    if request.form.get("open"):
        answer = make_response("")
        answer.headers["HX-Redirect"] = where
        return answer
    rows = queries.some(door.db(), door.scope(), picked)
    answer = make_response(render_template("voices/picked.html", rows=rows, terms=(), **_beside(picked)))
    answer.headers["HX-Trigger-After-Settle"] = json.dumps({"hs:picked": {}, "hs:toast": {"words": told}})
    return answer


def _picked() -> list[int]:
    picked = list(dict.fromkeys(id for id in map(_row_id, request.form.getlist("voice")) if id))
    if not picked:
        raise Invalid(say("请先选中至少一条原声。"))
    if len(picked) > MOST_PICKED:
        raise Invalid(say("一次最多选 %(most)d 条原声。", most=MOST_PICKED))
    return picked


def _told(picked: Sequence[int]) -> issues.IssueIn:
    severity = request.form.get("severity", "")
    return issues.IssueIn(
        title=request.form.get("title", ""),
        severity=int(severity) if severity in ("1", "2", "3", "4") else None,
        touchpoint=request.form.get("touchpoint", ""),
        voices=picked,
    )


@bp.post("/<int(max=9223372036854775807):voice_id>/unmask")
@door.requires("voices.unmask")
def unmask(voice_id: int) -> str | tuple[str, int]:
    """The words as they were said, to one who holds the right and says why."""
    try:
        voice = operations.unmask(door.db(), door.scope(), voice_id, request.form.get("reason", ""), now=door.now())
    except Invalid as refused:
        return _one(voice_id, refused=told(refused), typed=request.form), 422
    door.commit()
    return _one(voice_id, unmasked=voice)


@bp.post("/<int(max=9223372036854775807):voice_id>/board")
@door.requires("voices.moderate")
def moderate(voice_id: int) -> Answer | tuple[str, int]:
    """Puts a rant on the public board or takes it off, with our answer."""
    try:
        operations.moderate(
            door.db(),
            door.scope(),
            voice_id,
            now=door.now(),
            state=request.form.get("state", ""),
            reply=request.form.get("reply", ""),
        )
    except HuishengError as refused:
        return _one(voice_id, refused=told(refused), typed=request.form), 422
    door.commit()
    flash(gettext("公开状态已更新。"), "good")
    return redirect(url_for("voices.one", voice_id=voice_id), 303)


def filters() -> Filters:
    """What this request's list is narrowed to; what cannot be meant narrows nothing."""
    args = request.args
    urgency = args.get("urgency", "")
    lately = LATELY.get(args.get("hours", ""))
    return Filters(
        q=args.get("q", "").strip()[:200],
        topic=args.get("topic", ""),
        label=args.get("label", ""),
        urgency=int(urgency) if urgency in ("0", "1", "2", "3") else None,
        intent=args.get("intent", ""),
        touchpoint=args.get("touchpoint", ""),
        province=args.get("province", ""),
        source=args.get("source", ""),
        product=args.get("product", ""),
        unit=args.get("unit", ""),
        since=door.now() - lately if lately else _day(args.get("from", "")),
        until=None if lately else _day(args.get("to", ""), days=1),
        is_unsure=args.get("unsure") == "1",
        import_id=_row_id(args.get("import", "")),
        sort=args.get("sort", ""),
    )


def _row_id(given: str) -> int | None:
    """A row's id, or None for what cannot be one."""
    return int(given) if given.isdecimal() and len(given) <= 18 else None


def _day(given: str, days: int = 0) -> datetime | None:
    """Midnight in Beijing of the day given, `days` later; None for what is no day."""
    try:
        day = datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=BEIJING)
    except ValueError:
        return None
    return datetime.combine(day, time(), BEIJING) + timedelta(days=days)


def _choices() -> dict[str, Any]:
    seen = door.scope().reach("voices.read")
    return {
        "topics": list(TOPICS.items()),
        "topic_keys": TOPIC_KEYS,
        "intents": [(code, word(code, "intent")) for code in INTENTS],
        "sources": [(code, name) for code, (name, _) in SOURCES.items()],
        "touchpoints": kit.touchpoints(),
        "provinces": [(c, n) for c, n in PROVINCES.items() if seen.sees_province(c)],
        "terms": words_of(request.args.get("q", "")),
    }
