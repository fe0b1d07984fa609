"""The probe's script as pages embed it: minified when the app starts, kept by browsers until it changes."""

import gzip
import hashlib
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, request

from experience.web.shrink import shrink

bp = Blueprint("probe_sdk", __name__)

SOURCE = Path(__file__).parent.parent / "sdk" / "probe.js"
#: How long a browser uses its copy without asking; a mended script reaches every page within this.
KEPT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Script:
    """A script ready to send; `integrity` is what a page may pin it by."""

    text: bytes
    gzipped: bytes
    etag: str
    integrity: str


@cache
def script() -> Script:
    """The probe, made once a process."""
    text = shrink(SOURCE.read_text(encoding="utf-8")).encode()
    integrity = "sha384-" + b64encode(hashlib.sha384(text).digest()).decode()
    return Script(text, gzip.compress(text, 9, mtime=0), hashlib.sha256(text).hexdigest()[:20], integrity)


@bp.get("/sdk/v1.js")
def probe_js() -> Response:
    """The probe for any page: no cookie is read or set."""
    made = script()
    sent = Response(mimetype="text/javascript")
    sent.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}, stale-while-revalidate=86400"
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
