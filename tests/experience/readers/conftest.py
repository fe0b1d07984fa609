"""Models to choose from without training any."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from analysis import model as models
from analysis import retraining
from experience.readers.operations.current import forget
from experience.readers.queries import shipped_report


@cache
def twin(version: str) -> tuple[bytes, dict[str, Any]]:
    """The shipped model under another version, with the shipped model's marks."""
    base = models.load(models.SHIPPED)
    artefact, card = retraining.packed(replace(base, version=version, card={**base.card, "version": version}))
    return artefact, {**card, "report": shipped_report().document()}


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    yield
    forget()
