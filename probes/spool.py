"""Durable before 202: events are appended to a file and forced to disk; a drainer takes whole files away.

A segment is one process's file of frames (length, CRC, payload). The writer holds the file's lock while it appends, so
a drainer that has the lock may rename the file; the writer sees that its name is gone and begins another. Requests that
wait at the same time share one fdatasync. A segment of a dead process is taken like any other.
"""

import fcntl
import os
import struct
import threading
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path

from experience.ground.errors import Busy
from experience.ground.i18n import say

_HEAD = struct.Struct("<II")
_OPEN, _TAKEN = ".open", ".taken"
MOST_BYTES = 16 * 2**20


class Spool:
    """This process's end of the spool folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock, self._sync_lock = threading.Lock(), threading.Lock()
        self._file = -1
        self._path = folder
        self._written = self._synced = 0

    def append(self, payload: bytes) -> None:
        """Returns once the payload is on disk. Raises Busy when it cannot be made so: disk full, folder gone."""
        frame = _HEAD.pack(len(payload), zlib.crc32(payload)) + payload
        try:
            with self._lock:
                file = self._locked_file()
                try:
                    _write_whole(file, frame)
                finally:
                    fcntl.flock(file, fcntl.LOCK_UN)
                self._written += 1
                mine = self._written
            with self._sync_lock:
                if self._synced < mine:
                    upto = self._written
                    os.fdatasync(file)
                    self._synced = upto
        except OSError as error:
            raise Busy(say("暂时无法保存，请稍后重试。"), retry_after=30) from error

    def _locked_file(self) -> int:
        """The open segment, locked and still ours; a new one when a drainer took it or it is full."""
        while True:
            if self._file < 0:
                self._begin()
            fcntl.flock(self._file, fcntl.LOCK_EX)
            if self._is_ours():
                return self._file
            fcntl.flock(self._file, fcntl.LOCK_UN)
            with self._sync_lock:  # those who still wait for the old file get it synced before it is closed
                os.fdatasync(self._file)
                self._synced = self._written
                os.close(self._file)
                self._file = -1

    def _is_ours(self) -> bool:
        try:
            there, here = os.stat(self._path), os.fstat(self._file)
        except FileNotFoundError:
            return False
        return there.st_ino == here.st_ino and here.st_size < MOST_BYTES

    def _begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._path = self.folder / f"{os.getpid()}-{uuid.uuid4().hex}{_OPEN}"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name must outlive a power cut as well as the bytes
        finally:
            os.close(folder)


def _write_whole(file: int, frame: bytes) -> None:
    """Appends the frame; what was written of it is taken back when the disk is full, so that no half frame stays."""
    size = os.fstat(file).st_size
    done = 0
    try:
        while done < len(frame):
            done += os.write(file, frame[done:])
    except OSError:
        os.ftruncate(file, size)
        raise


def take(folder: Path) -> list[Path]:
    """Segments ready to be moved: those taken before (a crash came between) and those open now, oldest first."""
    if not folder.is_dir():
        return []
    for path in sorted(folder.glob(f"*{_OPEN}")):
        _take(path)
    return sorted(folder.glob(f"*{_TAKEN}"), key=lambda path: (path.stat().st_mtime, path.name))


def _take(path: Path) -> None:
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return  # another drainer was first
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists() and os.fstat(file).st_size:
            path.rename(path.with_suffix(_TAKEN))
    except FileNotFoundError:
        return
    finally:
        os.close(file)


def frames(path: Path) -> Iterator[bytes]:
    """The payloads of a segment; a torn frame at its end was never acknowledged and is left out."""
    data = path.read_bytes()
    at = 0
    while at + _HEAD.size <= len(data):
        length, crc = _HEAD.unpack_from(data, at)
        payload = data[at + _HEAD.size : at + _HEAD.size + length]
        if len(payload) < length or zlib.crc32(payload) != crc:
            return
        yield payload
        at += _HEAD.size + length


def waiting(folder: Path) -> int:
    """Bytes not moved yet."""
    if not folder.is_dir():
        return 0
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix in (_OPEN, _TAKEN) and path.exists())
