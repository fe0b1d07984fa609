"""The embedded PostgreSQL, with real servers, as root and as an ordinary user, after kills of every kind."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from experience.ground import cluster, postgres
from experience.ground.config import Settings
from experience.ground.errors import Busy, Conflict, Forbidden, HuishengError

HOUSE = Path(__file__).parents[3]
NOBODY = 65534


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Settings]:
    """A data folder of the test's own; root's cluster for it is removed afterwards."""
    chosen = Settings(home=tmp_path / "home")
    yield chosen
    postgres.stop(chosen)
    pointer = chosen.home / "postgres" / "location"
    if pointer.exists():
        shutil.rmtree(pointer.read_text())


def program(home: Path, body: str, *, durable: bool = False) -> list[str]:
    """A Python program that starts the server of this home, says so, and goes on with `body`."""
    opening = (
        "from experience.ground import postgres, cluster; from experience.ground.config import Settings; import sys;"
    )
    settings = f"S = Settings(home=cluster.Path({str(home)!r})); url = postgres.start(S, durable={durable});"
    return [sys.executable, "-c", f"{opening}{settings} print(url, flush=True); {body}"]


def another_user(home: Settings, body: str = "sys.stdin.read()", *, durable: bool = False) -> "subprocess.Popen[str]":
    """A second process that holds the server until its stdin ends."""
    process = subprocess.Popen(
        program(home.home, body, durable=durable), cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline().startswith("postgresql://")
    return process


def end(process: "subprocess.Popen[str]", sig: int | None = None) -> None:
    if sig is not None:
        process.send_signal(sig)
    process.communicate()


def wait_for_keeper(home: Settings) -> None:
    """Blocks until the keeper is gone: it holds this lock as long as it lives."""
    with (cluster.place(home.home).folder / "keeper").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def answers(home: Settings) -> bool:
    place = cluster.place(home.home)
    try:
        psycopg.connect(host=str(place.socket_folder), user=postgres.NAME, dbname=postgres.NAME).close()
    except psycopg.OperationalError:
        return False
    return True


def processes_of(home: Settings) -> list[int]:
    """The server (by its pid file, sure while it runs), its children and its keeper."""
    place = cluster.place(home.home)
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    server = (place.data / "postmaster.pid").read_text().split()[0]
    return [
        int(pid)
        for pid, parent, args in rows
        if server in (pid, parent) or ("keeper.py" in args and str(place.folder) in args)
    ]


def test_the_server_is_made_with_checksums_and_unicode_and_stops_with_its_only_user(home: Settings) -> None:
    with psycopg.connect(postgres.start(home)) as connection:
        show = {
            name: connection.execute(f"show {name}").fetchone()
            for name in ("data_checksums", "server_encoding", "fsync", "listen_addresses")
        }
        provider = connection.execute(
            "select datlocprovider, datlocale from pg_database where datname = current_database()"
        ).fetchone()
    assert show == {
        "data_checksums": ("on",),
        "server_encoding": ("UTF8",),
        "fsync": ("on",),
        "listen_addresses": ("",),
    }
    assert provider == ("b", "C.UTF-8")
    postgres.stop(home)
    assert not answers(home)


def test_starting_twice_gives_the_same_server(home: Settings) -> None:
    assert postgres.start(home, durable=False) == postgres.start(home, durable=False)
    assert Settings(database_url="postgresql://elsewhere/x").database_url == postgres.url(
        Settings(database_url="postgresql://elsewhere/x")
    )


def test_the_server_stays_while_another_process_uses_it(home: Settings) -> None:
    first = another_user(home)
    second = another_user(home)
    end(first)
    assert answers(home)
    end(second)
    wait_for_keeper(home)
    assert not answers(home)


def test_a_killed_user_lets_go_of_the_server_too(home: Settings) -> None:
    end(another_user(home), signal.SIGKILL)
    wait_for_keeper(home)
    assert not answers(home)


def test_the_next_start_recovers_after_everything_was_killed(home: Settings) -> None:
    body = (
        "import psycopg; c = psycopg.connect(url, autocommit=True); c.execute('create table kept as select 7 as n');"
        "print('stored', flush=True); sys.stdin.read()"
    )
    user = another_user(home, body, durable=True)
    assert user.stdout
    assert user.stdout.readline() == "stored\n"
    for pid in processes_of(home):
        os.kill(pid, signal.SIGKILL)
    end(user, signal.SIGKILL)
    with psycopg.connect(postgres.start(home, durable=False)) as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)


def test_a_server_killed_under_its_user_is_started_again(home: Settings) -> None:
    postgres.start(home, durable=False)
    for pid in processes_of(home):
        os.kill(pid, signal.SIGKILL)
    postgres.start(home, durable=False)
    assert answers(home)


def test_a_server_number_used_again_by_a_stranger_does_not_stop_the_start(home: Settings) -> None:
    end(another_user(home))
    wait_for_keeper(home)
    place = cluster.place(home.home)
    stranger = subprocess.Popen(["sleep", "60"], **place.account())
    try:
        for lock in (place.data / "postmaster.pid", place.socket_folder / ".s.PGSQL.5432.lock"):
            lock.write_text(f"{stranger.pid}\n{place.data}\n1\n5432\n{place.socket_folder}\n\n 1 1\nready\n")
            place.own(lock)
        assert postgres.start(home, durable=False)
        assert answers(home)
    finally:
        stranger.kill()
        stranger.wait()


def test_an_initdb_killed_half_way_leaves_nothing_in_the_way(home: Settings) -> None:
    place = cluster.place(home.home)
    half = place.folder / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")
    assert postgres.start(home, durable=False)


def test_data_of_another_major_version_is_left_alone_with_a_clear_word(home: Settings) -> None:
    place = cluster.place(home.home)
    place.data.mkdir()
    (place.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(Conflict, match="PostgreSQL 16") as refused:
        postgres.start(home)
    assert "DATABASE_URL" in refused.value.sentence
    assert "The data folder" in refused.value.sentence
    assert sorted(file.name for file in place.data.iterdir()) == ["PG_VERSION"]


def test_a_full_disk_is_named_before_anything_is_written(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_LEAST_FREE_BYTES", 2**60)
    with pytest.raises(Busy, match="磁盘已满") as refused:
        postgres.start(home)
    assert "The disk is full" in refused.value.sentence
    assert not cluster.place(home.home).data.exists()


def test_a_server_that_cannot_start_shows_its_own_words(home: Settings) -> None:
    end(another_user(home))
    wait_for_keeper(home)
    place = cluster.place(home.home)
    (place.data / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(HuishengError, match="no_such_setting"):
        postgres.start(home)


def test_a_deep_data_folder_gets_a_short_socket_path(tmp_path: Path) -> None:
    deep = cluster.Place(tmp_path / ("d" * 60) / ("e" * 60), tmp_path, os.geteuid(), os.getegid())
    assert len(str(deep.socket_folder / ".s.PGSQL.5432")) < 104


def test_a_socket_folder_laid_by_somebody_else_is_refused(tmp_path: Path) -> None:
    place = cluster.Place(tmp_path, tmp_path, os.geteuid(), os.getegid())
    (tmp_path / "run").mkdir(mode=0o777)
    (tmp_path / "run").chmod(0o777)
    with pytest.raises(Forbidden):
        cluster._private_folder(place, place.socket_folder)
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o777


def ordinary_user() -> list[str]:
    """What to put before a command so that an ordinary user runs it.

    Where root's files are closed to others (a checkout under /root) the user may pass by the file modes.
    """
    if os.geteuid():
        return []
    plain = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    itself = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
    reached = subprocess.run([*plain, sys.executable, "-c", itself], cwd="/", capture_output=True, check=False)
    closed = ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]
    return plain if reached.returncode == 0 else [*plain, *closed]


def test_an_ordinary_user_keeps_everything_in_the_data_folder(tmp_path: Path) -> None:
    home = Path("/tmp") / f"huisheng-{tmp_path.name}-{os.getpid()}"  # pytest's own folder is closed to others
    home.mkdir()
    try:
        if os.geteuid() == 0:
            os.chown(home, NOBODY, NOBODY)
        mode = home.stat().st_mode
        query = (
            "import psycopg, os; print(os.geteuid(), *psycopg.connect(url).execute('show data_directory').fetchone());"
        )
        done = subprocess.run(
            [*ordinary_user(), *program(home, query + "postgres.stop(S)")],
            cwd=HOUSE,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},  # no HOME: a service has none
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        uid, folder = done.stdout.splitlines()[1].split()
        assert int(uid) == (os.geteuid() or NOBODY)
        assert folder == str(home / "postgres" / "data")
        assert home.stat().st_mode == mode
    finally:
        shutil.rmtree(home)


def test_root_runs_an_ordinary_users_cluster_as_that_user(tmp_path: Path) -> None:
    if os.geteuid():
        (tmp_path / "postgres").mkdir()
        (tmp_path / "postgres" / "location").write_text("/var/lib/huisheng/db-x")
        with pytest.raises(Forbidden):  # the other way round: what root keeps elsewhere is not ours to run
            cluster.place(tmp_path)
        return
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    for folder in (data, data.parent):
        os.chown(folder, NOBODY, NOBODY)
    place = cluster.place(tmp_path)
    assert (place.folder, place.uid) == (tmp_path / "postgres", NOBODY)
    assert place.account()["user"] == NOBODY


def test_a_copied_data_folder_gets_a_cluster_of_its_own(tmp_path: Path) -> None:
    original = cluster.place(tmp_path / "a")
    try:
        shutil.copytree(tmp_path / "a", tmp_path / "b")
        copy = cluster.place(tmp_path / "b")
        assert copy.folder != original.folder
        shutil.move(tmp_path / "a", tmp_path / "c")
        if os.geteuid() == 0:
            assert cluster.place(tmp_path / "c").folder == original.folder
            shutil.rmtree(copy.folder)
    finally:
        shutil.rmtree(original.folder, ignore_errors=True)
