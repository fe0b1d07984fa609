"""JSON Lines in, JSON Lines out: many texts read in order, in constant memory, over all cores."""

import json
import multiprocessing
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, BinaryIO

from analysis import legacy, pipeline
from analysis import model as models

#: The longest line read whole, in bytes; of longer ones the beginning is read, and told so.
LONGEST_LINE = 4 << 20
_HEAD = 64 << 10
#: Lines handed to a process at once, and lines read before a second process is worth its start.
_CHUNK, _SMALL = 512, 4000
_START_OF_LONG = re.compile(
    r'^\s*\{\s*"id"\s*:\s*("(?:[^"\\]|\\.){0,1000}"|-?[0-9]{1,30})\s*,\s*"text"\s*:\s*"', re.DOTALL
)
_BROKEN_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?$")


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that could not be read whole: its row (from 1), a code, and a sentence saying what to do."""

    row: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Summary:
    """How a stream ended: lines answered and lines that could not be."""

    read: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked of each text: the engine of the sentiment, and whether the sentiment is all that is wanted."""

    engine: str = "model"
    only_sentiment: bool = False


@dataclass(slots=True)
class _Chunk:
    rows: list[tuple[int, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Answers:
    lines: bytes
    rows: int
    rejects: tuple[Reject, ...]


#: Kept, because making one takes as long as writing a short line.
_ENCODER = json.JSONEncoder(ensure_ascii=False)

_TRUNCATED = ', "truncated": true'

_REASONS = {
    "not_utf8": "不是 UTF-8 编码，请把文件另存为 UTF-8 后重试",
    "not_json": "不是一行完整的 JSON 对象，请检查引号、逗号和换行",
    "no_text": "缺少 text 列，或它不是文字",
    "too_long": f"一行超过 {LONGEST_LINE >> 20} MB，且开头读不出 id 和 text",
    "cut": f"一行超过 {LONGEST_LINE >> 20} MB，只读了开头部分",
}


def _rejected(row: int, code: str) -> Reject:
    return Reject(row, code, f"第 {row} 行：{_REASONS[code]}")


def _lines(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Numbered lines; a line over the limit yields its beginning only, and the rest is passed over."""
    row = 0
    while line := source.readline(LONGEST_LINE + 1):
        row += 1
        if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
            head = line[:_HEAD] + b"\0"
            del line
            while (rest := source.readline(1 << 20)) and not rest.endswith(b"\n"):
                pass
            yield row, head
        elif line.strip():
            yield row, line.removeprefix(b"\xef\xbb\xbf") if row == 1 else line


def _long_line(row: int, head: bytes) -> tuple[Any, str] | Reject:
    """Id and beginning of the text of an over-long line, as far as they can be made out."""
    text = head.decode("utf-8", "ignore")
    found = _START_OF_LONG.match(text)
    if not found:
        return _rejected(row, "too_long")
    rest = text[found.end() :]
    closing = re.search(r'(?<!\\)(?:\\\\)*"', rest)
    body = rest[: closing.end() - 1] if closing else _BROKEN_ESCAPE.sub(r"\1", rest)
    try:
        return json.loads(found.group(1)), json.loads(f'"{body}"', strict=False)
    except ValueError:
        return _rejected(row, "too_long")


def _no_number(name: str) -> Any:
    """JSON has no NaN and no Infinity, whatever Python's reader lets pass."""
    raise ValueError(name)


def _row(row: int, line: bytes) -> tuple[Any, str] | Reject:
    try:
        value = json.loads(line.decode("utf-8"), strict=False, parse_constant=_no_number)
    except UnicodeDecodeError:
        return _rejected(row, "not_utf8")
    except (ValueError, RecursionError):
        return _rejected(row, "not_json")
    if not isinstance(value, dict):
        return _rejected(row, "not_json")
    text = value.get("text")
    if not isinstance(text, str):
        return _rejected(row, "no_text")
    return value.get("id"), text


def _answered(chunk: _Chunk, work: Work) -> _Answers:
    """The answers to a chunk, as bytes to write; runs in this process or in another."""
    positive = legacy.ENGINES[work.engine] if work.engine != "model" else None
    model = models.load()
    asked: list[tuple[Any, str, bool]] = []
    rejects: list[Reject] = []
    for row, line in chunk.rows:
        is_cut = line.endswith(b"\0")
        found = _long_line(row, line[:-1]) if is_cut else _row(row, line)
        if isinstance(found, Reject):
            rejects.append(found)
            continue
        if is_cut:
            rejects.append(_rejected(row, "cut"))
        asked.append((*found, is_cut))
    texts = [text for _, text, _ in asked]
    said: Iterator[str]
    if work.only_sentiment:
        said = (f'"sentiment": {round(one, 4)}' for one in pipeline.sentiments(texts, model=model, positive=positive))
    else:
        said = (one.members() for one in pipeline.read_many(texts, model=model, positive=positive))
    lines = [_line(name, one, is_cut) for (name, _, is_cut), one in zip(asked, said, strict=True)]
    return _Answers(b"".join(lines), len(lines), tuple(rejects))


def _line(name: Any, members: str, is_cut: bool) -> bytes:
    """One answer: the id, what was read, and whether only the beginning was."""
    if isinstance(name, float) and not isfinite(name):  # 1e999 is JSON, but no number of ours: told in words
        name = str(name)
    told = str(name) if type(name) is int else _ENCODER.encode(name)  # encoding a figure takes 3 µs
    line = f'{{"id": {told}, {members}{_TRUNCATED if is_cut else ""}}}\n'
    try:
        return line.encode()
    except UnicodeEncodeError:  # an id with a lone surrogate can only be said escaped
        return json.dumps(json.loads(line)).encode() + b"\n"


def _chunks(source: BinaryIO) -> Iterator[_Chunk]:
    chunk = _Chunk()
    size = 0
    for numbered in _lines(source):
        chunk.rows.append(numbered)
        size += len(numbered[1])
        if len(chunk.rows) >= _CHUNK or size > LONGEST_LINE:
            yield chunk
            chunk, size = _Chunk(), 0
    if chunk.rows:
        yield chunk


def _answers(source: BinaryIO, work: Work, processes: int) -> Iterator[_Answers]:
    """Answers in the order asked. Few lines are answered here; many by `processes` others, never far ahead."""
    chunks = _chunks(source)
    for number, chunk in enumerate(chunks, start=1):
        yield _answered(chunk, work)
        if processes > 1 and number * _CHUNK >= _SMALL:
            break
    if processes == 1:
        return
    first = next(chunks, None)
    if first is None:
        return
    waiting: deque[Future[_Answers]] = deque()
    with ProcessPoolExecutor(processes, mp_context=_context()) as pool:
        waiting.append(pool.submit(_answered, first, work))
        for chunk in chunks:
            waiting.append(pool.submit(_answered, chunk, work))
            if len(waiting) >= processes * 3:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _context() -> multiprocessing.context.BaseContext:
    """Forking shares the loaded model and dictionary; where there is no fork, each process loads its own."""
    return multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")


def analyse(
    lines_in: BinaryIO,
    out: BinaryIO,
    *,
    engine: str = "model",
    processes: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_reject: Callable[[Reject], None] | None = None,
    only_sentiment: bool = False,
) -> Summary:
    """Read JSON Lines `{"id","text"}` and write a reading for each (CONTRACT §1), in order, in constant memory.

    A line that cannot be read is told to `on_reject` with its row and gets no answer; the rest goes on. `on_progress`
    hears (answered, rejected) after every few hundred lines. `processes`: None for all cores.
    Raises ValueError for an unknown engine.
    """
    if engine != "model" and engine not in legacy.ENGINES:
        raise ValueError(f"没有名为 {engine} 的引擎，可用：model、{'、'.join(legacy.ENGINES)}")
    read = rejected = 0
    for answers in _answers(lines_in, Work(engine, only_sentiment), processes or os.cpu_count() or 1):
        out.write(answers.lines)
        read += answers.rows
        rejected += sum(reject.code != "cut" for reject in answers.rejects)
        for reject in answers.rejects:
            if on_reject is not None:
                on_reject(reject)
        if on_progress is not None:
            on_progress(read, rejected)
    out.flush()
    return Summary(read, rejected)
