"""The rant zone: write first, see who else met it, follow what comes of it. No login, no cookie, no script needed."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlmodel import col, select
from werkzeug.wrappers import Response as AnyResponse

from experience.ground.config import settings
from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.organisation.permissions import SYSTEM
from experience.reports.queries import echo
from experience.touchpoints.tables import Site, Touchpoint
from experience.voices import intake, operations, queries
from experience.voices.intake import VoiceIn
from experience.web import door, saying, security

bp = Blueprint("rants", __name__, url_prefix="/rants")
security.csrf.exempt(bp)  # no login and no cookie to ride on; forms carry a signed number instead

PAGE = 20
#: Seconds a form may lie open and still be sent without a second press.
FORM_LIFE = 24 * 3600
#: Shortest text for which similar rants are looked up.
SIMILAR_FROM = 6
TOUCHPOINTS = 300
SHOWN_STATES = ("received", "working", "solved")


@bp.get("")
def index() -> str:
    """The form, and the board under it."""
    return _index(Typed(touchpoint=_known(request.args.get("touchpoint", ""))))


@bp.post("")
def say_it() -> AnyResponse | tuple[str, int]:
    """Hears the rant and leads its author to the page that tells what becomes of it."""
    typed = _typed()
    try:
        receipt = _hear(typed)
    except Invalid as refused:
        return _index(typed, errors=_errors(refused)), 422
    return redirect(url_for("receipts.show", receipt=receipt, new=1), 303)


@bp.get("/embed")
def embed() -> Response:
    """The form alone, for a frame on one of our sites' pages."""
    site = _site()
    typed = Typed(touchpoint=_known(request.args.get("touchpoint", "")))
    return _framed(render_template("rants/embed.html", site=site, typed=typed, token=_token()), site)


@bp.post("/embed")
def say_it_framed() -> Response:
    """Hears the rant inside the frame and thanks there."""
    site, typed = _site(), _typed()
    try:
        receipt = _hear(typed)
    except Invalid as refused:
        page = render_template("rants/embed.html", site=site, typed=typed, token=_token(), errors=_errors(refused))
        return _framed(page, site, status=422)
    return _framed(render_template("rants/thanks.html", site=site, receipt=receipt), site)


@bp.post("/similar")
def similar() -> str:
    """Rants on the board like the one being written, for the page's script."""
    text = intake.clean(request.form.get("text", ""))[: intake.RANT_LIMIT]
    found = queries.similar(door.db(), text, now=door.now()) if len(text) >= SIMILAR_FROM else []
    return render_template("rants/_similar.html", cards=found)


@bp.post("/<code>/vote")
def vote(code: str) -> AnyResponse | str:
    """Counts "me too" once for each device; the script gets the button back, a plain form the board."""
    votes = operations.vote(door.db(), code, _device(), now=door.now())
    door.commit()
    if request.headers.get("HX-Request"):
        return render_template("rants/_vote.html", code=code, votes=votes, is_mine=True)
    return redirect(url_for("rants.index", _anchor=code), 303)


@bp.get("/solved")
def solved() -> str:
    """您说的，我们改了: what was mended, with its effect."""
    return render_template("rants/solved.html", mended=echo.mended(door.db()))


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form."""

    text: str = ""
    mood: int | None = None
    touchpoint: str = ""
    contact: str = ""
    consent: bool = False


def _typed() -> Typed:
    given = request.form
    mood = given.get("mood", "")
    return Typed(
        text=given.get("text", ""),
        mood=int(mood) if mood.isdecimal() and len(mood) == 1 else None,
        touchpoint=_known(given.get("touchpoint", "")),
        contact=given.get("contact", ""),
        consent=bool(given.get("consent")),
    )


def _index(typed: Typed, *, errors: list[dict[str, str]] | None = None) -> str:
    args = request.args
    state = args.get("state", "") if args.get("state", "") in SHOWN_STATES else ""
    sort = "votes" if args.get("sort") == "votes" else "new"
    cards, following = queries.board(door.db(), state=state, sort=sort, cursor=args.get("cursor", ""), limit=PAGE)
    return render_template(
        "rants/index.html",
        typed=typed,
        errors=errors or [],
        token=_token(),
        cards=cards,
        next=following,
        state=state,
        sort=sort,
        touchpoints=_touchpoints(),
    )


def _hear(typed: Typed) -> str:
    """The receipt of the rant heard; the same form sent twice gives the same receipt."""
    if request.form.get("website"):  # a field people do not see: only machines fill it
        raise Invalid(say("提交没有成功，请刷新页面再试。"))
    written = hashlib.sha256(typed.text.encode("utf-8", "replace")).hexdigest()[:12]
    external_id = f"form:{_nonce()}:{written}"  # the same form with other words is another rant
    said = VoiceIn(
        text=typed.text,
        source="rant",
        external_id=external_id,
        touchpoint=typed.touchpoint,
        mood=typed.mood,
        contact=typed.contact if typed.consent else "",
        consent=typed.consent and bool(typed.contact.strip()),
        receipt=receipt_of(external_id),
        is_for_board=True,
    )
    operations.hear(door.db(), SYSTEM, said, now=door.now())
    door.commit()
    return said.receipt


def receipt_of(external_id: str) -> str:
    """The author's secret for a rant: the same whenever the same rant is sent again, and known to nobody else."""
    sealed = hmac.new(settings().key().encode(), f"rant|{external_id}".encode(), hashlib.sha256)
    return sealed.hexdigest()[:32]


def _token() -> str:
    return _signer().dumps(secrets.token_urlsafe(9))


def _nonce() -> str:
    """The form's own number, for taking it once. Raises Invalid when the form is not one of ours or too old."""
    try:
        return str(_signer().loads(request.form.get("token", ""), max_age=FORM_LIFE))
    except BadData as error:
        raise Invalid(say("页面放得太久了，您写的还在，请再按一次“发出去”。")) from error


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().key(), salt="rant-form")


def _device() -> str:
    """A device told from others without a cookie: a keyed hash that cannot be turned back into an address."""
    seen = f"{request.remote_addr}|{request.user_agent.string}"
    return hmac.new(settings().key().encode(), f"device|{seen}".encode(), hashlib.sha256).hexdigest()[:32]


def _site() -> Site:
    site = door.db().get(Site, request.args.get("site", "")[:80])
    if site is None or not site.is_active:
        abort(404)
    return site


def _framed(page: str, site: Site, *, status: int = 200) -> Response:
    """The page, which only this site's own pages may frame."""
    security.allow_frames(*site.origins)
    return Response(page, status=status, mimetype="text/html")


def _known(touchpoint: str) -> str:
    """The touchpoint's code if there is one, so that nobody writes into our form by a link."""
    found = door.db().get(Touchpoint, touchpoint[:64]) if touchpoint else None
    return found.code if found and found.is_active else ""


def _touchpoints() -> list[tuple[str, str]]:
    chosen = select(Touchpoint.code, Touchpoint.name).where(col(Touchpoint.is_active)).order_by(Touchpoint.name)
    return list(door.db().exec(chosen.limit(TOUCHPOINTS)))


def _errors(refused: Invalid) -> list[dict[str, str]]:
    told = [{"field": error["field"], "sentence": saying.told(error["sentence"])} for error in refused.errors]
    return told or [{"field": "", "sentence": saying.told(refused)}]
