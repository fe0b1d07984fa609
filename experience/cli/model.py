"""`model`: train a reader, measure it, choose the one in use.

The database holds the models and says which one the platform reads with; a folder under the data folder holds copies,
for `huisheng analyse` needs no database. `use` sets both.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from analysis import evaluation, labelled, schooling
from analysis import model as models
from analysis.reading import LABELS
from experience.ground.config import settings
from experience.ground.errors import Conflict, HuishengError, Invalid, NotFound
from experience.ground.i18n import say

SHIPPED = "shipped"
_offline = click.option("--offline", is_flag=True, help="Only the files of this machine; no database is asked.")


def folder() -> Path:
    """Where copies of models are kept: under the data folder."""
    return settings().home / "models"


def chosen() -> str:
    """The version `analyse` reads with on this machine; `shipped` until another is chosen."""
    pointer = folder() / "in-use"
    return pointer.read_text(encoding="utf-8").strip() if pointer.exists() else SHIPPED


def file_of(version: str) -> Path:
    """The file of a version. Raises NotFound for one that is not there."""
    if version == SHIPPED:
        return models.SHIPPED
    file = folder() / f"{version}.npz"
    if not file.exists():
        raise NotFound(say("没有模型 %(version)s：用 huisheng model list 查看已有的模型。", version=version))
    return file


def adopt() -> str:
    """Reads with the chosen model from now on; returns its version. For `analyse`, which asks no database."""
    version = chosen()
    models.use(loaded(version))
    return version


def loaded(version: str) -> models.Model:
    """The model of a version. Raises Invalid for one made for another tree of topics."""
    try:
        return models.load(file_of(version))
    except ValueError as error:
        raise Invalid(say("模型 %(version)s 不能用：%(reason)s", version=version, reason=str(error))) from error


@click.group()
def model() -> None:
    """情感与主题模型：训练、评测、查看、启用 · the sentiment and topic models."""


@model.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="More labelled texts.")
@click.option(
    "--corrections", is_flag=True, help="From what staff put right in the database; the candidate stays there."
)
@click.option("--seed", default=7, show_default=True)
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), help="Where the files go; else among the models here."
)
def train(data: Path | None, corrections: bool, seed: int, output: Path | None) -> None:
    """训练一个新版本，不启用 · train a version from labelled texts or staff's verdicts; it is not used yet."""
    if corrections and (data or output):
        raise Invalid(say("--corrections 不能与 --data 或 --output 同时使用。"))
    card = _from_verdicts() if corrections else _from_files(data, seed, output or folder())
    click.echo(json.dumps({name: card[name] for name in card if name != "heads"}, ensure_ascii=False))
    if output is None:
        click.echo(f"启用 · to use it: huisheng model use {card['version']}", err=True)


def _from_files(data: Path | None, seed: int, output: Path) -> dict[str, Any]:
    """The card of a version trained into a folder: anew where there are many polar texts, else taught by the rest."""
    from analysis import training  # noqa: PLC0415 - needs scikit-learn, which serving does not
    from experience.ground import clock  # noqa: PLC0415

    today = clock.now().date()
    if data and any(data.rglob("*.jsonl.gz")):
        return training.train(data, output, seed=seed, on=today)
    found = labelled.folder(data)
    told = [row for row in found.voices if row.source != labelled.OWN.stem]
    verdicts = [
        schooling.Verdict(
            row.text, LABELS[row.sentiment + 1] if row.sentiment is not None else None, row.topic, row.intent
        )
        for row in told
    ]
    work = schooling.Work(today.isoformat(), verdicts, unlabelled=found.unlabelled)
    artefact, card = schooling.school(work, lambda stage, percent: click.echo(f"{percent:>3} % {stage}", err=True))
    _keep_file(output, artefact, card)
    return card


def _from_verdicts() -> dict[str, Any]:
    """The card of a candidate trained from the database, here or by the worker that was faster."""
    from experience.ground import clock, sweep  # noqa: PLC0415 - `analyse` must not load the database
    from experience.ground.store import transaction  # noqa: PLC0415
    from experience.learning import operations  # noqa: PLC0415
    from experience.learning.tables import TrainingRun  # noqa: PLC0415

    with _database() as engine:
        with transaction(engine) as session:
            run_id = operations.train(session, _operator(), now=clock.now()).id
        told = ""
        while True:
            sweep.run(engine, sweep.Job("learning.train", operations.train_next, 3), clock.now())
            with transaction(engine) as session:
                run = session.get_one(TrainingRun, run_id)
                if run.finished_at:
                    break
                if run.progress != told:
                    told = run.progress
                    click.echo(f"{run.percent:>3} % {told}", err=True)
            time.sleep(1)
        if run.failure:
            raise HuishengError(run.failure)
        with transaction(engine) as session:
            return dict(_known(session, run.version).card)


