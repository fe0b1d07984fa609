"""Sites that embed us: which pages may call the public operations, told by key and Origin; no cookie is looked at."""

from flask import Blueprint, Response, request
from sqlalchemy import any_, literal
from sqlmodel import col, select

from experience.ground.errors import Forbidden, Invalid
from experience.ground.i18n import say
from experience.touchpoints.tables import Site
from experience.web import door

bp = Blueprint("sites", __name__)

PUBLIC = "/api/v1/public/"


def admitted(key: str) -> Site:
    """The site under this key. Raises Invalid for an unknown key, Forbidden when a foreign page is asking.

    A request without Origin (an app, a server) is let in: the Origin protects people's browsers, not us.
    """
    site = door.db().get(Site, key[:80])
    if site is None or not site.is_active:
        sentence = say("接入方代码无效，请检查 site。")
        raise Invalid(sentence, [{"field": "site", "sentence": sentence}])
    origin = request.headers.get("Origin")
    if origin is not None and origin not in site.origins and origin != request.host_url.rstrip("/"):
        raise Forbidden(say("这个网站没有登记，不能提交：请在“接入方”里加入它的域名。"))
    return site


@bp.before_app_request
def preflight() -> Response | None:
    """Answers a browser's question whether a page may call a public operation."""
    if request.method != "OPTIONS" or not request.path.startswith(PUBLIC):
        return None
    answer = Response(status=204)
    if _is_known(request.headers.get("Origin", "")):
        answer.headers["Access-Control-Allow-Methods"] = "GET, POST"
        answer.headers["Access-Control-Allow-Headers"] = "Content-Type, Idempotency-Key"
        answer.headers["Access-Control-Max-Age"] = "600"
    return answer


@bp.after_app_request
def allow_origin(answer: Response) -> Response:
    """Lets the pages of known sites read what public operations answer, refusals included."""
    if request.path.startswith(PUBLIC):
        answer.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin and _is_known(origin):
            answer.headers["Access-Control-Allow-Origin"] = origin
    return answer


def _is_known(origin: str) -> bool:
    if not origin:
        return False
    holding = select(Site.key).where(col(Site.is_active), literal(origin) == any_(col(Site.origins)))
    return door.db().exec(holding.limit(1)).first() is not None
