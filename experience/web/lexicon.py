"""Pages of the operator's own words and topic terms: add, take away, paste many, and try a sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from analysis import normalise, pipeline, segment
from analysis.reading import Topic
from analysis.topics import TOPICS
from experience.discovery.operations import ask_rereading
from experience.ground.errors import Forbidden, Invalid
from experience.readers import directory
from experience.readers.operations import use_current, words
from experience.web import door
from experience.web.forms.discovery import TermsForm, WordsForm, topic_choices
from experience.web.once import once
from experience.web.saying import told

bp = Blueprint("lexicon", __name__, url_prefix="/words")

ROW = "<int(max=9223372036854775807):row_id>"
_LONGEST_TRIED = 300


@dataclass(frozen=True, slots=True)
class Tried:
    """A sentence as it is cut with the shipped words alone and with the operator's, and what it is read to be about."""

    text: str
    before: list[str]
    after: list[str]
    topics: tuple[Topic, ...]


@bp.get("")
@door.requires("voices.read")
def index() -> str:
    """The operator's words, or with `tab=terms` the terms by topic."""
    return _index()


def _index(words_form: WordsForm | None = None, terms_form: TermsForm | None = None, **more: Any) -> str:
    db, scope, args = door.db(), door.scope(), request.args
    is_terms = terms_form is not None or (args.get("tab") == "terms" and words_form is None)
    q = args.get("q", "").strip()[:20]
    shown: dict[str, Any]
    if is_terms:
        after = tuple(args.get("after", "").split("|"))
        code = args.get("code", "") if args.get("code", "") in TOPICS else ""
        place = (after[0], after[1], after[2]) if len(after) == 3 else None  # noqa: PLR2004 -- code, detail, term
        terms, following = directory.terms(db, scope, code=code, q=q, after=place)
        shown = {"terms": terms, "next": "|".join(following) if following else ""}
    else:
        after_id = args.get("after", "")
        after_id = after_id if after_id.isdecimal() and len(after_id) < 19 else ""  # noqa: PLR2004 -- digits of a bigint
        found, last = directory.words(db, scope, q=q, after=int(after_id or 0))
        shown = {"words": found, "next": str(last) if last else ""}
    return render_template(
        "lexicon/index.html",
        is_terms=is_terms,
        counts=directory.counts(db, scope),
        details=directory.details(db, scope),
        words_form=words_form or WordsForm(formdata=None),
        terms_form=terms_form or _with_choices(TermsForm(formdata=None, data={"rereads": False})),
        tried=_tried(args.get("try", "").strip()[:_LONGEST_TRIED]),
        may_edit=scope.reach("words.edit").is_everything,
        topics=list(TOPICS.items()),
        **shown,
        **more,
    )


def _tried(text: str) -> Tried | None:
    """The sentence cut both ways; the words in use are those of the newest commit."""
    if not text:
        return None
    model = use_current(door.db())
    clean = normalise.clean(text).text
    return Tried(text, segment.cut_as_shipped(clean), segment.cut(clean), pipeline.read(text, model=model).topics)


@bp.post("")
@door.requires("words.edit")
def add_words() -> Response | tuple[str, int]:
    """Adds words, one a line."""
    form = WordsForm()
    if not form.validate():
        return _index(words_form=form), 422

    def act() -> str:
        wanted = form.wanted()
        added = words.add_words(door.db(), door.scope(), wanted, now=door.now(), note=form.note.data or "")
        flash(_added(len(added), len(wanted)), "good")
        return url_for("lexicon.index")

    return _or_again(act, lambda refused: _index(words_form=form, refused=refused))


@bp.post("/terms")
@door.requires("words.edit")
def add_terms() -> Response | tuple[str, int]:
    """Adds terms that point to a second-level topic, and has the voices that hold them read again when asked."""
    form = _with_choices(TermsForm())
    if not form.validate():
        return _index(terms_form=form), 422

    def act() -> str:
        db, scope, now, wanted = door.db(), door.scope(), door.now(), form.wanted()
        added = words.add_terms(db, scope, wanted, form.code.data, form.detail.data, now=now)
        if form.rereads.data:
            ask_rereading(db, scope, wanted, now=now)
        flash(_added(len(added), len(wanted)), "good")
        return url_for("lexicon.index", tab="terms", code=form.code.data)

    return _or_again(act, lambda refused: _index(terms_form=form, refused=refused))


def _added(added: int, given: int) -> str:
    said: str = gettext("已加入 %(n)s 个词，所有页面和后台进程立即生效。", n=added)
    return said if added == given else said + str(gettext("其余 %(n)s 个原来就有。", n=given - added))


@bp.post(f"/{ROW}/remove")
@door.requires("words.edit")
def remove_word(row_id: int) -> Response:
    """Takes a word away."""

    def act() -> str:
        gone = words.remove_word(door.db(), door.scope(), row_id, now=door.now())
        flash(gettext("已删除“%(word)s”。", word=gone), "good")
        return url_for("lexicon.index")

    return once(act)


@bp.post(f"/terms/{ROW}/remove")
@door.requires("words.edit")
def remove_term(row_id: int) -> Response:
    """Takes a term away."""

    def act() -> str:
        gone = words.remove_term(door.db(), door.scope(), row_id, now=door.now())
        flash(gettext("已删除“%(word)s”。", word=gone), "good")
        return url_for("lexicon.index", tab="terms")

    return once(act)


def _or_again(act: Callable[[], str], again: Callable[[str], str]) -> Response | tuple[str, int]:
    try:
        return once(act)
    except (Invalid, Forbidden) as refused:
        door.db().rollback()
        return again(told(refused)), 422


def _with_choices(form: TermsForm) -> TermsForm:
    form.code.choices = topic_choices(first=gettext("请选择"))
    return form
