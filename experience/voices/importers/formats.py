"""Files as rows, one at a time: CSV in the encodings Chinese Excel writes, workbooks, JSON Lines."""

import codecs
import csv
import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from experience.ground.errors import Invalid
from experience.ground.i18n import say
from experience.voices.importers.columns import recognised
from experience.voices.importers.lines import LINE_LIMIT, Lines, Unreadable
from experience.voices.importers.rows import Row

#: Share of zero bytes in every other place that tells UTF-16 without its mark, and of stray ones a text may hold.
WIDE_ZEROS, STRAY_ZEROS = 0.15, 0.05
#: Share of damaged lines up to which a file is UTF-8 with damage: Chinese in GB18030 hardly ever passes for UTF-8.
DAMAGED = 0.2
#: A workbook is read into memory whole, so what it unpacks to is bounded, in bytes, and how much it may grow.
UNPACKED_LIMIT = 150_000_000
UNPACKED_FREE = 10_000_000
UNPACKED_RATIO = 200
ENTRIES_LIMIT = 5_000
WORKBOOK_LIMIT = 60_000_000
_DELIMITERS = ",\t;|，"
_CHUNK = 1 << 20
_CONTINUING = bytes(range(0x80, 0xC0))  # a piece of a line may begin within a character
csv.field_size_limit(LINE_LIMIT * 2)


@dataclass(frozen=True, slots=True)
class File:
    """A file opened: its kind, its headers, its rows (in order, once), and its encoding where it has one."""

    kind: str
    headers: Sequence[str]
    rows: Iterator[Row]
    encoding: str = ""


