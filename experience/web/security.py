"""Headers, nonces, cookies, CSRF and rate limits: what every answer carries."""

import secrets
from typing import Any

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect

from experience.ground.config import Settings
from experience.ground.errors import NotFound
from experience.ground.i18n import say
from experience.web import door
from experience.web.rates import Limiter

csrf = CSRFProtect()
limiter = Limiter()
_YEAR = 31_536_000


def install(app: Flask, chosen: Settings) -> None:
    """Puts the protections on."""
    app.config |= {
        "SECRET_KEY": chosen.key(),
        "SESSION_COOKIE_NAME": "hs_form",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": chosen.env == "production",
        "WTF_CSRF_CHECK_DEFAULT": False,  # see _begin: the API takes tokens only, never a cookie
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session itself; a page left open overnight still works
        "WTF_CSRF_SSL_STRICT": False,
        "MAX_CONTENT_LENGTH": 32 * 2**20,
        "MAX_FORM_MEMORY_SIZE": 2 * 2**20,
    }
    csrf.init_app(app)
    limiter.reset()
    app.before_request(_begin)
    app.after_request(_headers)
    app.context_processor(lambda: {"csp_nonce": nonce})


def nonce() -> str:
    """This answer's nonce for scripts."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def _begin() -> None:
    g.request_id = secrets.token_hex(8)
    if any(not _is_storable(value) for value in (request.view_args or {}).values()):
        raise NotFound(say("没有找到您要的内容，它可能已被移走，或不在您的范围内。"))
    if not door.wants_json():
        csrf.protect(apply_exemptions=True)


def _is_storable(value: object) -> bool:
    """Whether the database could hold what the path names; nothing is kept under NUL or beyond bigint."""
    return "\x00" not in value if isinstance(value, str) else not isinstance(value, int) or value < 2**63


def allow_frames(*origins: str) -> None:
    """Lets these origins frame this answer; no other page may."""
    g.frame_ancestors = " ".join(origins) or "'none'"


def _headers(answer: Response) -> Response:
    headers = answer.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
    headers["X-Request-Id"] = g.get("request_id", "")
    if answer.mimetype == "text/html":
        headers.setdefault("Content-Security-Policy", _policy())
        headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}; includeSubDomains")
    return answer


def _policy() -> str:
    parts: dict[str, Any] = {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonce()}'",
        "style-src": f"'self' 'nonce-{nonce()}'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-src": "'self'",
        "frame-ancestors": g.get("frame_ancestors", "'none'"),
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())
