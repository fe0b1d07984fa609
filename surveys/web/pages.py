"""Customers' survey pages: they work without JavaScript, without cookies, at 320 px; with it the widget takes over."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import get_locale
from werkzeug.wrappers import Response as AnyResponse

from experience.ground.config import settings
from experience.ground.errors import Invalid
from experience.web import door
from experience.web.errors import translated
from experience.web.security import limiter
from surveys import library, operations
from surveys.definition import SurveyDefinition, in_language
from surveys.forms import PREFIX, from_page
from surveys.logic import ordered_options, piped, walk
from surveys.operations import SubmitIn
from surveys.operations.answering import Looked, look
from surveys.operations.following import invited_by_receipt
from surveys.web.bundle import widget, words

bp = Blueprint(
    "survey_pages", __name__, template_folder="templates", static_folder="static", static_url_path="/sdk/page"
)

SEEN_LIMIT = 20_000
URL_PARTS = ("from", "channel", "touchpoint", "province", "utm_source", "utm_campaign")


@dataclass(frozen=True, slots=True)
class Filled:
    """A page as it was sent: what was shown, what was answered, and what is wrong with it."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    fresh: tuple[str, ...] = ()  # items that came up because of the answers


@bp.get("/s/<code>")
def survey(code: str) -> str:
    """The survey: open to whoever has the link, or an invitation's with its token."""
    return _page(code, _said(request.args), Filled())


@bp.post("/s/<code>")
@limiter.limit(lambda: settings().public_rate)
def answer(code: str) -> AnyResponse | tuple[str, int] | str:
    """Takes the answers, or shows what comes next or what is to be mended."""
    return _take(code, _said(request.form))


@bp.get("/s/again/<receipt>")
def again(receipt: str) -> str:
    """The recheck that waits for the author with this receipt."""
    code, said = _recheck(receipt)
    return _page(code, said, Filled(), receipt=receipt)


@bp.post("/s/again/<receipt>")
@limiter.limit(lambda: settings().public_rate)
def answer_again(receipt: str) -> AnyResponse | tuple[str, int] | str:
    """Takes the recheck's answers; the author is led back to the page that tells what becomes of it."""
    code, said = _recheck(receipt)
    return _take(code, said, receipt=receipt)


def _recheck(receipt: str) -> tuple[str, SubmitIn]:
    invitation = invited_by_receipt(door.db(), receipt, now=door.now())
    return library.RECHECK, SubmitIn({}, invitation_id=invitation.id, channel="link", key=_key(), lang=spoken())


@bp.get("/s/<code>/thanks")
def thanks(code: str) -> str:
    """Where a path ends, with the receipt."""
    _, out = operations.current(door.db(), code)
    ending = out.definition.ending.get(request.args.get("ending", ""))
    receipt = request.args.get("receipt", "")
    lang = _lang(out.definition)
    return render_template(
        "surveys/thanks.html",
        survey=out.definition,
        ending=ending,
        receipt=receipt if receipt.replace("-", "").replace("_", "").isalnum() else "",
        text=lambda wording: in_language(wording, lang, out.definition.default_lang),
    )


@bp.get("/sdk/survey.js")
def survey_js() -> Response:
    """The widget, compressed once, kept by browsers until it changes."""
    made = widget()
    sent = Response(mimetype="text/javascript")
    sent.headers["Cache-Control"] = "public, max-age=300"
    sent.headers["Access-Control-Allow-Origin"] = "*"
    sent.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    sent.headers["Vary"] = "Accept-Encoding"
    sent.set_etag(made.etag)
    if request.if_none_match.contains(made.etag):
        sent.status_code = 304
    elif request.accept_encodings.best_match(["gzip"]):
        sent.headers["Content-Encoding"] = "gzip"
        sent.set_data(made.gzipped)
    else:
        sent.set_data(made.text)
    return sent


def _said(sent: Any) -> SubmitIn:
    """Who answers what, from a page's query or form; the answers come later."""
    version = sent.get("version", "")
    return SubmitIn(
        {},
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 9 else None,
        token=sent.get("token") or None,
        key=_key(),
        lang=spoken(),
        channel="qr" if sent.get("channel") == "qr" else "link",
        touchpoint=sent.get("touchpoint", "")[:64],
        province=sent.get("province", "")[:64],
        url={name: sent[name][:200] for name in URL_PARTS if sent.get(name)},
    )


