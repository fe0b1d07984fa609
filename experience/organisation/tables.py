"""Rows of the organisation: units, users, grants, deputies, tokens, logins."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from experience.ground.store import Row, instant, reference, row_id

UNIT_KINDS = ("centre", "province", "base", "department", "partner")


class Unit(Row, table=True):
    """A node of the organisation tree. `path` is the chain of ids from the root, such as `/1/7/23/`."""

    __tablename__ = "unit"
    __table_args__ = (
        CheckConstraint(f"kind in {UNIT_KINDS}", name="kind"),
        CheckConstraint("(kind = 'centre') = (parent_id is null)", name="only_the_centre_is_root"),
    )
    id: int | None = row_id()
    code: str = Field(unique=True)
    name: str
    kind: str
    parent_id: int | None = reference("unit.id", nullable=True)
    path: str = Field(index=True)
    territory: str = Field(default="", index=True)  # province code served, such as guangdong
    product_line: str = ""
    internal_review: bool = False
    calendar: str = "cn-office"
    is_active: bool = True


class User(Row, table=True):
    """A member of staff. `password_hash` is argon2; empty means no password login.

    `failures` counts wrong passwords since the last right one, the latest at `failed_at`.
    """

    __tablename__ = "user_account"
    id: int | None = row_id()
    login: str = Field(unique=True)
    name: str
    email: str = ""
    password_hash: str = ""
    locale: str = ""
    is_active: bool = True
    created_at: datetime = instant()
    failures: int = 0
    failed_at: datetime | None = instant(nullable=True)


class Grant(Row, table=True):
    """A role of a user in a unit; it reaches the unit's whole subtree."""

    __tablename__ = "grant_of_role"
    __table_args__ = (UniqueConstraint("user_id", "unit_id", "role"),)
    id: int | None = row_id()
    user_id: int = reference("user_account.id")
    unit_id: int = reference("unit.id")
    role: str


class Deputy(Row, table=True):
    """Between two instants `deputy_id` may act for `user_id`, with all of that user's grants."""

    __tablename__ = "deputy"
    __table_args__ = (CheckConstraint("ends_at > starts_at", name="ends_after_start"),)
    id: int | None = row_id()
    user_id: int = reference("user_account.id")
    deputy_id: int = reference("user_account.id")
    starts_at: datetime = instant()
    ends_at: datetime = instant()


class ApiToken(Row, table=True):
    """A bearer token of a user; only its SHA-256 is kept. Empty `scopes` means all the user may do."""

    __tablename__ = "api_token"
    id: int | None = row_id()
    user_id: int = reference("user_account.id")
    name: str
    token_hash: str = Field(unique=True)
    scopes: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    created_at: datetime = instant()
    last_used_at: datetime | None = instant(nullable=True)
    revoked_at: datetime | None = instant(nullable=True)


class Login(Row, table=True):
    """A browser session; the cookie holds a random key, the row its SHA-256."""

    __tablename__ = "login"
    id: int | None = row_id()
    key_hash: str = Field(unique=True)
    user_id: int = reference("user_account.id")
    created_at: datetime = instant()
    seen_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    acting_for_id: int | None = Field(default=None, foreign_key="user_account.id", sa_type=BigInteger)


class IdempotencyKey(Row, table=True):
    """A write done before: same key and fingerprint answers with what was answered then."""

    __tablename__ = "idempotency_key"
    actor: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: str
    status: int
    response: str = ""
    created_at: datetime = instant(index=True)
