"""The embedded PostgreSQL: started by the first process that needs it, shared, stopped with the last.

Every user holds a shared lock on `lease`; the keeper (keeper.py) waits for an exclusive one and then stops the server.
Whether the server runs is decided by connecting, never by a process id.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg

from experience.ground import cluster, config
from experience.ground.cluster import ESCAPE, MAJOR, Place
from experience.ground.errors import Busy, Conflict, HuishengError

NAME = "huisheng"  # of the database and of its owner
_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "wal_recycle": "off",
}
_CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}
_START_SECONDS = 600.0  # crash recovery after a long busy time reads up to max_wal_size
_OTHER_SECONDS = 60.0  # how long a server of before may take to go
_LEAST_FREE_BYTES = 150 * 2**20  # a fresh cluster is 40 MB; below this PostgreSQL soon stops on a full disk

_held: dict[Path, IO[bytes]] = {}


def url(settings: config.Settings | None = None) -> str:
    """Address of the database to use: DATABASE_URL, else the embedded server, which is started."""
    chosen = settings or config.settings()
    return chosen.database_url or start(chosen)


def start(settings: config.Settings | None = None, *, durable: bool = True) -> str:
    """Starts the embedded server unless it runs, holds it until this process ends, returns its address.

    `durable=False` trades safety for speed, for tests only. Raises HuishengError with a sentence in Chinese and English
    that says what to do.
    """
    home = (settings or config.settings()).home
    place = cluster.place(home)
    address = f"postgresql://{NAME}@/{NAME}?host={quote(str(place.socket_folder))}"
    if place.folder in _held:
        if not _answers(place):  # killed under us
            _raise_up(place, durable=durable)
        return address
    lease = place.own(_touch(place.folder / "lease")).open("rb")
    try:
        fcntl.flock(lease, fcntl.LOCK_SH)
        _raise_up(place, durable=durable)
    except BaseException:
        lease.close()
        raise
    _held[place.folder] = lease
    return address


def _raise_up(place: Place, *, durable: bool) -> None:
    """Makes what is missing: the cluster, the running server, its database, its keeper."""
    with _alone(place):
        if not _answers(place):
            _make(place)
            _launch(place, _OPTIONS if durable else _OPTIONS | _CARELESS)
        _make_database(place)
        _appoint_keeper(place)


def stop(settings: config.Settings | None = None) -> None:
    """Lets go of the embedded server; it stops when no other process holds it, and this waits for that."""
    place = cluster.place((settings or config.settings()).home)
    lease = _held.pop(place.folder, None)
    if lease is None:
        return
    lease.close()
    with (place.folder / "keeper").open("rb") as keeper:
        while not _taken(keeper, fcntl.LOCK_EX) and not _is_held_by_users(place):
            time.sleep(0.02)


def _is_held_by_users(place: Place) -> bool:
    """Whether some process holds the lease shared: then it is granted shared, but not exclusively."""
    with (place.folder / "lease").open("rb") as lease:
        return not _taken(lease, fcntl.LOCK_EX) and _taken(lease, fcntl.LOCK_SH)


def _taken(file: IO[bytes], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _touch(path: Path) -> Path:
    path.touch(mode=0o600, exist_ok=True)
    return path


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """One starter at a time."""
    with place.own(_touch(place.folder / "starting")).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _connect(place: Place, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(place.socket_folder), user=NAME, dbname=database, connect_timeout=10, autocommit=True
    )


def _answers(place: Place) -> bool:
    try:
        _connect(place).close()
    except psycopg.OperationalError:
        return False
    return True


def _make(place: Place) -> None:
    """Makes the cluster when there is none, and the files that say who may come in.

    Raises Conflict for a data folder of another major version, Busy when the disk is full.
    """
    version = place.data / "PG_VERSION"
    if version.exists() and (found := version.read_text().strip()) != MAJOR:
        raise Conflict(
            f"数据文件夹 {place.data} 是 PostgreSQL {found} 的，本程序带的是 {MAJOR}："
            "请用原来的程序导出（pg_dump）后再导入，或把该文件夹改名后从空库开始。\n"
            f"The data folder {place.data} was made by PostgreSQL {found}, this program brings {MAJOR}: "
            f"dump it with the program that made it and restore it here, or rename it to begin anew.\n{ESCAPE}"
        )
    free = shutil.disk_usage(place.folder).free
    if free < _LEAST_FREE_BYTES:
        raise _disk_full(place, free)
    if not version.exists():
        _initdb(place)
    names = {"root", pwd.getpwuid(place.uid).pw_name}  # root reaches everything anyhow, and may come second
    _write(place, "pg_hba.conf", f"local all all peer map={NAME}\n")
    _write(place, "pg_ident.conf", "".join(f'{NAME} "{name}" {NAME}\n' for name in sorted(names)))


def _initdb(place: Place) -> None:
    """A new cluster, made beside and renamed when complete: one killed half-way leaves nothing behind."""
    fresh = place.folder / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    command = [str(place.programs / "initdb"), "-D", str(fresh), "-U", NAME, "--encoding=UTF8", "--locale=C"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums", "--auth=reject"]
    made = subprocess.run(  # noqa: S603 - our own programs and folders
        command, cwd=place.folder, env=_environment(), capture_output=True, text=True, check=False, **place.account()
    )
    if made.returncode:
        raise _failed(place, made.stdout + made.stderr)
    if place.data.exists():
        place.data.rmdir()  # only an empty one can be here: there was no PG_VERSION
    fresh.rename(place.data)


def _environment() -> dict[str, str]:
    """A small environment of our own: PGDATA, PGPORT, LANG and the like of the user's must not steer the server."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _write(place: Place, name: str, text: str) -> None:
    path = place.data / name
    path.write_text(text)
    path.chmod(0o600)
    place.own(path)


