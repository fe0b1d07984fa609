"""Choosing a model: one pointer that every process follows, moved only to what reads no worse."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis import model as models
from experience.cli import model
from experience.ground.config import Settings
from experience.ground.errors import NotFound


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(model, "settings", lambda: Settings(home=tmp_path))
    yield tmp_path
    models.use(models.load(models.SHIPPED))


def test_the_shipped_model_is_in_use_until_another_is_chosen(home: Path) -> None:
    assert model.chosen() == "shipped"
    shown = CliRunner().invoke(model.model, ["show"])
    assert shown.output.startswith("* shipped")


def test_a_chosen_model_is_what_this_process_reads_with(home: Path) -> None:
    (home / "models").mkdir()
    for suffix in (".npz", ".json"):
        shutil.copy(models.SHIPPED.with_suffix(suffix), home / "models" / f"twin{suffix}")
    done = CliRunner().invoke(model.model, ["use", "twin", "--force"], catch_exceptions=False)
    assert done.exit_code == 0
    assert model.chosen() == "twin"
    assert model.adopt() == "twin"
    assert models.load() is models.load(home / "models" / "twin.npz")


def test_a_model_that_is_not_there_is_refused_and_nothing_changes(home: Path) -> None:
    done = CliRunner().invoke(model.model, ["use", "nobody"])
    assert isinstance(done.exception, NotFound)
    assert model.chosen() == "shipped"
