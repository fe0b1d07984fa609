"""The pages over a database of their own."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.experience.web.staff import Office


@pytest.fixture
def office(own_database: Engine, tmp_path: Path, now: datetime) -> Office:
    """The small operator of tests/people.py and its pages."""
    return Office(own_database, tmp_path, now)
