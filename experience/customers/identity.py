"""Whether a customer's identity given by a web page was signed by the page's own server."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

MAX_AGE = timedelta(hours=24)
AHEAD = timedelta(minutes=5)  # clocks of two servers differ


def signature(secret: str, ref: str, ts: str) -> str:
    """Hex HMAC-SHA256 of `ref.ts` under the site's secret, as the host's server must make it."""
    return hmac.new(secret.encode(), f"{ref}.{ts}".encode(), hashlib.sha256).hexdigest()


def is_genuine(secret: str, ref: str, ts: str, sig: str, now: datetime) -> bool:
    """Whether the signature fits and is at most 24 hours old; `ts` is in seconds or milliseconds of Unix time.

    A site without a secret vouches for nobody.
    """
    at = _instant(ts)
    if not secret or not ref or at is None or not -AHEAD <= now - at <= MAX_AGE:
        return False
    return hmac.compare_digest(signature(secret, ref, ts).encode(), sig.encode("utf-8", "replace"))


def _instant(ts: str) -> datetime | None:
    if not (ts.isascii() and ts.isdigit() and len(ts) <= 13):
        return None
    seconds = int(ts) / 1000 if len(ts) > 11 else int(ts)
    return datetime.fromtimestamp(seconds, UTC)
