"""Raw events of the last two days: a sample of sessions, step by step, for funnels and for looking at one of them."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from experience.demo import operator
from experience.demo.past import Past
from experience.ground.store import transaction
from probes.demo import flows
from probes.demo.flows import PROVINCES, Flow

SESSIONS, HOURS = 3600, 48
_STEPS = {row[2]: row[6] for row in operator.TOUCHPOINTS}
_COPY = (
    "copy probe_event (event_id, arrived_at, at, site, touchpoint, type, step, ok, ms, code, session, device, "
    "customer_ref, province, props) from stdin"
)


def fill(engine: Engine, past: Past) -> int:
    """Writes the events; returns how many."""
    chance, written = past.chance("events"), 0
    with transaction(engine) as session:
        cursor = session.connection().connection.cursor()
        with cursor.copy(_COPY) as copy:
            for row in _events(chance, past):
                copy.write_row(row)
                written += 1
    return written


def _events(chance: random.Random, past: Past) -> Iterator[tuple[Any, ...]]:
    weights = {touchpoint: habit.starts**0.5 for touchpoint, habit in flows.HABITS.items()}
    for touchpoint, weight in weights.items():
        made = flows.flow(touchpoint, past.now, 1.0, [])
        count = round(past.count(SESSIONS, least=60) * weight / sum(weights.values()))
        for number in range(count):
            yield from _sitting(chance, made, f"{touchpoint}-{number:04d}", past.now)


def _sitting(chance: random.Random, made: Flow, name: str, now: datetime) -> Iterator[tuple[Any, ...]]:
    """One session: it views, perhaps starts, goes step by step, and ends well or not."""
    starts = made.counts["start"][-HOURS:]
    hour = chance.choices(range(len(starts)), starts.sum(axis=1) + 1)[0]
    where = chance.choices(range(len(PROVINCES)), starts[hour] + 0.01)[0]
    cell = {key: int(made.counts[key][-HOURS:][hour, where]) for key in ("success", "fail", "abandon")}
    ending = chance.choices(list(cell), [count + 0.01 for count in cell.values()])[0]
    at = made.at(made.hours - len(starts) + hour) + timedelta(seconds=chance.randrange(3300))
    at = min(at, now - timedelta(minutes=3))
    for number, (kind, more) in enumerate(_told(chance, made.touchpoint, ending)):
        at += timedelta(seconds=0.4 + chance.expovariate(1 / 5))
        if at > now:
            return
        yield (
            f"demo-{name}-{number}", at + timedelta(seconds=1), at,
            "site_demo" if made.touchpoint.startswith("web.") else "site_app", made.touchpoint, kind,
            more.get("step", ""), None, more.get("ms"), more.get("code", ""), f"demo-s-{name}",
            f"demo-d-{chance.randrange(100_000)}", "", PROVINCES[where], json.dumps({"province": PROVINCES[where]}),
        )  # fmt: skip


def _told(chance: random.Random, touchpoint: str, ending: str) -> Iterator[tuple[str, dict[str, Any]]]:
    habit, steps = flows.HABITS[touchpoint], _STEPS[touchpoint]
    yield "view", {}
    if chance.random() < 0.3:  # noqa: PLR2004 - three of ten only look
        return
    yield "start", {}
    went = len(steps) if ending == "success" else chance.randint(0 if ending == "abandon" else 1, len(steps) - 1)
    for step in steps[:went]:
        yield "step", {"step": step, "ms": round(chance.lognormvariate(6.2, 0.5), 1)}
    took = round(habit.median_ms * chance.lognormvariate(0, 0.45), 1)
    if ending == "fail":
        yield "fail", {"ms": took, "code": chance.choices(habit.codes, range(len(habit.codes) + 2, 2, -1))[0]}
    else:
        yield ending, {"ms": took} if ending == "success" else {}
