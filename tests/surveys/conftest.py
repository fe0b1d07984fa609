"""The surveys' tests sign with a key of their own."""

import pytest

from experience.ground.config import settings


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "secret_key", "a key for tests")
