"""Lines of a text file in constant memory: what is too long is cut, what a quote left open swallowed is given back."""

from collections import deque
from typing import TextIO

from experience.ground.i18n import say

#: Longest line read, in characters; the longest utterance taken is a fiftieth of it.
LINE_LIMIT = 1_000_000
#: Most lines and characters of one record of a CSV: beyond it a quote was left open.
RECORD_LINES, RECORD_CHARACTERS = 500, 2 * LINE_LIMIT


class Unreadable(Exception):
    """The record cannot be read; `Lines.fault()` says why."""


class Lines:
    """The lines of a stream, one at a time; raises Unreadable where a record cannot go on.

    `begin` starts a record; after a failure `give_back` has all of it but its first line read again.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[tuple[str, bool]] = deque()
        self._record: list[tuple[str, bool]] = []
        self._before = 0
        self._fault = ""

    def begin(self) -> int:
        """Starts a record; the number of its first line, from 1."""
        self._before += len(self._record)
        self._record, self._fault = [], ""
        return self._before + 1

    def fault(self) -> str:
        """What is wrong with the record so far, or ''."""
        return self._fault

    def give_back(self) -> str:
        """The beginning of the record's first line; the lines after it are read again."""
        self._waiting.extendleft(reversed(self._record[1:]))
        del self._record[1:]
        return self._record[0][0].strip()[:200] if self._record else ""

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        held = sum(len(line) for line, _ in self._record)
        if self._record and (len(self._record) >= RECORD_LINES or held > RECORD_CHARACTERS):
            self._refuse()
        line, is_cut = self._waiting.popleft() if self._waiting else self._read()
        if not line:
            if self._record:
                self._refuse()  # the file ends within quotes
            raise StopIteration
        self._record.append((line, is_cut))
        if is_cut:
            self._fault = say("这一行超过 %(limit)d 万字，没有读完。", limit=LINE_LIMIT // 10_000)
            raise Unreadable
        return line

    def _refuse(self) -> None:
        self._fault = self._fault or say("引号没有成对：从这一行起一直没有结束，请补上或删去英文双引号。")
        raise Unreadable

    def _read(self) -> tuple[str, bool]:
        """The next line and whether it was cut; '' at the end."""
        line = self._stream.readline(LINE_LIMIT)
        if len(line) < LINE_LIMIT or line.endswith(("\n", "\r")):
            return line, False
        more = line
        while len(more) == LINE_LIMIT and not more.endswith(("\n", "\r")):
            more = self._stream.readline(LINE_LIMIT)
        return line[:200], True
