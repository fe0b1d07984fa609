"""The server stack: granian's processes, the worker beside them, and how all of them end together."""

import errno
import gc
import importlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

import click
import structlog
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from experience.ground import postgres
from experience.ground.config import settings
from experience.ground.errors import HuishengError
from experience.web.compress import Compressed

log = structlog.get_logger()

_PORT_SECONDS = 3.0  # the processes of a server killed a moment ago need an instant to go
_LONGEST_PAUSE = 30.0
_DATABASE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Options:
    """Where to listen, with how many processes, and whether a worker runs beside them."""

    host: str
    port: int
    processes: int
    runs_worker: bool

    @property
    def address(self) -> str:
        """The address a person on this machine opens."""
        shown = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 - only shown
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"


def demand_free_port(host: str, port: int) -> None:
    """Raises HuishengError when somebody else listens there; granian itself would share the port without a word."""
    deadline = time.monotonic() + _PORT_SECONDS
    while True:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise _port_refused(host, port, error) from error
            time.sleep(0.1)
        else:
            return


def _port_refused(host: str, port: int, error: OSError) -> HuishengError:
    if error.errno == errno.EADDRINUSE:
        return HuishengError(
            f"端口 {port} 已被占用：请停掉占用它的程序，或换一个端口，例如 huisheng serve --port {port + 1}。\n"
            f"Port {port} is taken: stop what uses it, or choose another, such as huisheng serve --port {port + 1}."
        )
    return HuishengError(
        f"不能在 {host}:{port} 上监听（{error.strerror}）：请检查 --host 和 --port。\n"
        f"Cannot listen on {host}:{port} ({error.strerror}): check --host and --port."
    )


def serve(target: str, options: Options) -> None:
    """Serves the application `module:factory` until told to stop; the worker beside it is started again if it ends."""
    multiprocessing.set_start_method("spawn", force=True)  # a fork would share connections and locks
    threads = settings().database_pool * 2  # as many requests at once as the pool gives connections
    server = Granian(
        target,
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=options.processes,
        blocking_threads=threads,
        backpressure=max(threads * 8, 128),
        respawn_failed_workers=True,
        workers_kill_timeout=20,
        websockets=False,
        log_level=LogLevels.error,
    )
    beside = WorkerBeside(target.partition(":")[0]) if options.runs_worker else None
    if beside:
        beside.start()
    threading.Thread(target=_tell_when_ready, args=(options,), daemon=True).start()
    if not settings().database_url:
        threading.Thread(target=_keep_database, daemon=True).start()
    try:
        server.serve(target_loader=load)
    finally:
        if beside:
            beside.stop()


def load(target: str) -> Callable[..., Any]:
    """The WSGI application of one web process: made by its factory, compressed, ended with its parent."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    module, _, name = target.partition(":")
    application: Callable[..., Any] = getattr(importlib.import_module(module), name)()
    settle()
    return Compressed(application)


def settle() -> None:
    """Spares the collector what start-up made and what lives as long as the process: walking it takes 0.1 s."""
    gc.collect()
    gc.freeze()


def _end_with_parent() -> None:
    """A web process whose parent was killed would keep the port and serve without anyone to stop it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)


def _keep_database() -> None:
    """Starts the embedded server again when it was killed; connections in the pools then come back by themselves."""
    while True:
        time.sleep(_DATABASE_SECONDS)
        try:
            postgres.start()
        except HuishengError as error:
            log.error("the embedded database does not start", reason=error.sentence)


def _tell_when_ready(options: Options) -> None:
    host = options.address.partition("://")[2].rpartition(":")[0].strip("[]")
    while True:
        try:
            socket.create_connection((host, options.port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            break
    click.echo(f"回声已启动 · huisheng is ready: {options.address}  (Ctrl-C 停止 · stops)", err=True)


class WorkerBeside:
    """The background worker beside a server: a process of its own, started again when it ends unasked."""

    def __init__(self, module: str) -> None:
        self._program = f"import sys; from {module} import main; sys.exit(main())"
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Starts it and the thread that watches it."""
        self._thread.start()

    def stop(self) -> None:
        """Asks it to finish the row in hand and waits."""
        self._stopping.set()
        self._thread.join(30)

    def _keep(self) -> None:
        pause = 1.0
        while not self._stopping.is_set():
            began = time.monotonic()
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-c", self._program, "worker", "--beside"],
                stdin=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C reaches the server alone, which then stops the worker
            )
            ended_by_itself = self._wait(self._process)
            if ended_by_itself:
                pause = 1.0 if time.monotonic() - began > 60 else min(pause * 2, _LONGEST_PAUSE)
                log.error("worker ended, starts again", code=self._process.returncode, in_seconds=pause)
                self._stopping.wait(pause)

    def _wait(self, process: "subprocess.Popen[bytes]") -> bool:
        """Waits until the process ends or we are to stop; then ends it. Returns whether it ended by itself."""
        while not self._stopping.wait(0.5):
            if process.poll() is not None:
                return True
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return False