def opened(path: Path) -> File:
    """The file's headers and rows. Raises Invalid for what cannot be read at all, saying what to do."""
    with path.open("rb") as raw:
        head = raw.read(4096)
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise Invalid(say("文件是空的。"))
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return _workbook(path, is_zip=head.startswith(b"PK"))
    encoding = _encoding(path, head)
    first = head.decode(encoding, "ignore").lstrip("\ufeff \t\r\n")[:1]
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json") or first == "{":
        return _json_lines(path, encoding)
    return _csv(path, encoding)


def file_hash(path: Path) -> str:
    """SHA-256 of the file."""
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()


def _encoding(path: Path, head: bytes) -> str:
    """UTF-8 when all or nearly all of the file is; else GB18030, which Chinese Excel writes; UTF-16 by its zeros."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = [head[start::2].count(0) / max(1, len(head) // 2) for start in (0, 1)]
    if len(head) > 8 and max(zeros) > WIDE_ZEROS > 4 * min(zeros):
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    if head.count(0) > STRAY_ZEROS * len(head):
        raise Invalid(say("这不是文本文件。请另存为 CSV、XLSX 或 JSON Lines 再导入。"))
    if _is_utf8(path):
        return "utf-8-sig"
    good, bad = _utf8_lines(path)
    return "gb18030" if bad > DAMAGED * (good + bad) else "utf-8-sig"


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as raw:
        try:
            while chunk := raw.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _utf8_lines(path: Path) -> tuple[int, int]:
    """How many lines that are not plain ASCII are UTF-8, and how many are not; of a very long line its pieces."""
    good = bad = 0
    with path.open("rb") as raw:
        while line := raw.readline(_CHUNK):
            if not line.isascii():
                try:
                    codecs.getincrementaldecoder("utf-8")().decode(line.lstrip(_CONTINUING))
                    good += 1
                except UnicodeDecodeError:
                    bad += 1
    return good, bad


def _csv(path: Path, encoding: str) -> File:
    delimiter = _delimiter(path, encoding)
    rows = _csv_rows(path, encoding, delimiter)
    first = next(rows, None)
    if first is None or first.fault:
        raise Invalid(first.fault if first else say("文件是空的。"))
    return File("csv", [str(header) for header in first.cells], rows, encoding.removesuffix("-sig"))


def _delimiter(path: Path, encoding: str) -> str:
    """The one that splits the first line into most known headers, then into most fields."""
    with path.open(encoding=encoding, errors="replace", newline="") as text:
        line = text.readline(100_000).replace("\0", "")

    def worth(delimiter: str) -> tuple[int, int]:
        fields = next(csv.reader([line], delimiter=delimiter), [])
        return sum(bool(recognised(field)) for field in fields), len(fields)

    return max(_DELIMITERS, key=worth)


def _csv_rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    width = 0
    with path.open(encoding=encoding, errors="replace", newline="") as text:
        lines = Lines(text)
        reader = csv.reader(lines, delimiter=delimiter)
        while True:
            number = lines.begin()
            try:
                cells = next(reader)
                fault = lines.fault()
            except StopIteration:
                return
            except (csv.Error, Unreadable):
                fault = lines.fault() or say("这一行读不下去：多半是引号没有成对。")
            if fault:
                reader = csv.reader(lines, delimiter=delimiter)
                yield Row(number, [lines.give_back()], fault)
            elif any(cell.strip() for cell in cells):
                width = width or len(cells)
                yield Row(number, cells, _csv_fault(cells, width, encoding))


def _csv_fault(cells: Sequence[str], width: int, encoding: str) -> str:
    if len(cells) > width:
        return say("列数比表头多：正文里有分隔符时请加英文双引号。")
    return _damage("".join(cells), encoding)


def _damage(written: str, encoding: str) -> str:
    if "\ufffd" not in written:
        return ""
    if encoding == "gb18030":
        return say("有无法识别的字符：文件既不是 UTF-8 也不是 GB18030。")
    return say("有损坏的字符：这一行不是 %(encoding)s 编码。", encoding=encoding.removesuffix("-sig").upper())


def _json_lines(path: Path, encoding: str) -> File:
    """Keys become headers; the keys of the first hundred lines are looked at."""
    with path.open(encoding=encoding, errors="replace") as text:
        sample = [line for _, line, _ in islice(_single(Lines(text)), 100)]
    if sample and sample[0].lstrip().startswith("["):
        raise Invalid(say("请把 JSON 数组改为每行一个对象（JSON Lines）。"))
    headers = list(dict.fromkeys(key for line in sample for key in _object(line)[0]))
    return File("jsonl", headers, _json_rows(path, encoding, headers), encoding.removesuffix("-sig"))


def _json_rows(path: Path, encoding: str, headers: Sequence[str]) -> Iterator[Row]:
    with path.open(encoding=encoding, errors="replace") as text:
        for number, line, cut in _single(Lines(text)):
            told, broken = _object(line)
            fault = cut or _damage(line, encoding) or broken
            yield Row(number, [told.get(h) for h in headers] if told and not cut else [line.strip()[:200]], fault)


def _single(lines: Lines) -> Iterator[tuple[int, str, str]]:
    """Number, line and fault of each line that is not blank."""
    while True:
        number = lines.begin()
        try:
            line, fault = next(lines), ""
        except StopIteration:
            return
        except Unreadable:
            line, fault = lines.give_back(), lines.fault()
        if line.strip():
            yield number, line, fault


def _object(line: str) -> tuple[dict[str, Any], str]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return {}, say("这一行不是 JSON 对象。")
    if not isinstance(told, dict):
        return {}, say("这一行不是 JSON 对象。")
    if any(isinstance(value, dict | list) for value in told.values()):
        return told, say("字段的值只能是文字、数字或空。")
    return told, ""


def _workbook(path: Path, *, is_zip: bool) -> File:
    """The first sheet with anything in it."""
    if path.stat().st_size > WORKBOOK_LIMIT:
        raise Invalid(say("工作簿超过 60 MB：请拆成几个文件，或另存为 CSV。"))
    if is_zip:
        _demand_honest_zip(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names:
            rows = enumerate(book.get_sheet_by_name(name).iter_rows(), start=1)
            for _, cells in rows:
                if _holds(cells):
                    filled = (Row(number, cells) for number, cells in rows if _holds(cells))
                    return File("xlsx", [str(cell).strip() for cell in cells], filled)
    except PasswordError as error:
        raise Invalid(say("工作簿有密码：请去掉密码再导入。")) from error
    except (CalamineError, OSError, ValueError) as error:
        raise Invalid(say("工作簿打不开，可能已损坏：请用 Excel 打开后另存一份。")) from error
    raise Invalid(say("工作簿里没有内容。"))


def _holds(cells: Sequence[Any]) -> bool:
    return any(cell not in ("", None) for cell in cells)


def _demand_honest_zip(path: Path) -> None:
    """Raises Invalid for an archive that unpacks to far more than it is; entries are unpacked, not believed."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            packed = max(1, sum(entry.compress_size for entry in entries))
            is_bomb = unpacked > UNPACKED_FREE and unpacked / packed > UNPACKED_RATIO
            if unpacked > UNPACKED_LIMIT or len(entries) > ENTRIES_LIMIT or is_bomb:
                raise Invalid(say("工作簿解压后过大，已拒绝：请另存为 CSV。"))
            if not any(entry.filename.startswith("xl/") for entry in entries):
                raise Invalid(say("这个压缩包不是 Excel 工作簿。"))
            is_damaged = archive.testzip() is not None  # also finds sizes that lie
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise Invalid(say("工作簿打不开，可能已损坏：请用 Excel 打开后另存一份。")) from error
    if is_damaged:
        raise Invalid(say("工作簿打不开，可能已损坏：请用 Excel 打开后另存一份。"))
