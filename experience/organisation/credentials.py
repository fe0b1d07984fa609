"""Passwords and tokens: how they are made, hashed and compared, and how long a guesser must wait."""

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from experience.ground.errors import Invalid
from experience.ground.i18n import say

TOKEN_PREFIX = "hs_"  # noqa: S105 - lets secret scanners and people recognise a leaked token
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 200  # argon2 hashes any length; a limit keeps a megabyte of password from costing CPU
FREE_FAILURES = 5  # ASVS 6.3.1: a person mistypes a few times, a guesser does not stop
LONGEST_WAIT_SECONDS = 900

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The argon2id hash to keep; raises Invalid for a password too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(
            say("密码须为 %(least)s 到 %(most)s 个字符，请换一个。", least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD),
            [{"field": "password", "message": say("密码长度不合要求")}],
        )
    return _hasher.hash(password)


def password_fits(password: str, kept: str) -> bool:
    """Whether the password made this hash; an unknown user's empty hash costs the same time as a wrong password."""
    try:
        return _hasher.verify(kept or _nobodys_hash(), password[: LONGEST_PASSWORD + 1]) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe())


def new_token() -> str:
    """A fresh bearer token, shown once; only its `digest` is kept."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 of a random secret, in hex. Enough for secrets of 256 random bits; never for passwords."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def locked_until(failures: int, failed_at: datetime | None) -> datetime | None:
    """When the next password may be tried: after five failures the wait doubles from 1 s up to 15 minutes."""
    if failed_at is None or failures < FREE_FAILURES:
        return None
    return failed_at + timedelta(seconds=min(2 ** min(failures - FREE_FAILURES, 20), LONGEST_WAIT_SECONDS))
