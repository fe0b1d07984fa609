"""What the probes' tests share: a key of their own, and no memory of another test's rules and sites."""

import pytest

from experience.ground.config import settings
from experience.touchpoints import queries
from probes.operations import triggering


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "secret_key", "a key for tests")
    monkeypatch.setattr(queries, "_kept", {})
    monkeypatch.setattr(triggering, "_kept", {})
    monkeypatch.setattr(triggering, "_sittings", triggering.Sittings())
