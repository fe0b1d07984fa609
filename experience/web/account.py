"""One's own account: password, language, tokens, deputies."""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from experience.ground.errors import Forbidden, Invalid
from experience.ground.i18n import say
from experience.organisation import directory, operations
from experience.organisation.permissions import ACTS
from experience.web import auth, door
from experience.web.saying import BEIJING

bp = Blueprint("account", __name__, url_prefix="/account")

ROW = "<int(max=9223372036854775807):row_id>"


@bp.before_request
def only_in_person() -> None:
    """What one's account rests on is changed by who logged in; a token, perhaps narrowed, would widen itself here."""
    if request.method == "POST" and door.somebody() is not None and door.login() is None:
        raise Forbidden(say("令牌不能修改账号，请登录后操作。"))


@bp.get("")
@door.requires("")
def index() -> str:
    """Everything of one's own on one page."""
    return _page()


def _page(**more: Any) -> str:
    session, scope = door.db(), door.scope()
    return render_template(
        "account/index.html",
        user=door.user(),
        tokens=directory.tokens(session, scope),
        deputies=directory.deputies(session, scope, door.now()),
        principals=directory.principals(session, scope, door.now()),
        rooms=sorted({act.partition(".")[0] for act in ACTS if scope.may(act)}),
        **more,
    )


@bp.post("/password")
@door.requires("")
def password() -> Any:
    """A new password; every session of this user ends, this one too."""
    old, new = request.form.get("old", ""), request.form.get("new", "")
    try:
        if new != request.form.get("again", ""):
            raise Invalid(say("两次输入的新密码不一样，请重新输入。"))
        operations.change_password(door.db(), door.scope(), old, new, now=door.now())
    except Invalid as refused:
        return _page(refusal=refused.sentence), 422
    door.commit()
    flash(gettext("密码已修改，请用新密码登录。"), "good")
    answer = redirect("/login", 303)
    answer.delete_cookie(door.COOKIE)
    return answer


@bp.post("/sessions/end")
@door.requires("")
def log_out_everywhere() -> Response:
    """Every session of this user ends, this one too; tokens stay, and are revoked one by one."""
    operations.log_out_everywhere(door.db(), door.scope(), now=door.now())
    door.commit()
    flash(gettext("所有设备都已退出，请重新登录。"), "good")
    answer = redirect("/login", 303)
    answer.delete_cookie(door.COOKIE)
    return answer


@bp.post("/language")
@door.requires("")
def language() -> Response:
    """The language of one's pages and notices."""
    chosen = request.form.get("locale", "")
    if chosen not in ("", "zh", "en"):
        raise Invalid(say("没有这种语言。"))
    user = door.user()
    user.locale = chosen
    door.db().add(user)
    door.commit()
    answer = make_response(redirect("/account", 303))
    answer.delete_cookie("hs_lang")
    return answer


@bp.post("/tokens")
@door.requires("")
def new_token() -> str:
    """A token of one's own, shown on this answer only; it can do what its owner can, or less."""
    name, scopes = request.form.get("name", "").strip()[:100], request.form.getlist("scopes")
    token = operations.issue_token(door.db(), door.scope(), door.user().login, now=door.now(), name=name, scopes=scopes)
    door.commit()
    return _page(fresh=token)


@bp.post(f"/tokens/{ROW}/revoke")
@door.requires("")
def revoke(row_id: int) -> Response:
    """The token is worth nothing from now on."""
    operations.revoke(door.db(), door.scope(), row_id, now=door.now())
    door.commit()
    flash(gettext("令牌已吊销。"), "good")
    return redirect("/account#tokens", 303)


@bp.post("/deputies")
@door.requires("")
def appoint() -> Response:
    """Lets a colleague act in one's place for a time."""
    span = (_instant("starts_at"), _instant("ends_at"))
    operations.appoint(door.db(), door.scope(), request.form.get("login", "").strip(), span, now=door.now())
    door.commit()
    flash(gettext("已设置代理。"), "good")
    return redirect("/account#deputies", 303)


@bp.post(f"/deputies/{ROW}/dismiss")
@door.requires("")
def dismiss(row_id: int) -> Response:
    """Ends an appointment."""
    operations.dismiss(door.db(), door.scope(), row_id, now=door.now())
    door.commit()
    flash(gettext("已取消代理。"), "good")
    return redirect("/account#deputies", 303)


@bp.post("/act-for")
@door.requires("")
def act_for() -> Response:
    """Acts for a colleague who appointed one, or for oneself again (no user given)."""
    login = door.login()
    assert login is not None  # see only_in_person
    given = request.form.get("user", "")
    if given and not (given.isascii() and given.isdigit() and int(given) < 2**63):
        raise Invalid(say("没有这位同事。"))
    key = operations.act_for(door.db(), door.scope(), login, int(given) if given else None, now=door.now())
    door.commit()
    return auth.with_cookie(redirect("/", 303), key)


def _instant(name: str) -> datetime:
    try:
        return datetime.fromisoformat(request.form.get(name, "")).replace(tzinfo=BEIJING)
    except ValueError as error:
        raise Invalid(say("请填写代理的开始和结束时间。")) from error
