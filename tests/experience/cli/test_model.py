"""Choosing a model on the command line: the platform's in the database, and the file `analyse` reads with."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from analysis import model as models
from analysis import pipeline
from experience.cli import model, store
from experience.ground.config import Settings
from experience.ground.errors import Conflict, NotFound
from experience.ground.store import transaction
from experience.readers import queries
from experience.readers.operations.current import forget, use_current


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(model, "settings", lambda: Settings(home=tmp_path))
    yield tmp_path
    models.reset()
    forget()


@pytest.fixture
def platform(home: Path, own_database: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(store, "ready_engine", lambda: own_database)
    return own_database


def run(*words: str) -> Result:
    return CliRunner().invoke(model.model, words)


def add_file(home: Path, version: str) -> None:
    (home / "models").mkdir(exist_ok=True)
    for suffix in (".npz", ".json"):
        shutil.copy(models.SHIPPED.with_suffix(suffix), home / "models" / f"{version}{suffix}")


def test_the_shipped_model_is_in_use_until_another_is_chosen(home: Path) -> None:
    assert model.chosen() == "shipped"
    assert run("show", "--offline").output.startswith("* shipped")


def test_a_chosen_file_is_what_this_process_reads_with(home: Path) -> None:
    add_file(home, "twin")
    assert run("use", "twin", "--offline").exit_code == 0
    assert model.chosen() == model.adopt() == "twin"
    assert models.load() is models.load(home / "models" / "twin.npz")
    assert "* twin" in run("list", "--offline").output


def test_a_model_that_is_not_there_is_refused_and_nothing_changes(home: Path) -> None:
    assert isinstance(run("use", "nobody", "--offline").exception, NotFound)
    assert model.chosen() == "shipped"


def test_a_file_chosen_reads_on_the_whole_platform_and_back(home: Path, platform: Engine) -> None:
    add_file(home, "twin")
    done = run("use", "twin")
    assert done.exit_code == 0, done.exception
    with transaction(platform) as session:
        assert queries.current_version(session) == "twin"
        use_current(session)
    assert model.chosen() == "twin"
    lines = run("list").output.splitlines()
    assert lines[0].startswith("* twin")
    assert lines[-1].startswith("  shipped")
    assert run("use", "twin").exit_code == 0  # again is no error
    assert run("use", "shipped").exit_code == 0
    with transaction(platform) as session:
        assert queries.current_version(session) == queries.shipped_version()
    assert model.chosen() == "shipped"


def test_a_version_of_the_database_is_fetched_for_analyse(home: Path, platform: Engine) -> None:
    add_file(home, "twin")
    run("use", "twin")
    shutil.rmtree(home / "models")
    assert json.loads(run("show", "twin").output)["version"] == "twin"
    run("use", "shipped")
    assert run("use", "twin").exit_code == 0
    assert (home / "models" / "twin.npz").read_bytes() == models.SHIPPED.read_bytes()
    assert "macro-F1" in run("evaluate", "twin").output
    assert isinstance(run("evaluate", "nobody").exception, NotFound)


def test_what_a_folder_teaches_may_be_used(home: Path, tmp_path: Path) -> None:
    data = tmp_path / "told"
    data.mkdir()
    row = "怕又是坑，提心吊胆看完账单，白担心一场\t1\tbilling\tpraise"
    (data / "corrections.tsv").write_text(f"text\tsentiment\ttopic\tintent\n{row}\n", "utf-8")
    trained = run("train", "--data", str(data))
    assert trained.exit_code == 0, trained.exception
    version = json.loads(trained.stdout)["version"]
    done = run("use", version, "--offline")
    assert done.exit_code == 0, done.exception
    model.adopt()
    assert pipeline.read("怕又是坑，提心吊胆看完账单，白担心一场").label == "positive"


def test_one_source_of_lessons_at_a_time(home: Path, tmp_path: Path) -> None:
    assert run("train", "--data", str(tmp_path), "--corrections").exit_code == 1
    assert run("train", "--output", str(tmp_path), "--corrections").exit_code == 1


def test_a_worse_file_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_file(home, "twin")
    monkeypatch.setattr(model.evaluation, "may_replace", lambda _old, _new: ("情感宏平均 F1 由 0.9 降到 0.8",))
    assert isinstance(run("use", "twin", "--offline").exception, Conflict)
    assert model.chosen() == "shipped"
