"""A database of a million read voices, to try lists, searches and topic pages on; `huisheng bench million`.

    huisheng bench million --voices 1000000 --database million

makes (or fills up to that number) a database of its own on the configured server, with the demo operator's units,
people and touchpoints. Rows go in by COPY over all cores, the indexes are built afterwards. Two years, all provinces,
sources and topics; a text forwarded two thousand times on the last day; words from very common to heard once.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, make_url, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session

from analysis import pipeline
from analysis.reading import Reading
from experience import defaults, setup
from experience.demo import operator, rhythm, speech
from experience.ground import clock, migrate, postgres, store
from experience.ground.store import transaction
from experience.voices import search, tables
from experience.voices.intake import VoiceIn
from experience.voices.operations import hearing, reading

YEARS = timedelta(days=730)
SLICE = 10_000
FLOOD = 2_000
SHARES = {code: share for code, _, share in operator.PROVINCES}
#: Words heard once in a million, in ten thousand, in a hundred: word -> one voice in so many holds it.
RARE = {"霞光宽带会议": 200_000, "量子密话": 50_000, "天通卫星": 5_000, "携号转网": 500, "校园网": 100}
_FIRST = "锦绣金鼎翠湖阳光紫荆御景龙泉凤凰香樟望江观澜玉兰碧桂云栖"
_LAST = "苑园城府庭湾里轩居坊台岸林谷洲桥"
_WHERE = ("，就在{place}这一带。", "，住{place}。", "，{place}好多邻居都这样。", "，{place}附近。")
_DOCUMENTS = frozenset(column.name for column in tables.Reading.__table__.columns if isinstance(column.type, JSONB))  # type: ignore[attr-defined]
_FLOODING = "【转发】星禾通信一到晚上就断网，客服推来推去没人管，大家都来说说！"


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of rows: their first id, how many, and the stretch of time they fill."""

    first: int
    count: int
    since: datetime
    until: datetime


def parts(have: int, wanted: int, now: datetime) -> list[Part]:
    """What is missing, in parts that follow one another in time."""
    begin = now - YEARS
    edges = [*range(have, wanted, SLICE), wanted]
    step = YEARS / max(wanted - have, 1)
    return [
        Part(one + 1, other - one, begin + step * (one - have), begin + step * (other - have))
        for one, other in zip(edges, edges[1:], strict=False)
    ]


def said(part: Part) -> Iterator[VoiceIn]:
    """The utterances of a part, oldest first."""
    chance = random.Random(part.first)  # noqa: S311 - the same every time
    spoken = speech.speak(chance, SHARES)
    lines = list(operator.BASES)
    for number, at in enumerate(_moments(chance, part)):
        one = next(spoken)
        base = chance.choice(lines)[0] if chance.random() < 0.04 else ""
        yield VoiceIn(
            text=_longer(chance, one, spoken), source=one.source, external_id=f"million-{part.first + number}", at=at,
            touchpoint=one.touchpoint, province=one.province, product=base,
        )  # fmt: skip


def _moments(chance: random.Random, part: Part) -> list[datetime]:
    """Instants within the part, thinned by the hour of the day."""
    length = part.until - part.since
    found: list[datetime] = []
    while len(found) < part.count:
        at = part.since + length * chance.random()
        if length < timedelta(days=1) or chance.random() * 60 < rhythm.HOURS[at.astimezone(rhythm.BEIJING).hour]:
            found.append(at)
    return sorted(found)


def _longer(chance: random.Random, one: speech.Said, more: Iterator[speech.Said]) -> str:
    """The utterance with what makes people's texts differ: a second trouble, a place, now and then a rare word."""
    told = one.text
    if chance.random() < 0.25:
        told += "另外" + next(more).text
    if chance.random() < 0.5:
        name = "".join(chance.choices(_FIRST, k=2)) + chance.choice(_LAST)
        told += chance.choice(_WHERE).format(place=name)
    for word, among in RARE.items():
        if chance.random() * among < 1:
            told += f"说的是{word}的事。"
    return told


def flood(part: Part) -> Iterator[VoiceIn]:
    """One text forwarded again and again."""
    chance = random.Random("flood")  # noqa: S311
    for number, at in enumerate(_moments(chance, part)):
        yield VoiceIn(_FLOODING, "weibo", f"flood-{part.first + number}", at=at, province=chance.choice(list(SHARES)))


