"""Commands of probes."""

import sys
from typing import TextIO

import click

from experience.ground.errors import Invalid
from experience.ground.i18n import say


@click.command()
@click.argument("file", type=click.File("r", encoding="utf-8-sig"))
def detect(file: TextIO) -> None:
    """指标异动检测：touchpoint,at,n,ok 的 CSV 进，JSON Lines 出 · grade a file of five-minute success counts."""
    from probes.anomaly import detect_file  # noqa: PLC0415 - numbers only when they are wanted

    try:
        detect_file(file, sys.stdout)
    except UnicodeDecodeError as error:
        raise Invalid(say("%(file)s 不是 UTF-8 编码，请另存为 UTF-8 后重试。", file=file.name)) from error
