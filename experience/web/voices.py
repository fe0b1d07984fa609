"""Pages of customers' voices: the stream, one voice, correcting a reading, making issues of a selection."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from analysis.topics import TOPICS
from experience.ground.errors import HuishengError, Invalid
from experience.ground.i18n import say
from experience.issues import operations as issues
from experience.issues import queries as issue_queries
from experience.reports.queries import voices as reads
from experience.touchpoints.tables import Touchpoint
from experience.voices import operations, queries
from experience.voices.intake import PROVINCES, SOURCES
from experience.voices.queries import Filters
from experience.web import door, kit
from experience.web.kit import words_of
from experience.web.once import once
from experience.web.saying import BEIJING, told

bp = Blueprint("voices", __name__, url_prefix="/voices")

PAGE = 40
MOST_PICKED = 200


@bp.get("")
@door.requires("voices.read")
def stream() -> str:
    """Voices newest first, folded, with the words that made each verdict."""
    chosen = filters()
    found = queries.page(
        door.db(), door.scope(), chosen, cursor=request.args.get("cursor", ""), limit=PAGE, is_folded=not chosen.q
    )
    return render_template(
        "voices/stream.html",
        page=found,
        filters=chosen,
        issues_of=reads.issues_of(door.db(), door.scope(), [h.voice.id or 0 for h in found.items]),
        live_issues=reads.live_issues(door.db(), door.scope()) if door.scope().may("issues.triage") else [],
        **_choices(),
    )


@bp.get("/<int(max=9223372036854775807):voice_id>")
@door.requires("voices.read")
def one(voice_id: int) -> str:
    """One voice with everything that was read in it."""
    return _one(voice_id)


def _one(voice_id: int, **more: Any) -> str:
    heard = queries.one(door.db(), door.scope(), voice_id)
    return render_template(
        "voices/one.html",
        heard=heard,
        issues=issue_queries.of_voices(door.db(), [voice_id]),
        touchpoint=door.db().get(Touchpoint, heard.voice.touchpoint) if heard.voice.touchpoint else None,
        topics=list(TOPICS.items()),
        **more,
    )


@bp.post("/<int(max=9223372036854775807):voice_id>/reading")
@door.requires("voices.correct")
def correct(voice_id: int) -> Response | str:
    """Puts label or topic right; htmx gets the row back, a plain form the page it came from."""
    operations.correct(
        door.db(),
        door.scope(),
        voice_id,
        label=request.form.get("label") or None,
        topic=request.form.get("topic") or None,
        now=door.now(),
    )
    door.commit()
    if not request.headers.get("HX-Request"):
        flash(gettext("已更正，将用于训练。"), "good")
        return redirect(url_for("voices.one", voice_id=voice_id), 303)
    return render_template(
        "voices/row.html",
        heard=queries.one(door.db(), door.scope(), voice_id),
        issues_of=reads.issues_of(door.db(), door.scope(), [voice_id]),
        terms=(),
        topics=list(TOPICS.items()),
        is_swapped=True,
    )


@bp.post("/issue")
@door.requires("issues.triage")
def to_issue() -> Response | str:
    """Makes an issue of the picked voices, or adds them to one."""
    picked = _picked()

    def act() -> str:
        if request.form.get("into"):
            issue = issues.join(door.db(), door.scope(), request.form["into"], picked, now=door.now())
            flash(gettext("已将 %(n)s 条原声并入 %(code)s。", n=len(picked), code=issue.code), "good")
        else:
            issue = issues.raise_issue(door.db(), door.scope(), _told(picked), now=door.now())
            flash(gettext("已建立问题 %(code)s，可以直接派单。", code=issue.code), "good")
        return url_for("issues.one", code=issue.code)

    return once(act)


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
def moderate(voice_id: int) -> Response | tuple[str, int]:
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
    return Filters(
        q=args.get("q", "").strip()[:200],
        topic=args.get("topic", ""),
        label=args.get("label", ""),
        urgency=int(urgency) if urgency in ("0", "1", "2", "3") else None,
        intent=args.get("intent", ""),
        touchpoint=args.get("touchpoint", ""),
        province=args.get("province", ""),
        source=args.get("source", ""),
        since=_day(args.get("from", "")),
        until=_day(args.get("to", ""), days=1),
        is_unsure=args.get("unsure") == "1",
        import_id=_row_id(args.get("import", "")),
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
        "sources": [(code, name) for code, (name, _) in SOURCES.items()],
        "touchpoints": kit.touchpoints(),
        "provinces": [(c, n) for c, n in PROVINCES.items() if seen.sees_province(c)],
        "terms": words_of(request.args.get("q", "")),
    }