def _key() -> str:
    """The page's own idempotency key: sending it twice stores it once."""
    return request.form.get("key", "") or "p" + secrets.token_urlsafe(16)


def spoken() -> str:
    """The reader's language, as surveys name it."""
    return "en" if str(get_locale()) == "en" else "zh-CN"


def _lang(survey: SurveyDefinition) -> str:
    return spoken() if spoken() in survey.languages else survey.default_lang


def _take(code: str, said: SubmitIn, *, receipt: str = "") -> AnyResponse | tuple[str, int] | str:
    seen = look(door.db(), code, said, now=door.now())
    sent = from_page(seen.out.definition, request.form.to_dict(flat=False))
    shown = tuple(request.form.get("shown", "")[:SEEN_LIMIT].split())
    checked = _checked(seen, sent, shown)
    if checked.faults:
        return _page(code, said, checked, receipt=receipt, seen=seen), 422
    if checked.fresh:
        return _page(code, said, checked, receipt=receipt, seen=seen)
    path = set(walk(seen.out.definition, sent, seen.here.facts(), seed=seen.seed).items)
    given = {name: value for name, value in sent.items() if name.partition(".")[0] in path}
    rest = {name: value for name, value in sent.items() if name not in given}
    try:
        done = operations.submit(door.db(), code, replace(said, answers=given, inactive=rest), now=door.now())
    except Invalid as refused:
        faults = {fault["field"].removeprefix("answers."): fault["sentence"] for fault in refused.errors}
        return _page(code, said, Filled(sent, shown, faults), receipt=receipt, seen=seen), 422
    door.commit()
    if receipt:
        return redirect(f"/v/{receipt}", 303)
    where = url_for(
        "survey_pages.thanks", code=code, ending=done.ending, receipt=done.receipt, lang=request.args.get("lang")
    )
    return redirect(where, 303)


def _checked(seen: Looked, sent: Mapping[str, Any], shown: tuple[str, ...]) -> Filled:
    """What is wrong with the items that were on the page, and which others their answers bring up."""
    form = seen.out.form.of(sent)
    form.validate()
    faults = {name.removeprefix(PREFIX): errors[0] for name, errors in form.errors.items()}
    given = {name: value for name, value in form.answers().items() if name not in faults}
    path = walk(seen.out.definition, given, seen.here.facts(), seed=seen.seed)
    missing = form.faults(path, is_partial=False)
    faults |= {name: fault for name, fault in missing.items() if name in shown and name in path.items}
    faults = {name: fault for name, fault in faults.items() if name.partition(".")[0] in path.items}
    return Filled(sent, shown, faults, tuple(name for name in path.items if name not in shown))


def _page(code: str, said: SubmitIn, filled: Filled, *, receipt: str = "", seen: Looked | None = None) -> str:
    seen = seen or look(door.db(), code, said, now=door.now())
    survey, lang = seen.out.definition, _lang(seen.out.definition)
    path = walk(survey, filled.answers, seen.here.facts(), seed=seen.seed)
    facts = {**seen.here.facts(), "a": path.active}
    is_over = seen.response is not None and not seen.response.is_partial
    return render_template(
        "surveys/page.html",
        code=code,
        said=said,
        survey=survey,
        items=[survey.item[name] for name in path.items],
        filled=filled,
        receipt=receipt,
        is_over=is_over,
        words=words(lang),
        fault=lambda name: translated(filled.faults[name]) if name in filled.faults else "",
        title=lambda item: piped(survey, in_language(item.title, lang, survey.default_lang), facts, lang),
        text=lambda wording: in_language(wording, lang, survey.default_lang),
        options=lambda item: [
            next(o for o in item.options if o.id == name) for name in ordered_options(item, seen.seed)
        ],
        widget=_widget(seen, code, said, lang) if not receipt and not filled.shown and not is_over else None,
    )


def _widget(seen: Looked, code: str, said: SubmitIn, lang: str) -> dict[str, Any]:
    """What the page's script hands to the widget."""
    return {
        "endpoint": "",
        "token": said.token,
        "survey": code,
        "version": seen.out.version,
        "definition": seen.out.public,
        "lang": lang,
        "snapshot": seen.here.facts(),
        "stay": True,
        "extra": {"channel": said.channel, "touchpoint": said.touchpoint, "province": said.province, "url": said.url},
    }
