"""`serve`, `worker` and `tick`: the programs that run the house."""

import json
import os
import signal
import threading
from datetime import UTC, datetime
from types import FrameType
from zoneinfo import ZoneInfo

import click

from experience.cli import House, serving
from experience.cli.store import ready_engine
from experience.ground import clock, scheduler, sweep


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Web processes.")
@click.option("--no-worker", is_flag=True, help="Run no background worker beside the web processes.")
@click.pass_obj
def serve(house: House, host: str, port: int, workers: int, no_worker: bool) -> None:
    """启动网站（并在旁边启动一个后台 worker） · migrate, serve, run one worker beside."""
    clock.now()  # refuses a shifted clock in production before anything starts
    serving.demand_free_port(host, port)
    ready_engine().dispose()
    serving.serve(house.target, serving.Options(host, port, workers, runs_worker=not no_worker))


@click.command()
@click.option("--beside", is_flag=True, hidden=True, help="End when stdin ends: with the process that started it.")
@click.pass_obj
def worker(house: House, beside: bool) -> None:
    """到点就做：运行到期任务，直到被停止 · run due jobs until stopped; any number may run."""
    stop = threading.Event()

    def told_to(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, told_to)
    signal.signal(signal.SIGINT, told_to)
    if beside:
        threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    engine = ready_engine()
    scheduler.work(engine, house.jobs(), stop, now=clock.now)


def _stop_with_parent(stop: threading.Event) -> None:
    os.read(0, 1)  # nothing is ever sent: it returns when the parent ends, whatever ended it
    stop.set()


@click.command()
@click.option("--at", "at", default="", help="As of this instant (ISO 8601; Beijing time when no zone is given).")
@click.pass_obj
def tick(house: House, at: str) -> None:
    """把到期的事都做一遍 · run every due job once and print a JSON summary."""
    moment = instant(at) if at else clock.now()
    done = sweep.run_all(ready_engine(), house.jobs(), moment)
    click.echo(json.dumps(done, ensure_ascii=False))


def instant(text: str) -> datetime:
    """An ISO 8601 instant in UTC; without a zone it is Beijing time, as people here write it."""
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo("Asia/Shanghai"))).astimezone(UTC)
    except (ValueError, OverflowError) as error:  # in the year 1 or 9999 there may be no such instant in UTC
        raise click.BadParameter(
            f"{text!r} 不是 ISO 8601 时间，例如 2026-11-23T10:00+08:00 · not an ISO 8601 instant."
        ) from error
