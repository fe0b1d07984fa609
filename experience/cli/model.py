"""`model`: train a reader, measure it, choose the one in use; every process follows the choice within seconds."""

import json
import os
import threading
from pathlib import Path

import click

from analysis import evaluation, labelled
from analysis import model as models
from experience.ground.config import settings
from experience.ground.errors import Conflict, Invalid, NotFound
from experience.ground.i18n import say

SHIPPED = "shipped"
_LOOK_SECONDS = 3.0


def folder() -> Path:
    """Where trained models are kept: under the data folder."""
    return settings().home / "models"


def chosen() -> str:
    """The version in use; `shipped` until another is chosen."""
    pointer = folder() / "in-use"
    return pointer.read_text(encoding="utf-8").strip() if pointer.exists() else SHIPPED


def file_of(version: str) -> Path:
    """The file of a version. Raises NotFound for one that is not there."""
    if version == SHIPPED:
        return models.SHIPPED
    file = folder() / f"{version}.npz"
    if not file.exists():
        raise NotFound(say("没有模型 %(version)s：用 huisheng model show 查看已有的模型。", version=version))
    return file


def adopt() -> str:
    """Reads with the chosen model from now on; returns its version."""
    version = chosen()
    models.use(loaded(version))
    return version


def loaded(version: str) -> models.Model:
    """The model of a version. Raises Invalid for one made for another tree of topics."""
    try:
        return models.load(file_of(version))
    except ValueError as error:
        raise Invalid(say("模型 %(version)s 不能用：%(reason)s", version=version, reason=str(error))) from error


def follow() -> None:
    """Adopts the chosen model and, in the background, every later choice."""
    adopted = adopt()

    def look() -> None:
        nonlocal adopted
        while True:
            pause.wait(_LOOK_SECONDS)
            if chosen() != adopted:
                adopted = adopt()

    pause = threading.Event()
    threading.Thread(target=look, name="model", daemon=True).start()


@click.group()
def model() -> None:
    """情感与主题模型：训练、评测、查看、启用 · the sentiment and topic models."""


@model.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="More labelled texts.")
@click.option("--seed", default=7, show_default=True)
def train(data: Path | None, seed: int) -> None:
    """训练一个新版本，不启用 · train a version from the product's own texts and a folder; it is not used yet."""
    from analysis import training  # noqa: PLC0415 - needs scikit-learn, which serving does not
    from experience.ground import clock  # noqa: PLC0415

    card = training.train(data, folder(), seed=seed, on=clock.now().date())
    click.echo(json.dumps(card, ensure_ascii=False))
    click.echo(f"启用 · to use it: huisheng model use {card['version']}", err=True)


@model.command()
@click.argument("version", default="")
@click.option("--data", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TSV; else the gold set.")
@click.option("--json", "as_json", is_flag=True)
def evaluate(version: str, data: Path | None, as_json: bool) -> None:
    """评测：准确率、宏平均 F1、校准 · accuracy, macro-F1 and calibration by source."""
    report = evaluation.evaluate(loaded(version or chosen()), labelled.voices(data or labelled.GOLD))
    click.echo(json.dumps(report.document(), ensure_ascii=False) if as_json else evaluation.table(report))


@model.command()
def show() -> None:
    """列出版本，* 为启用中 · list the versions; * is in use."""
    in_use = chosen()
    versions = [SHIPPED, *sorted(file.stem for file in folder().glob("*.npz"))]
    for version in versions:
        card = json.loads(file_of(version).with_suffix(".json").read_text(encoding="utf-8"))
        click.echo(f"{'*' if version == in_use else ' '} {version:<12} {card['version']}  {card.get('date', '')}")


@model.command()
@click.argument("version")
@click.option("--force", is_flag=True, help="Even when it reads the gold set worse than the one in use.")
def use(version: str, force: bool) -> None:
    """启用一个版本；在金标集上更差则拒绝 · use a version, unless it is worse on the gold set."""
    gold = labelled.voices(labelled.GOLD)
    old, new = (evaluation.evaluate(loaded(name), gold) for name in (chosen(), version))
    reasons = evaluation.may_replace(old, new)
    if reasons and not force:
        raise Conflict(say("没有启用 %(version)s：%(reasons)s", version=version, reasons="；".join(reasons)))
    folder().mkdir(parents=True, exist_ok=True)
    fresh = folder() / f"in-use.{os.getpid()}"
    fresh.write_text(version, encoding="utf-8")
    fresh.replace(folder() / "in-use")  # at once for every process: they see the old choice or the new one
    click.echo(f"已启用 {version}，各进程几秒内切换 · in use; every process follows within seconds")
