"""The demo operator's web hall: a recharge that can be made to fail, the probe on its page. Not in production."""

from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from experience.demo.operator import PROVINCES
from experience.ground.config import settings
from experience.web.security import csrf

bp = Blueprint("demo_hall", __name__, url_prefix="/demo", template_folder="templates")
csrf.exempt(bp)  # nothing is stored here and nobody is logged in

SITE, TOUCHPOINT = "site_demo", "web.recharge"
AMOUNTS = ((30, "29.94"), (50, "49.90"), (100, "99.80"), (200, "199.60"), (300, "299.40"), (500, "499.00"))
#: As strict as an operator's own hall may be: the probe has to live with it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@bp.before_request
def only_in_demos() -> None:
    """404 in production: customers must not pay in a hall that is none."""
    if settings().env == "production":
        abort(404)


@bp.get("/hall")
def hall() -> AnyResponse:
    """The recharge flow."""
    provinces = [(code, name.removesuffix("公司")) for code, name, _ in PROVINCES]
    page = render_template("demo/hall.html", provinces=provinces, amounts=AMOUNTS, site=SITE, touchpoint=TOUCHPOINT)
    answer = make_response(page)
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@bp.post("/hall/pay")
def pay() -> Response | tuple[Response, int]:
    """The bank's answer: paid, or none in time when the switch on the page says so. No money and no number is taken."""
    if request.args.get("fail"):
        return jsonify(code="PAY_TIMEOUT", message="支付渠道没有在规定时间内返回结果"), 504
    return jsonify(code="PAID")
