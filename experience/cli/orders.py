"""`due` and `verify`: deadlines calculated, and the history of orders recomputed."""

import json
import sys
from datetime import datetime

import click
from sqlmodel import Session

from experience.cli.running import instant
from experience.cli.store import ready_engine
from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.orders import deadline, queries, verification, workdays
from experience.orders.deadline import Pause
from experience.orders.workdays import WorkCalendar

OFFICE = "cn-office"


class Instant(click.ParamType[datetime]):
    """An ISO 8601 instant; Beijing time when no zone is given."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant, or a usage error."""
        return value if isinstance(value, datetime) else instant(str(value))


def _pauses(_context: click.Context, _parameter: click.Parameter, told: tuple[str, ...]) -> list[Pause]:
    found = []
    for text in told:
        start, slash, end = text.partition("/")
        if not slash:
            raise click.BadParameter(f"{text!r}：请写成 开始/结束 · write FROM/TO")
        found.append(Pause(instant(start), instant(end)))
    return found


@click.command()
@click.option("--start", required=True, type=Instant())
@click.option("--limit", required=True, help="8wh, 3wd, 48nh or 15nd.")
@click.option("--calendar", "name", default=OFFICE, show_default=True)
@click.option("--pause", "pauses", multiple=True, callback=_pauses, help="FROM/TO; may be repeated.")
def due(start: datetime, limit: str, name: str, pauses: list[Pause]) -> None:
    """时限计算：到期时间和各提醒点 · when a limit runs out and when it rings, as one JSON object."""
    try:
        found = deadline.calculate(start, limit, _calendar(name), pauses)
    except ValueError as error:  # the calendar's stretches end
        raise Invalid(say("三十年内都走不完：请缩短时限，或检查日历有没有上班时间。")) from error
    click.echo(json.dumps(found, ensure_ascii=False))


def _calendar(name: str) -> WorkCalendar:
    """The built-in calendar needs no database; others are looked up there."""
    if name == OFFICE:
        return workdays.office()
    with Session(ready_engine()) as session:
        return queries.calendar(session, name)


@click.command()
def verify() -> None:
    """由环节记录重算时钟与哈希链，有差异时以非零退出 · recompute clocks and hash chains; non-zero on a difference."""
    differences = 0
    with Session(ready_engine()) as session:
        for sentence in verification.verify(session):
            click.echo(sentence)
            differences += 1
    click.echo(f"{differences} 处差异 · {differences} differences", err=True)
    sys.exit(1 if differences else 0)
