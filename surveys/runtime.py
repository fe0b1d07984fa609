"""What travels to a customer and back: the signed display token, the receipt, and whether answers look honest."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from surveys.definition import Matrix, SurveyDefinition

TOKEN_LIFE = timedelta(hours=24)
RESUME_LIFE = timedelta(days=7)
RESERVED_SECONDS = 60  # a reservation not displayed by then is given back
TYPICAL_ITEM_SECONDS = 4.0  # until a publication has enough answers for its own median
SPEEDER_ITEMS, SPEEDER_SHARE = 3, 1 / 3
STRAIGHT_ROWS = 5


@dataclass(frozen=True, slots=True)
class Token:
    """What a display token says: this version of this survey, for this device, issued then, once."""

    survey: str
    version: int
    device: str
    issued_at: datetime
    nonce: str


def issue(survey: str, version: int, device: str, now: datetime) -> Token:
    """A fresh token."""
    return Token(survey, version, device, now, secrets.token_urlsafe(12))


def signed(token: Token, key: str) -> str:
    """The token as text: its parts and their HMAC-SHA256 under the house's key, URL-safe."""
    millis = int(token.issued_at.timestamp() * 1000)
    parts = "|".join((token.survey, str(token.version), token.device, str(millis), token.nonce))
    return f"{_pack(parts.encode())}.{_pack(_seal(parts.encode(), key))}"


def opened(text: str, key: str) -> Token:
    """The token a text holds. Raises Invalid when it was not signed by us."""
    body, _, seal = text.partition(".")
    try:
        parts, given = _unpack(body), _unpack(seal)
        if not hmac.compare_digest(_seal(parts, key), given):
            raise ValueError(text)
        survey, version, device, millis, nonce = parts.decode().split("|")
        return Token(survey, int(version), device, datetime.fromtimestamp(int(millis) / 1000, UTC), nonce)
    except (ValueError, binascii.Error) as error:
        raise Invalid(say("问卷凭证无效，请从原来的入口重新打开问卷。")) from error


def is_live(token: Token, started_at: datetime | None, now: datetime) -> bool:
    """Whether the token may still be used: 24 hours to begin, 7 days to finish what was begun."""
    if started_at is not None:
        return now - started_at <= RESUME_LIFE
    return now - token.issued_at <= TOKEN_LIFE


def digest(secret: str) -> str:
    """SHA-256 of a token or receipt, in hex: all that the database keeps of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def response_code() -> str:
    """A fresh public code of a response."""
    return "R" + base64.b32encode(secrets.token_bytes(10)).decode()


def receipt(code: str, key: str) -> str:
    """The secret with which an author sees what became of the response; the same whenever it is asked for again."""
    return _pack(_seal(f"receipt|{code}".encode(), key)[:18])


def is_speeder(seconds: float | None, items: int, typical_seconds: float) -> bool:
    """Answered in under a third of the usual time an item, three items or more."""
    return seconds is not None and items >= SPEEDER_ITEMS and seconds / items < typical_seconds * SPEEDER_SHARE


def is_straight_line(survey: SurveyDefinition, answers: Mapping[str, Any]) -> bool:
    """Five or more rows of a matrix, all answered alike."""
    matrices = (answers.get(item.id) or {} for item in survey.items if isinstance(item, Matrix))
    return any(len(rows) >= STRAIGHT_ROWS and len(set(rows.values())) == 1 for rows in matrices)


def _seal(content: bytes, key: str) -> bytes:
    return hmac.new(key.encode(), content, hashlib.sha256).digest()


def _pack(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _unpack(text: str) -> bytes:
    return base64.b64decode((text + "=" * (-len(text) % 4)).encode("ascii"), altchars=b"-_", validate=True)
