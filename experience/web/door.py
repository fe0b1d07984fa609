"""What a request stands on: one session, one instant, one caller. Doors commit; nothing below does."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import wraps
from time import monotonic
from typing import Any, cast
from urllib.parse import urlencode

from flask import Flask, current_app, g, redirect, request
from sqlalchemy import Engine
from sqlmodel import Session

from experience.ground import clock
from experience.ground.config import settings
from experience.ground.errors import Forbidden, HuishengError
from experience.ground.i18n import say
from experience.organisation import queries
from experience.organisation.operations.seen import be_oneself, touch
from experience.organisation.permissions import Reach, Scope
from experience.organisation.queries import Caller
from experience.organisation.tables import Login, User

COOKIE = "hs_login"
_TOUCH_AFTER = timedelta(minutes=1)  # "last seen" is written once a minute, not at every request
_REACH_SECONDS = 5.0
_MOST_REACHES = 2000


class Unauthorised(HuishengError):
    """Nobody known is asking."""


def bind(app: Flask, engine: Engine) -> None:
    """Gives the application its engine and closes each request's session."""
    app.extensions["huisheng.engine"] = engine
    app.extensions["huisheng.reach"] = {}
    app.teardown_appcontext(_close)


def db() -> Session:
    """This request's session; what is not committed by the door is rolled back."""
    if "db" not in g:
        g.db = Session(current_app.extensions["huisheng.engine"], expire_on_commit=False)
    return cast(Session, g.db)


def commit() -> None:
    """Makes what this request did lasting."""
    db().commit()


def now() -> datetime:
    """The request's one instant."""
    if "now" not in g:
        g.now = clock.now()
    return cast(datetime, g.now)


def _close(_error: BaseException | None) -> None:
    session = g.pop("db", None)
    if session is not None:
        session.close()


def scope() -> Scope:
    """The caller's scope, from a bearer token or the login cookie. Raises Unauthorised for nobody known."""
    if "scope" not in g:
        g.scope = _identified()
    if g.scope is None:
        raise Unauthorised(say("请先登录，或在 Authorization 头里带上访问令牌。"))
    return cast(Scope, g.scope)


def somebody() -> Scope | None:
    """The caller's scope, or None for nobody known."""
    if "scope" not in g:
        g.scope = _identified()
    return cast("Scope | None", g.scope)


def user() -> User:
    """The caller's row."""
    return db().get_one(User, scope().user_id)


def login() -> Login | None:
    """The browser session the caller came by; None for a token."""
    scope()
    return db().get(Login, g.caller.door_id) if g.caller.is_login else None


def answered() -> queries.Answered | None:
    """What was found out about the request's `Idempotency-Key` with its caller; None when it was not."""
    found: queries.Caller | None = g.get("caller")
    return found.answered if found else None


def _identified() -> Scope | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        return _by_token(token.strip())
    key = request.cookies.get(COOKIE)
    if not key or wants_json():  # programs bring a token; a cookie on the API would need a CSRF token as well
        return None
    return _by_login(key)


def _by_token(token: str) -> Scope | None:
    key = None if request.method in ("GET", "HEAD") else request.headers.get("Idempotency-Key")
    found = queries.caller_by_token(db(), token, key)
    return _scope_of(found) if found else None


def _by_login(key: str) -> Scope | None:
    chosen = settings()
    idle, longest = timedelta(hours=chosen.session_idle_hours), timedelta(days=chosen.session_days)
    found = queries.caller_by_login(db(), key, now(), idle=idle, longest=longest)
    return _scope_of(found) if found else None


def _scope_of(found: Caller) -> Scope:
    g.caller = found
    if found.seen_at is None or now() - found.seen_at > _TOUCH_AFTER:
        touch(db(), found, now=now())
        db().commit()
        g.caller = replace(found, answered=None)  # its lock is gone with the transaction
    principal = found.acting_for_id
    if principal is None:
        held = queries.roles_held(found.granted, _reach)
    elif queries.may_act_for(db(), found.id, principal, now()):
        held = queries.held_by(db(), principal, _reach)
    else:  # the time is over: they are themselves again
        be_oneself(db(), found)
        db().commit()
        principal, held = None, queries.roles_held(found.granted, _reach)
    return Scope(found.id, found.name, held, principal, frozenset(found.scopes))


def _reach(paths: tuple[str, ...]) -> Mapping[str, Reach]:
    """The reach of each of these paths, remembered for a few seconds; grants and people never are."""
    kept: dict[tuple[str, ...], tuple[float, Mapping[str, Reach]]] = current_app.extensions["huisheng.reach"]
    known = kept.get(paths)
    if known is None or known[0] < monotonic():
        if len(kept) > _MOST_REACHES:
            kept.clear()
        known = kept[paths] = (monotonic() + _REACH_SECONDS, queries.subtrees(db(), paths))
    return known[1]


def forget_reach() -> None:
    """After a changed unit tree this process looks anew; others do within seconds."""
    current_app.extensions["huisheng.reach"].clear()


def wants_json() -> bool:
    """Whether the caller is a program: the API and the collector answer problem documents, pages answer pages."""
    return request.path.startswith(("/api/", "/collect/"))


def requires(act: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A page for those who hold the act ("" is for any caller); others log in, or are told what they lack."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if somebody() is None and not wants_json():
                return redirect("/login?" + urlencode({"next": request.full_path.rstrip("?")}))
            if act:
                scope().demand(act)
            return view(*args, **kwargs)

        guarded.required_act = act  # type: ignore[attr-defined]
        return guarded

    return decorate


def demand_same_site() -> None:
    """Raises Forbidden for a cookie-carried write that another site's page sent (defence beside the CSRF token)."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden(say("这个请求来自其他网站，已拒绝。"))
