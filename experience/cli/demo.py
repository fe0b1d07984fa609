"""`demo`: a believable operator in an empty database, and where to look at it."""

import time

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from experience.cli import House
from experience.cli.store import ready_engine
from experience.demo import operator
from experience.demo.filling import empty, is_empty, settle
from experience.demo.past import Past, upto
from experience.ground import clock
from experience.ground.errors import Conflict

ADDRESS = "http://127.0.0.1:8000"
_PLACES = (
    ("/demo/tour", "导览：跟着一位客户走完全程 · guided tour"),
    ("/demo/hall", "演示网厅：让充值失败一次 · demo web hall"),
    ("/rants", "吐槽专区 · rant zone"),
    ("/", "员工登录 · staff pages"),
)


@click.command()
@click.option(
    "--scale", default=1.0, show_default=True, type=click.FloatRange(0.02, 10), help="Share of the demo's size."
)
@click.option("--reset", is_flag=True, help="Delete every row there is and fill again.")
@click.option("--if-empty", "only_if_empty", is_flag=True, help="Do nothing when the database is in use.")
@click.pass_obj
def demo(house: House, scale: float, reset: bool, only_if_empty: bool) -> None:
    """填充演示数据：一家虚构运营商的三个月 · three months of a fictitious operator, the same every time."""
    engine, screen = ready_engine(), Console(stderr=True)
    if reset:
        empty(engine)
    if is_empty(engine):
        _fill(house, engine, Past(upto(clock.now()), scale), screen)
    elif not only_if_empty:
        raise Conflict(
            "数据库里已有数据，没有改动。要清空后重新填充：huisheng demo --reset\n"
            "The database is in use; nothing was changed. To delete everything and fill again: huisheng demo --reset"
        )
    _say_where(screen)


def _fill(house: House, engine: Engine, past: Past, screen: Console) -> None:
    with screen.status("正在生成演示数据 · filling") as status:
        for stage in house.demo():
            status.update(f"{stage.title} …")
            began = time.monotonic()
            count = stage.fill(engine, past)
            screen.print(
                f"  {stage.title}  [bold]{count:,}[/]  [dim]{time.monotonic() - began:.1f} s[/]", highlight=False
            )
        settle(engine)


def _say_where(screen: Console) -> None:
    table = Table(title=f"演示账号，密码都是 {operator.PASSWORD} · demo logins, one password", title_justify="left")
    for name in ("账号 login", "岗位 post"):
        table.add_column(name)
    for login, post in operator.LOGINS:
        table.add_row(login, post)
    screen.print(table)
    for path, what in _PLACES:
        screen.print(f"{ADDRESS}{path}   {what}", highlight=False)
