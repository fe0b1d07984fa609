"""The studio: surveys in a list, a draft in the editor, results, distribution, and why somebody would not be asked."""

import json
from dataclasses import asdict
from io import BytesIO
from typing import Any

import segno
from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from experience.customers.contact_policy import REASONS
from experience.ground.errors import HuishengError, Invalid
from experience.ground.i18n import say
from experience.touchpoints.tables import Site
from experience.voices.intake import PROVINCES
from experience.web import door, kit
from experience.web.errors import translated
from experience.web.once import once
from surveys import checks, library, operations, queries
from surveys.definition import SurveyDefinition, in_language, parse
from surveys.operations.asking import OfferIn
from surveys.queries import numbers, texts
from surveys.queries.report import report
from surveys.tables import Survey
from surveys.web import pictures
from surveys.web.api import MetricsQuery
from surveys.web.pages import spoken

bp = Blueprint("studio", __name__, url_prefix="/surveys", template_folder="templates")

PAGE = 50
SAID = 12  # newest texts on the results page; the stream of voices has the rest
STATES = ("draft", "open", "paused", "closed")
DIMENSIONS = ("province", "touchpoint", "channel", "sample", "version", "day", "week", "month", "probe")


@bp.get("")
@door.requires("surveys.read")
def index() -> str:
    """The surveys this person may see."""
    state = request.args.get("state", "")
    before = request.args.get("cursor", "")
    found = queries.surveys(
        door.db(),
        door.scope(),
        state=state if state in STATES else "",
        before_id=int(before) if before.isdigit() and len(before) < 19 else None,
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    counts = numbers.finished_counts(door.db(), [one.id or 0 for one in shown])
    more = str(shown[-1].id) if len(found) > PAGE else None
    return render_template("surveys/list.html", surveys=shown, counts=counts, next=more)


@bp.get("/new")
@door.requires("surveys.edit")
def new() -> str:
    """Templates to start from."""
    return render_template("surveys/new.html", templates=list(library.templates().values()), typed=request.args)


@bp.post("/new")
@door.requires("surveys.edit")
def create() -> AnyResponse | tuple[str, int]:
    """Makes a survey from a template, from an imported file, or almost empty."""

    def act() -> str:
        template = library.templates().get(request.form.get("template", ""))
        definition = _imported() or (template.definition if template else BLANK)
        made = operations.create(
            door.db(),
            door.scope(),
            request.form.get("code", "").strip(),
            definition,
            unit_id=queries.owner(door.db(), door.scope(), None),
            purpose=request.form.get("purpose") or (template.purpose if template else "transaction"),
            now=door.now(),
        )
        return url_for("studio.edit", code=made.code)

    try:
        return once(act)
    except HuishengError as refused:
        door.db().rollback()
        listed = list(library.templates().values())
        faults = _told(refused)
        return render_template("surveys/new.html", templates=listed, typed=request.form, faults=faults), 422


def _imported() -> dict[str, Any] | None:
    """The definition in an uploaded JSON file, if one was sent. Raises Invalid."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return None
    return _json(sent.read(2**21).decode("utf-8-sig", "replace"))


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(say("文件不是有效的 JSON。")) from error
    if not isinstance(found, dict):
        raise Invalid(say("文件里应当是一份问卷定义。"))
    return found


@bp.get("/<code>/edit")
@door.requires("surveys.edit")
def edit(code: str) -> str:
    """The editor over the draft."""
    survey = queries.survey(door.db(), door.scope(), code)
    return _editor(survey, survey.draft)


@bp.post("/<code>/edit")
@door.requires("surveys.edit")
def save(code: str) -> AnyResponse | tuple[str, int]:
    """Saves the draft; with `publish` also freezes it. What was typed is kept when it is refused."""
    survey = queries.survey(door.db(), door.scope(), code)
    typed = request.form.get("definition", "")
    version = request.form.get("draft_version", "")
    try:
        definition = _json(typed)
        operations.edit(
            door.db(),
            door.scope(),
            code,
            definition,
            draft_version=int(version) if version.isdigit() and len(version) < 9 else 0,
            now=door.now(),
        )
        if request.form.get("publish"):
            made = operations.publish(door.db(), door.scope(), code, now=door.now())
            flash(gettext("已发布第 %(n)s 版，正在收集回答。", n=made.version), "good")
    except HuishengError as refused:
        door.db().rollback()
        kept = _json(typed) if _is_json(typed) else survey.draft
        return _editor(survey, kept, faults=_told(refused)), 422
    door.commit()
    if request.form.get("publish"):
        return redirect(url_for("studio.results", code=code), 303)
    flash(gettext("草稿已保存。"), "good")
    return redirect(url_for("studio.edit", code=code), 303)


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _editor(survey: Survey, definition: Any, faults: list[dict[str, str]] | None = None) -> str:
    return render_template(
        "surveys/editor.html",
        survey=survey,
        definition=definition,
        problems=_problems(survey, definition),
        faults=faults or [],
    )


def _problems(survey: Survey, definition: Any) -> list[dict[str, str]]:
    """The check list before publishing, in the reader's language."""
    try:
        parsed = parse(definition)
    except Invalid as refused:
        return [
            {"level": "error", "where": one["field"], "sentence": translated(one["sentence"])} for one in refused.errors
        ]
    earlier = [parse(row.definition) for row in queries.publications(door.db(), survey)]
    return [{**asdict(one), "sentence": translated(one.sentence)} for one in checks.problems(parsed, earlier)]


@bp.post("/<code>/check")
@door.requires("surveys.edit")
def check(code: str) -> Response:
    """The check list of what is in the editor now, for its script."""
    survey = queries.survey(door.db(), door.scope(), code)
    return jsonify(_problems(survey, request.get_json(silent=True)))


@bp.get("/<code>/draft.json")
@door.requires("surveys.read")
def draft(code: str) -> Response:
    """The draft as a file, for another house or for safe keeping."""
    survey = queries.survey(door.db(), door.scope(), code)
    sent = Response(json.dumps(survey.draft, ensure_ascii=False, indent=2), mimetype="application/json")
    sent.headers["Content-Disposition"] = f'attachment; filename="{code}.json"'
    return sent


@bp.post("/<code>/state")
@door.requires("surveys.edit")
def move(code: str) -> AnyResponse:
    """Pauses, reopens or closes."""

    def act() -> str:
        operations.move(door.db(), door.scope(), code, request.form.get("state", ""), now=door.now())
        return url_for("studio.results", code=code)

    return once(act)


@bp.get("/<code>")
@door.requires("surveys.read")
def results(code: str) -> str:
    """The numbers, pictures and words of one survey."""
    survey = queries.survey(door.db(), door.scope(), code)
    definition, wanted = parse(survey.draft), _filter()
    by = request.args.get("by", "") if request.args.get("by") in DIMENSIONS else ""
    made = report(door.db(), door.scope(), survey, definition, wanted, by=by)
    trend = numbers.tallies(door.db(), door.scope(), survey, wanted, by="week")
    return render_template(
        "surveys/results.html",
        survey=survey,
        definition=definition,
        report=made,
        by=by,
        words=texts.newest(door.db(), door.scope(), survey, wanted, limit=SAID),
        versions=[row.version for row in queries.publications(door.db(), survey)],
        pictures=pictures.of(made, trend),
        reasons=REASONS,
        text=lambda wording: in_language(wording, spoken(), definition.default_lang),
        export=request.query_string.decode("ascii", "ignore"),
    )


def _filter() -> numbers.Filter:
    names = ("from", "to", "province", "touchpoint", "sample", "version")
    given = {name: request.args[name] for name in names if request.args.get(name)}
    try:
        return MetricsQuery.model_validate(given).filter()
    except (ValueError, HuishengError):  # somebody edited the address: show everything rather than nothing
        return numbers.Filter()


@bp.get("/<code>/share")
@door.requires("surveys.read")
def share(code: str) -> str:
    """Link, QR code and the lines that embed the probe."""
    survey = queries.survey(door.db(), door.scope(), code)
    site = door.db().exec(queries.first_site()).first()
    return render_template(
        "surveys/share.html",
        survey=survey,
        link=_link(code),
        definition=parse(survey.draft),
        site=site or Site(key="", name=""),
    )


@bp.get("/<code>/qr.svg")
@door.requires("surveys.read")
def qr(code: str) -> Response:
    """The survey's link as a QR code."""
    queries.survey(door.db(), door.scope(), code)
    made = segno.make(_link(code) + "?channel=qr", error="m")
    drawn = BytesIO()
    made.save(drawn, kind="svg", scale=8, border=2)
    sent = Response(drawn.getvalue(), mimetype="image/svg+xml")
    sent.headers["Content-Disposition"] = f'inline; filename="{code}.svg"'
    return sent


def _link(code: str) -> str:
    return url_for("survey_pages.survey", code=code, _external=True)


@bp.get("/<code>/why")
@door.requires("surveys.read")
def why(code: str) -> str:
    """Whether the contact policy would let this person see the survey now, and if not, why."""
    survey = queries.survey(door.db(), door.scope(), code)
    found = None
    if request.args.get("subject") and survey.current_version:
        found = operations.explain(door.db(), code, _asked(), now=door.now())
    return render_template(
        "surveys/why.html",
        survey=survey,
        found=found,
        reasons=REASONS,
        definition=_definition(survey),
        places=kit.touchpoints(),
        provinces=PROVINCES,
    )


def _asked() -> OfferIn:
    kind = "customer" if request.args.get("kind") == "customer" else "device"
    name = request.args.get("subject", "").strip()[:100]
    return OfferIn(
        subject=f"{kind}:{name}",
        customer_id=queries.customer_id(door.db(), door.scope(), name) if kind == "customer" else None,
        device=name if kind == "device" else "",
        channel=request.args.get("channel", "popover"),
        touchpoint=request.args.get("touchpoint", "")[:64],
        province=request.args.get("province", "")[:64],
    )


def _definition(survey: Survey) -> SurveyDefinition:
    return parse(survey.draft)


def _told(refused: HuishengError) -> list[dict[str, str]]:
    """The refusal and each place it names, in the reader's language."""
    listed = [
        {"field": error.get("field", ""), "sentence": translated(error.get("sentence", ""))}
        for error in getattr(refused, "errors", [])
    ]
    return [{"field": "", "sentence": translated(refused.sentence)}, *listed]


BLANK: dict[str, Any] = {
    "schema": "cx-survey/1",
    "title": {"zh-CN": "新问卷"},
    "blocks": [
        {
            "id": "main",
            "items": [
                {"id": "csat", "type": "csat", "required": True, "title": {"zh-CN": "您对本次服务满意吗？"}},
                {"id": "words", "type": "text", "analyse": True, "title": {"zh-CN": "请告诉我们原因"}},
            ],
        }
    ],
    "endings": [{"id": "done", "kind": "complete"}],
}
