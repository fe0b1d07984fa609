"""The keeper of an embedded PostgreSQL: waits until nobody uses it any more, then stops it.

Runs as a process of its own, by path and with the standard library alone, so that it is small and outlives a SIGKILL of
the server's users: the kernel releases their locks on the lease whatever ends them.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path


def _answers(socket_folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as tried:
        try:
            tried.connect(str(socket_folder / ".s.PGSQL.5432"))
        except OSError:
            return False
    return True


def keep(folder: Path, programs: Path, socket_folder: Path, *, uid: int, gid: int, own_lock: int) -> None:
    """Blocks on the lease; once it is ours alone, stops the server and lets go of both locks."""
    with (folder / "lease").open("rb") as lease:
        fcntl.flock(lease, fcntl.LOCK_EX)
        if _answers(socket_folder):  # a stale postmaster.pid may name a stranger: stop only what is really there
            account = {} if os.geteuid() == uid else {"user": uid, "group": gid, "extra_groups": []}
            for mode in ("fast", "immediate"):  # fast cannot end on a full disk; then the next start recovers
                stop = [programs / "pg_ctl", "stop", "-D", folder / "data", "-m", mode, "-w", "-t", "45"]
                if not subprocess.run(stop, cwd=folder, check=False, **account).returncode:  # type: ignore[call-overload] # noqa: S603
                    break
        os.close(own_lock)  # before the lease: whoever gets the lease next must find no keeper


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _folder, _programs, _socket_folder = map(Path, sys.argv[1:4])
    _uid, _gid, _lock = map(int, sys.argv[4:7])
    keep(_folder, _programs, _socket_folder, uid=_uid, gid=_gid, own_lock=_lock)
