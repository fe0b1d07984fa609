"""The command line from outside: answers on stdout, a clear word and a non-zero exit when something is wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, text
from sqlmodel import select

from experience.ground.store import transaction
from experience.ground.tables import Heartbeat
from tests.running import HOUSE, HUISHENG

NOWHERE = "postgresql://someone:hush@127.0.0.1:1/none"


def huisheng(*words: str, stdin: str = "", **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(HUISHENG), *words], input=stdin, env=os.environ | env, cwd=HOUSE,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False).replace("+psycopg", "")


def assert_refused(done: "subprocess.CompletedProcess[str]", *words: str) -> None:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_the_gate_prints_one_json_object() -> None:
    done = huisheng("gate", "--approvals", "5999", "--total", "10000")
    assert done.returncode == 0
    shown = json.loads(done.stdout)
    assert (shown["decision"], shown["rate"]) == ("vetoed", 0.5999)
    assert shown["interval"][0] < 0.5999 < shown["interval"][1]


def test_impossible_numbers_are_refused_in_words() -> None:
    assert_refused(huisheng("gate", "--approvals", "3", "--total", "2"), "赞成数")


@pytest.mark.parametrize(
    "words",
    [
        ("due", "--start", "0001-01-01T00:00+08:00", "--limit", "8wh"),
        ("due", "--start", "9999-12-31T10:00+08:00", "--limit", "8wh"),
        ("due", "--start", "2026-11-20T16:00+08:00", "--limit", "99999wh"),
        ("tick", "--at", "0001-01-01"),
        ("gate", "--approvals", "1", "--total", "2", "--threshold", "nan"),
    ],
)
def test_what_no_calendar_or_count_reaches_is_refused_in_words(words: tuple[str, ...]) -> None:
    assert_refused(huisheng(*words, DATABASE_URL=NOWHERE))


def test_a_file_of_another_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes("touchpoint,at,n,ok\n触点,2026-11-20T10:00,9,9\n".encode("gb18030"))
    assert_refused(huisheng("detect", str(file)), "UTF-8")


def test_flask_runs_the_same_commands(tmp_path: Path) -> None:
    words = ["gate", "--approvals", "60", "--total", "100"]
    env = os.environ | {"DATABASE_URL": NOWHERE, "HUISHENG_HOME": str(tmp_path)}
    flask = [str(HUISHENG.with_name("flask")), "--app", "app", *words]
    done = subprocess.run(flask, env=env, cwd=HOUSE, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, huisheng(*words).stdout), done.stderr
    refused = subprocess.run(
        [*flask, "--threshold", "101"], env=env, cwd=HOUSE, capture_output=True, text=True, timeout=60, check=False
    )
    assert_refused(refused, "门槛")


def test_analyse_needs_no_database_and_keeps_the_order() -> None:
    lines = "".join(json.dumps({"id": n, "text": t}) + "\n" for n, t in enumerate(["信号太差", "", "👍👍", "<b>x</b>"]))
    done = huisheng("analyse", "-", stdin=lines, DATABASE_URL=NOWHERE)
    assert done.returncode == 0
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [0, 1, 2, 3]


def test_a_line_that_is_no_json_is_named_and_the_rest_goes_on() -> None:
    done = huisheng("analyse", "-", stdin='oops\n{"id": 1, "text": "好"}\n')
    assert_refused(done, "第 1 行")
    assert json.loads(done.stdout)["id"] == 1


def test_analyse_loads_neither_web_nor_database() -> None:
    program = (
        "import sys, app, experience.cli.reading\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'flask', 'sqlalchemy', 'sqlmodel', 'psycopg'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=HOUSE, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_unreachable_database_is_named_without_its_password() -> None:
    done = huisheng("tick", DATABASE_URL=NOWHERE)
    assert_refused(done, "连不上数据库", "cannot be reached", "127.0.0.1:1/none")
    assert "hush" not in done.stderr


@pytest.mark.parametrize("wrong", ["mysql://x/y", "postgresql://a:b:c:d", "nonsense"])
def test_an_address_that_is_none_is_refused(wrong: str) -> None:
    assert_refused(huisheng("tick", DATABASE_URL=wrong), "DATABASE_URL")


def test_a_setting_that_is_no_number_is_named() -> None:
    assert_refused(huisheng("doctor", HUISHENG_DATABASE_POOL="many"), "DATABASE_POOL")


def test_a_database_newer_than_the_code_is_left_alone(own_database: Engine) -> None:
    with transaction(own_database) as session:
        session.execute(text("update alembic_version set version_num = '9999'"))
    assert_refused(huisheng("tick", DATABASE_URL=address(own_database)), "9999")
    with transaction(own_database) as session:
        assert session.execute(text("select version_num from alembic_version")).scalar_one() == "9999"


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = huisheng("serve", "--port", str(port), DATABASE_URL=NOWHERE, HUISHENG_HOME=str(tmp_path))
    assert_refused(done, str(port), "taken", "已被占用")


def test_production_refuses_a_shifted_clock(tmp_path: Path) -> None:
    env = {"HUISHENG_ENV": "production", "HUISHENG_CLOCK": "+1d", "HUISHENG_HOME": str(tmp_path)}
    assert_refused(huisheng("serve", "--port", "1", DATABASE_URL=NOWHERE, **env), "HUISHENG_CLOCK")


def test_tick_prints_how_much_each_job_did(own_database: Engine, tmp_path: Path) -> None:
    env = {"DATABASE_URL": address(own_database), "HUISHENG_HOME": str(tmp_path)}
    done = huisheng("tick", "--at", "2026-11-23T10:00:00+08:00", **env)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary
    assert all(isinstance(count, int) for count in summary.values())
    assert_refused(huisheng("tick", "--at", "tomorrow", **env), "tomorrow")


def test_doctor_finds_what_is_wrong(own_database: Engine, tmp_path: Path) -> None:
    env = {"DATABASE_URL": address(own_database), "HUISHENG_HOME": str(tmp_path)}
    done = huisheng("doctor", "--json", **env)
    assert done.returncode == 1
    found = {check["name"]: check["ok"] for check in json.loads(done.stdout)["checks"]}
    assert found["database"]
    assert found["migrations"]
    assert not found["worker"]
    assert huisheng("doctor", DATABASE_URL=NOWHERE).returncode == 1


def test_doctor_lists_settings_without_their_secrets() -> None:
    done = huisheng("doctor", "--settings", HUISHENG_SECRET_KEY="hush-hush", DATABASE_URL="postgresql://a:hush@b/c")
    assert done.returncode == 0
    assert "HUISHENG_SECRET_KEY=********" in done.stdout
    assert "hush" not in done.stdout


def test_a_worker_ends_with_its_parent_and_when_told_to(own_database: Engine, tmp_path: Path) -> None:
    env = os.environ | {"DATABASE_URL": address(own_database), "HUISHENG_HOME": str(tmp_path)}
    for words, end in ((["--beside"], None), ([], signal.SIGTERM)):
        process = subprocess.Popen(
            [str(HUISHENG), "worker", *words], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=HOUSE, env=env
        )
        wait_for_a_heartbeat(own_database)
        if end:
            process.send_signal(end)
        _, said = process.communicate(timeout=30)  # closes stdin
        assert process.returncode == 0, said.decode()
        assert heartbeats(own_database) == 0


def wait_for_a_heartbeat(engine: Engine) -> None:
    for _ in range(600):
        if heartbeats(engine):
            return
        with transaction(engine) as session:
            session.execute(text("select pg_sleep(0.05)"))
    raise AssertionError("no worker came up")


def heartbeats(engine: Engine) -> int:
    with transaction(engine) as session:
        return session.exec(select(func.count()).select_from(Heartbeat)).one()
