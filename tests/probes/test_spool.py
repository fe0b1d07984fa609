"""The spool: what was acknowledged is on disk, whatever is killed; a full disk is told."""

import errno
import os
import threading
from pathlib import Path

import pytest

from experience.ground.errors import Busy
from probes import spool
from probes.spool import Spool


def everything(folder: Path) -> list[bytes]:
    return [payload for path in spool.take(folder) for payload in spool.frames(path)]


def test_what_was_appended_comes_out_whole_and_in_order(tmp_path: Path) -> None:
    mine = Spool(tmp_path)
    for number in range(50):
        mine.append(f"第{number}批".encode())
    assert everything(tmp_path) == [f"第{number}批".encode() for number in range(50)]


def test_a_writer_goes_on_after_its_segment_was_taken(tmp_path: Path) -> None:
    mine = Spool(tmp_path)
    mine.append(b"one")
    assert everything(tmp_path) == [b"one"]
    mine.append(b"two")
    assert sorted(everything(tmp_path)) == [b"one", b"two"]


def test_many_threads_and_a_drainer_lose_nothing(tmp_path: Path) -> None:
    mine, taken = Spool(tmp_path), set()
    writers = [
        threading.Thread(target=lambda w=w: [mine.append(f"{w}-{n}".encode()) for n in range(100)]) for w in range(6)
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        taken |= set(everything(tmp_path))
    taken |= set(everything(tmp_path))
    assert taken == {f"{w}-{n}".encode() for w in range(6) for n in range(100)}


def test_a_torn_frame_at_the_end_is_left_out(tmp_path: Path) -> None:
    Spool(tmp_path).append(b"whole")
    (path,) = tmp_path.iterdir()
    with path.open("ab") as file:
        file.write(b"\x10\x00\x00\x00\x00\x00\x00\x00torn")
    assert everything(tmp_path) == [b"whole"]


def test_a_full_disk_is_busy_and_leaves_no_half_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Spool(tmp_path)
    mine.append(b"before")
    real = os.write

    def half(file: int, data: bytes) -> int:
        if len(data) > 8:
            return real(file, data[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spool.os, "write", half)
    with pytest.raises(Busy):
        mine.append(b"x" * 5)
    monkeypatch.setattr(spool.os, "write", real)
    mine.append(b"after")
    assert everything(tmp_path) == [b"before", b"after"]


def test_a_missing_folder_is_made_and_an_unwritable_one_is_busy(tmp_path: Path) -> None:
    Spool(tmp_path / "deep" / "down").append(b"x")
    assert spool.waiting(tmp_path / "deep" / "down") > 0
    (tmp_path / "file").write_text("")
    with pytest.raises(Busy):
        Spool(tmp_path / "file").append(b"x")