def _launch(place: Place, options: dict[str, str]) -> None:
    """Starts the server and waits until it answers; a crash before is mended by PostgreSQL's own recovery.

    A server killed a moment ago may hold its shared memory until its last backends notice, and one that is being
    stopped holds its lock: then we try again.
    """
    deadline = time.monotonic() + _START_SECONDS
    patience = time.monotonic() + _OTHER_SECONDS
    while True:
        server = _spawn(place, options)
        while server.poll() is None and time.monotonic() < deadline:
            if _answers(place):
                server.returncode = 0  # it outlives us; otherwise Popen warns of a running child when collected
                return
            time.sleep(0.02)
        said = place.log.read_text(errors="replace")
        if server.poll() is None:
            server.terminate()
            server.wait()
            raise _failed(place, said)
        is_passing = "is still in use" in said or "lock file" in said
        if not is_passing or time.monotonic() > patience:
            raise _failed(place, said)
        if not _disown_locks(place):
            time.sleep(0.2)
            if _answers(place):
                return


def _spawn(place: Place, options: dict[str, str]) -> "subprocess.Popen[bytes]":
    words = [f"--{key}={value}" for key, value in options.items()]
    command = [str(place.programs / "postgres"), "-D", str(place.data), *words, "-k", str(place.socket_folder)]
    with place.log.open("ab") as log:
        log.truncate(0)
        place.own(place.log)
        return subprocess.Popen(  # noqa: S603 - our own programs and folders
            command,
            cwd=place.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **place.account(),
        )


def _disown_locks(place: Place) -> bool:
    """Mends lock files that name a zombie or a stranger: after a crash the server's number may be used again.

    The files are not removed: postmaster.pid also names the shared memory, by which a new server sees old backends that
    still live. PostgreSQL passes over a lock held by its own parent, so ours is the number to put there.
    """
    locks = (place.data / "postmaster.pid", place.socket_folder / ".s.PGSQL.5432.lock")
    lines = {lock: lock.read_text().splitlines() for lock in locks if lock.exists()}
    if any(str(place.data) in _command_line(int(kept[0])) for kept in lines.values() if kept):
        return False
    for lock, kept in lines.items():
        lock.write_text("\n".join([str(os.getpid()), *kept[1:], ""]))
    return True


def _command_line(pid: int) -> str:
    """What a process was started with; empty for a zombie or none."""
    shown = Path(f"/proc/{pid}/cmdline")
    if shown.parent.parent.joinpath("self").exists():
        return shown.read_bytes().decode(errors="replace") if shown.exists() else ""
    listed = subprocess.run(  # noqa: S603 - macOS
        ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return listed.stdout


def _make_database(place: Place) -> None:
    with _connect(place) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone():
            connection.execute(f"create database {NAME}")


def _appoint_keeper(place: Place) -> None:
    """Starts a keeper unless there is one; its lock is taken here and inherited, so two can never begin."""
    with place.own(_touch(place.folder / "keeper")).open("rb") as lock:
        if not _taken(lock, fcntl.LOCK_EX):
            return
        numbers = [str(number) for number in (place.uid, place.gid, lock.fileno())]
        command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("keeper.py"))]
        keeper = subprocess.Popen(  # noqa: S603
            [*command, str(place.folder), str(place.programs), str(place.socket_folder), *numbers],
            pass_fds=[lock.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        keeper.returncode = 0  # it outlives us, see _launch


def _disk_full(place: Place, free: int) -> Busy:
    return Busy(
        f"磁盘已满：{place.folder} 只剩 {free // 2**20} MB，请先腾出至少 {_LEAST_FREE_BYTES // 2**20} MB，"
        f"或用 HUISHENG_HOME 换一个文件夹。\nThe disk is full: {free // 2**20} MB are left at {place.folder}; free "
        f"{_LEAST_FREE_BYTES // 2**20} MB or choose another folder with HUISHENG_HOME.\n{ESCAPE}"
    )


def _failed(place: Place, said: str) -> HuishengError:
    free = shutil.disk_usage(place.folder).free
    if "No space left" in said or free < 16 * 2**20:  # on a full disk even the log may say nothing
        return _disk_full(place, free)
    return HuishengError(
        f"内置 PostgreSQL 启动失败，日志在 {place.log}：\n"
        f"The embedded PostgreSQL did not start, its log is {place.log}:\n"
        f"{said.strip()[-1500:]}\n{ESCAPE}"
    )
