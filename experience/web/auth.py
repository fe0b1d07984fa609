"""Log in and out."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from experience.ground.config import settings
from experience.ground.errors import Forbidden
from experience.organisation.operations import logins
from experience.web import door, errors, security

bp = Blueprint("auth", __name__)


class LoginForm(FlaskForm):  # type: ignore[misc]
    """Who is it?"""

    login = StringField(lazy_gettext("账号"), validators=[InputRequired(lazy_gettext("请输入账号")), Length(max=100)])
    password = PasswordField(
        lazy_gettext("密码"), validators=[InputRequired(lazy_gettext("请输入密码")), Length(max=200)]
    )
    next = HiddenField()


@bp.get("/login")
def login_page() -> Any:
    """The form; somebody logged in already goes on."""
    form = LoginForm(next=request.args.get("next", ""))
    if door.somebody() is not None:
        return redirect(_inside(form.next.data))
    return render_template("login.html", form=form, refusal="")


@bp.post("/login")
@security.limiter.limit(lambda: settings().login_rate)
def log_in() -> Any:
    """A right pair gets a fresh session; a wrong one is told so, without saying which half was wrong."""
    form = LoginForm()
    if not form.validate():
        return render_template("login.html", form=form, refusal=""), 422
    try:
        key = logins.log_in(door.db(), form.login.data.strip(), form.password.data, now=door.now())
    except Forbidden as held:
        return render_template("login.html", form=form, refusal=errors.translated(held.sentence)), 429
    door.commit()
    if key is None:
        return render_template("login.html", form=form, refusal=lazy_gettext("账号或密码不对，请重新输入。")), 422
    return with_cookie(redirect(_inside(form.next.data), 303), key)


@bp.post("/logout")
def log_out() -> Any:
    """Ends the session on the server too."""
    logins.log_out(door.db(), request.cookies.get(door.COOKIE, ""), now=door.now())
    door.commit()
    answer = redirect("/login", 303)
    answer.delete_cookie(door.COOKIE)
    return answer


def with_cookie(answer: Response, key: str) -> Response:
    """The answer with the key of a browser session in its cookie."""
    chosen = settings()
    answer.set_cookie(
        door.COOKIE,
        key,
        max_age=int(chosen.session_days * 86400),
        httponly=True,
        samesite="Lax",
        secure=chosen.env == "production",
    )
    return answer


def _inside(where: str | None) -> str:
    """The page to go on to: ours only, never another host's."""
    parts = urlsplit(where or "/")
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith("/") and not parts.path.startswith("//")
    return where if where and is_ours and "\\" not in where else "/"
