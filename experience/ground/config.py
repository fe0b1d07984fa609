"""The one place where settings are read."""

import secrets
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from experience.ground.errors import Invalid
from experience.ground.i18n import say


class Settings(BaseSettings):
    """All settings, from the environment or `.env`; `huisheng doctor --settings` lists them."""

    model_config = SettingsConfigDict(env_prefix="HUISHENG_", env_file=".env", extra="ignore")

    home: Path = Field(Path("var"), description="Data folder: spool, embedded database, secret key.")
    env: Literal["production", "development"] = Field(
        "development", description="production refuses the shifted clock and demo logins."
    )
    secret_key: str = Field("", description="Signs sessions and tokens; made once and kept in the data folder.")
    clock: str = Field("", description="Shift of clock.now(), such as +12d; refused in production.")
    database_url: str = Field(
        "",
        validation_alias="DATABASE_URL",
        description="PostgreSQL to use; empty means the embedded server under the data folder.",
    )
    database_pool: int = Field(8, description="Connections each process may hold.")
    session_idle_hours: float = Field(12, description="A login ends after this long without a request.")
    session_days: float = Field(7, description="A login ends after this long whatever happens.")
    login_rate: str = Field("10 per minute", description="Logins tried from one address.")
    public_rate: str = Field("120 per minute", description="Rants and answers from one address.")
    metrics_token: str = Field("", description="Bearer token for /metrics from elsewhere than loopback.")

    def key(self) -> str:
        """The secret key; made on first use and kept in the data folder, readable by its owner only."""
        if self.secret_key:
            return self.secret_key
        return _kept_key(self.home)


@lru_cache
def _kept_key(home: Path) -> str:
    """The key kept in this folder, read once a process: it is asked for at every answer."""
    kept = home / "secret_key"
    if not kept.exists():
        home.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_name(f"secret_key.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48))
        try:
            kept.hardlink_to(fresh)  # the first process wins; the others read what it wrote
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return kept.read_text()


@lru_cache
def settings() -> Settings:
    """The process's settings, read once.

    Raises Invalid when one of them cannot be understood.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [{"setting": str(found["loc"][0]).upper(), "detail": found["msg"]} for found in error.errors()]
        raise Invalid(say("环境变量或 .env 里的设置有误，各项说明见 huisheng doctor --settings。"), wrong) from error