@model.command()
@click.argument("version", default="")
@click.option("--data", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TSV; else the gold set.")
@click.option("--json", "as_json", is_flag=True)
def evaluate(version: str, data: Path | None, as_json: bool) -> None:
    """评测：准确率、宏平均 F1、校准 · accuracy, macro-F1 and calibration by source."""
    name = version or chosen()
    if name != SHIPPED and not (folder() / f"{name}.npz").exists():
        _fetch(name)
    report = evaluation.evaluate(loaded(name), labelled.voices(data or labelled.GOLD))
    click.echo(json.dumps(report.document(), ensure_ascii=False) if as_json else evaluation.table(report))


@model.command("list")
@_offline
def list_(offline: bool) -> None:
    """列出版本，* 为启用中 · list the versions; * is in use."""
    _list(offline)


@model.command()
@click.argument("version", default="")
@_offline
def show(version: str, offline: bool) -> None:
    """一个版本的说明（不给版本则列出全部） · a version's card as JSON; without a version, the list."""
    if not version:
        _list(offline)
    elif offline or version == SHIPPED or (folder() / f"{version}.npz").exists():
        click.echo(json.dumps(loaded(version).card, ensure_ascii=False, indent=1))
    else:
        from experience.ground.store import transaction  # noqa: PLC0415

        with _database() as engine, transaction(engine) as session:
            click.echo(json.dumps(_known(session, version).card, ensure_ascii=False, indent=1))


def _list(offline: bool) -> None:
    files = sorted(file.stem for file in folder().glob("*.npz") if not file.stem.endswith(".part"))
    listed: set[str] = set()
    if offline:
        _line(chosen() == SHIPPED, SHIPPED, loaded(SHIPPED).version)
    else:
        listed = _list_stored()
    for version in files:
        if version not in listed:
            _line(offline and chosen() == version, version, f"{folder() / version}.npz")


def _list_stored() -> set[str]:
    from experience.ground.store import transaction  # noqa: PLC0415
    from experience.readers import queries  # noqa: PLC0415

    with _database() as engine, transaction(engine) as session:
        lines = queries.versions(session, _operator())
    for one in lines:
        marks = one.card["report"]
        figures = "  ".join(f"{name} {marks[name]['macro_f1']:.3f}" for name in ("label", "topic", "intent"))
        name = SHIPPED if one.is_shipped else one.version
        _line(one.state == "current", name, f"{one.state:<10}{figures}  {one.reason}")
    return {one.version for one in lines}


def _line(is_used: bool, version: str, rest: str) -> None:
    click.echo(f"{'*' if is_used else ' '} {version:<28} {rest}".rstrip())


@model.command()
@click.argument("version")
@click.option("--force", is_flag=True, help="Even when it reads the gold set worse than the one in use.")
@_offline
def use(version: str, force: bool, offline: bool) -> None:
    """启用一个版本（shipped 为随产品发布的）；在金标集上更差则拒绝 · use a version unless it is worse on gold."""
    if offline:
        _use_file(version, force)
    else:
        _use_everywhere(version, force)
    _point(version)
    click.echo(f"已启用 {version}，各进程从下一批起使用 · in use; every process reads its next batch with it")


def _use_file(version: str, force: bool) -> None:
    gold = labelled.voices(labelled.GOLD)
    old, new = (evaluation.evaluate(loaded(name), gold) for name in (chosen(), version))
    reasons = evaluation.may_replace(old, new)
    if reasons and not force:
        raise Conflict(say("没有启用 %(version)s：%(reasons)s。", version=version, reasons="；".join(reasons)))


def _use_everywhere(version: str, force: bool) -> None:
    """Promotes the version in the database, brought in from its file when only that is there; and fetches the file."""
    from experience.ground import clock  # noqa: PLC0415
    from experience.ground.store import transaction  # noqa: PLC0415
    from experience.readers import queries  # noqa: PLC0415
    from experience.readers.operations import add_candidate, promote  # noqa: PLC0415

    file = folder() / f"{version}.npz"
    with _database() as engine, transaction(engine) as session:
        if not queries.is_shipped(version) and file.exists():
            made = loaded(version)
            report = made.card.get("report") or _report(made)
            card = {**made.card, "version": version, "report": report}
            add_candidate(session, _operator(), file.read_bytes(), card, now=clock.now())
        named = queries.shipped_version() if queries.is_shipped(version) else version
        if queries.current_version(session) != named:
            promote(session, _operator(), version, now=clock.now(), is_forced=force)
    if not queries.is_shipped(version) and not file.exists():
        _fetch(version)


def _report(made: models.Model) -> dict[str, Any]:
    return evaluation.evaluate(made, labelled.voices(labelled.GOLD)).document()


def _point(version: str) -> None:
    folder().mkdir(parents=True, exist_ok=True)
    fresh = folder() / f"in-use.{os.getpid()}"
    fresh.write_text(version, encoding="utf-8")
    fresh.replace(folder() / "in-use")  # whole for whoever reads it: the old choice or the new one


def _fetch(version: str) -> None:
    """Copies a version from the database into the folder. Raises NotFound when it is in neither."""
    from experience.ground.store import transaction  # noqa: PLC0415
    from experience.readers import queries  # noqa: PLC0415

    with _database() as engine, transaction(engine) as session:
        _keep_file(folder(), queries.artefact(session, _operator(), version), dict(_known(session, version).card))


def _keep_file(where: Path, artefact: bytes, card: dict[str, Any]) -> None:
    where.mkdir(parents=True, exist_ok=True)
    file = where / f"{card['version']}.npz"
    for path, content in (
        (file.with_suffix(".json"), json.dumps(card, ensure_ascii=False, indent=1).encode()),
        (file, artefact),
    ):
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_bytes(content)
        part.replace(path)


def _known(session: Any, version: str) -> Any:
    from experience.readers import queries  # noqa: PLC0415

    return queries.version(session, _operator(), version)


def _operator() -> Any:
    from experience.organisation.permissions import SYSTEM  # noqa: PLC0415

    return SYSTEM


@contextmanager
def _database() -> Iterator[Any]:
    """The database, ready; asked for late, since `analyse` shares this file and must load none."""
    from experience.cli.store import ready_engine  # noqa: PLC0415

    engine = ready_engine()
    try:
        yield engine
    finally:
        engine.dispose()
