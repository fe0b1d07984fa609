"""The command line: each command is imported when it is called, so that `analyse` needs neither web nor database."""

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from experience.ground.errors import HuishengError

#: name -> (where its click command is, imported only when called; what it does).
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("experience.cli.running:serve", "启动网站和后台 worker · migrate, serve, run one worker beside"),
    "worker": ("experience.cli.running:worker", "运行到期任务，直到被停止 · run due jobs until stopped"),
    "tick": ("experience.cli.running:tick", "把到期的事做一遍 · run every due job once, print a JSON summary"),
    "demo": ("experience.cli.demo:demo", "填充演示数据 · fill an empty database with a believable operator"),
    "setup": (
        "experience.cli.organising:setup",
        "按 YAML 建立单位、用户、触点 · units, users, touchpoints from a file",
    ),
    "token": ("experience.cli.organising:token", "签发 API 令牌 · print a new API token once"),
    "analyse": ("experience.cli.reading:analyse", "研读文本 · JSON Lines of texts in, of readings out"),
    "model": ("experience.cli.model:model", "模型：训练、评测、查看、启用 · models: train, evaluate, show, use"),
    "voices": ("experience.cli.voices:voices", "客户原声：导入文件 · customers' voices: import"),
    "due": ("experience.cli.orders:due", "时限计算 · when a limit runs out and when it rings"),
    "verify": ("experience.cli.orders:verify", "核对历史 · recompute clocks and hash chains from the steps"),
    "gate": ("experience.cli.rules:gate", "上线门禁算术 · launch-gate arithmetic"),
    "doctor": ("experience.cli.doctor:doctor", "体检 · what is wrong with this installation"),
    "bench": ("experience.cli.bench:bench", "性能测试 · the benchmarks of bench/"),
}


@dataclass(frozen=True, slots=True)
class House:
    """What app.py hands to the commands: how to make the web application, which jobs and demo stages there are."""

    create_app: Callable[..., Any]
    jobs: Callable[[], Sequence[Any]]
    demo: Callable[[], Sequence[Any]] = tuple

    @property
    def target(self) -> str:
        """The application's factory as `module:name`, for a server process to import."""
        return f"{self.create_app.__module__}:{self.create_app.__qualname__}"


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is used."""

    def __init__(self, *args: Any, where: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.where = dict(where)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return list(self.where)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command."""
        if cmd_name not in self.where:
            return None
        module, _, name = self.where[cmd_name][0].partition(":")
        found = getattr(importlib.import_module(module), name)
        assert isinstance(found, click.Command), f"{module}:{name} is no command"
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.where.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; a refusal is its sentence on stderr and exit code 1, never a traceback."""
        try:
            return super().invoke(ctx)
        except HuishengError as error:
            refuse(error)
        except BrokenPipeError:  # `huisheng analyse … | head`: the reader has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more may be flushed at the end
            sys.exit(0)


def refuse(error: HuishengError) -> None:
    """Prints what to do and ends the program with 1."""
    click.echo(error.sentence, err=True)
    for found in getattr(error, "errors", []):
        click.echo("  " + "  ".join(str(value) for value in found.values()), err=True)
    sys.exit(1)


def command_group(
    create_app: Callable[..., Any],
    jobs: Callable[[], Sequence[Any]],
    extra_commands: Mapping[str, tuple[str, str]],
    demo: Callable[[], Sequence[Any]] = tuple,
) -> click.Group:
    """The `huisheng` command. `jobs()` gives all jobs in flow order, `demo()` the stages of a demo.

    The callables import what they need when called, so that a command without web or database starts fast.
    """

    @click.group(
        cls=LazyGroup,
        where=COMMANDS | dict(extra_commands),
        context_settings={"obj": House(create_app, jobs, demo), "help_option_names": ["-h", "--help"]},
        help="回声 huisheng：运营商客户体验反馈平台 · customer-experience feedback platform.",
    )
    @click.version_option(package_name="huisheng")
    def huisheng() -> None:
        """See help above."""

    return huisheng


def lend(cli: click.Group, house: click.Group) -> None:
    """Lets another command line (`flask --app app`) run the house's commands under their names."""
    assert isinstance(house, LazyGroup)
    for name, (_, words) in house.where.items():
        cli.add_command(_lent(house, name, words))


def _lent(house: LazyGroup, name: str, words: str) -> click.Command:
    @click.command(name, help=words, add_help_option=False, context_settings={"ignore_unknown_options": True})
    @click.argument("given", nargs=-1, type=click.UNPROCESSED)
    def lent(given: tuple[str, ...]) -> None:
        house.main([name, *given], prog_name="huisheng")

    return lent