def fill(url: str, part: Part, is_flood: bool = False) -> int:
    """Writes one part by COPY; returns how many."""
    many = list((flood if is_flood else said)(part))
    rows = [hearing._row(one, part.until) for one in many]  # the same row as an ordinary voice gets
    reads = list(pipeline.read_many(row["masked"] for row in rows))
    voices = [_voice(id, row, read) for id, (row, read) in enumerate(zip(rows, reads, strict=True), part.first)]
    readings = [_reading(row, read) for row, read in zip(voices, reads, strict=True)]
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        copy(connection, "reading", readings)  # first, since the database labels a voice with what was read in it
        copy(connection, "voice", voices)
    return len(rows)


def _voice(id: int, row: dict[str, Any], read: Reading) -> dict[str, Any]:
    at = row["at"]
    kept = {"id": id, "heard_at": at, "read_at": at, "triaged_at": at, "tokens": search.vector(read.tokens)}
    return row | kept | {"search_form": search.FORM}


def _reading(voice: dict[str, Any], read: Reading) -> dict[str, Any]:
    row = reading._row(tables.Voice(**voice), read, voice["at"])
    return {name: json.dumps(value, ensure_ascii=False) if name in _DOCUMENTS else value for name, value in row.items()}


def copy(connection: Any, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """COPY of these rows, all of which name the same columns."""
    names = ", ".join(rows[0])
    cursor = connection.connection.driver_connection.cursor()
    with cursor.copy(f"copy {table} ({names}) from stdin") as sink:
        for row in rows:
            sink.write_row(list(row.values()))


def indexes_off(engine: Engine) -> list[str]:
    """Drops what slows a bulk down: indexes that no constraint needs, and the readings' foreign key.

    Returns the statements that make them again.
    """
    listed = text(
        "select 'drop index ' || indexrelid::regclass, pg_get_indexdef(indexrelid) from pg_index"
        " where indrelid in ('voice'::regclass, 'reading'::regclass) and not indisunique"
        " union all select 'alter table reading drop constraint ' || conname,"
        " 'alter table reading add constraint ' || conname || ' ' || pg_get_constraintdef(oid)"
        " from pg_constraint where conrelid = 'reading'::regclass and confrelid = 'voice'::regclass"
    )
    with engine.begin() as connection:
        found = connection.execute(listed).all()
        for drop, _ in found:
            connection.execute(text(drop))
    return [make for _, make in found]


def database(name: str) -> str:
    """The address of this database on the configured server; made when it is not there."""
    given = make_url(postgres.url()).set(drivername="postgresql+psycopg")
    admin = create_engine(given.set(database="postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        if not connection.execute(text("select 1 from pg_database where datname = :name"), {"name": name}).scalar():
            connection.execute(text(f'create database "{name}"'))
    return given.set(database=name).render_as_string(hide_password=False)


def organise(engine: Engine, now: datetime) -> int:
    """Brings the schema up and the operator in; returns how many voices there are."""
    migrate.upgrade(engine)
    with transaction(engine) as session:
        defaults.ensure(session)
        setup.apply(session, operator.document(), now=now)
    with Session(engine) as session:
        return int(session.execute(text("select coalesce(max(id), 0) from voice")).scalar_one())


def main(arguments: list[str]) -> None:
    """Makes or fills up the database; prints how long it took."""
    parser = argparse.ArgumentParser(prog="huisheng bench million", description=__doc__)
    parser.add_argument("--voices", type=int, default=1_000_000)
    parser.add_argument("--database", default="million")
    chosen = parser.parse_args(arguments)
    url, now, began = database(chosen.database), clock.now(), time.monotonic()
    engine = store.engine(url)
    have = organise(engine, now)
    if have >= chosen.voices:
        sys.stdout.write(f"{have:,} voices are there\n")
        return
    makes = indexes_off(engine)
    missing = parts(have, chosen.voices - FLOOD, now)
    last = Part(chosen.voices - FLOOD + 1, FLOOD, now - timedelta(days=1), now)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(fill, url, part) for part in missing] + [pool.submit(fill, url, last, True)]
        done = 0
        for job in jobs:
            done += job.result()
            sys.stdout.write(f"\r{have + done:,} voices  {time.monotonic() - began:.0f} s")
            sys.stdout.flush()
    built(engine, makes)
    sys.stdout.write(f"\nwith indexes and statistics: {time.monotonic() - began:.0f} s\n")


def built(engine: Engine, makes: Sequence[str]) -> None:
    """Makes the indexes again, sets the counters right and gathers statistics."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("set statement_timeout = 0"))
        connection.execute(text("set maintenance_work_mem = '512MB'"))
        for statement in makes:
            connection.execute(text(statement))
        connection.execute(text("select setval(pg_get_serial_sequence('voice', 'id'), (select max(id) from voice))"))
        connection.execute(text("vacuum (analyze) voice, reading"))
