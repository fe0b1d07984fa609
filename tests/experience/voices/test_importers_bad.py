"""Bad files: a clear message with the row, nothing lost, the rest goes on, memory constant."""

import csv
import json
import tracemalloc
import zipfile
from datetime import datetime
from io import StringIO
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from experience.ground.errors import Invalid
from experience.voices import importers
from experience.voices.importers import formats, lines
from experience.voices.tables import Voice

HEAD = "编号,内容,来源\r\n"
GOOD = [f"G{n},第{n}次反映信号差,app\r\n" for n in range(20)]


def imported(engine: Engine, path: Path, now: datetime) -> tuple[importers.ImportReport, dict[str, str], list[str]]:
    """The report, row -> reason of the rejects, and the ids that came in."""
    report = importers.run(engine, path, now=now)
    told = {}
    if report.rejects_path:
        with Path(report.rejects_path).open(encoding="utf-8-sig", newline="") as text:
            told = {row[0]: row[1] for row in list(csv.reader(text))[1:]}
    with Session(engine) as session:
        return report, told, list(session.exec(select(Voice.external_id).order_by(col(Voice.id))))  # type: ignore[arg-type]


def test_one_damaged_line_of_a_utf8_file_is_rejected_alone(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        (HEAD + "".join(GOOD)).encode() + b"X1,\xd0\xc5\xba\xc5\xb2\xee,app\r\n" + "X2,宽带断,app".encode()
    )
    report, told, ids = imported(own_database, path, now)
    assert (report.encoding, report.added, report.rejected) == ("utf-8", 21, 1)
    assert "UTF-8" in told["22"]
    assert "X2" in ids


def test_gb18030_with_a_damaged_line_is_read_and_the_line_told(
    own_database: Engine, tmp_path: Path, now: datetime
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes((HEAD + "".join(GOOD)).encode("gb18030") + b"X1,\xff\xff\xff,app\r\n")
    report, told, _ = imported(own_database, path, now)
    assert (report.encoding, report.added, list(told)) == ("gb18030", 20, ["22"])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read_with_and_without_its_mark(
    own_database: Engine, tmp_path: Path, now: datetime, encoding: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes((HEAD + "".join(GOOD)).encode(encoding))
    assert imported(own_database, path, now)[0].added == 20


def test_control_characters_and_zeros_are_taken_out_and_the_rows_kept(
    own_database: Engine, tmp_path: Path, now: datetime
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + "C1,信\0号\x07很差\x1b[31m,app\r\n" + "".join(GOOD), "utf-8")
    report, _, ids = imported(own_database, path, now)
    assert report.added == 21
    assert "C1" in ids
    with Session(own_database) as session:
        assert session.exec(select(Voice.text).where(Voice.external_id == "C1")).one() == "信号很差[31m"


@pytest.mark.parametrize("where", [0, 10, 20])
def test_an_open_quote_costs_its_own_line_only(own_database: Engine, tmp_path: Path, now: datetime, where: int) -> None:
    path = tmp_path / "a.csv"
    rows = [*GOOD[:where], 'Q1,"没有成对的引号,app\r\n', *GOOD[where:]]
    path.write_text(HEAD + "".join(rows), "utf-8")
    report, told, ids = imported(own_database, path, now)
    assert (report.total, report.added, report.rejected) == (21, 20, 1)
    assert "引号" in told[str(where + 2)]
    assert set(ids) == {f"G{n}" for n in range(20)}


def test_an_open_quote_in_a_long_file_costs_its_own_line_only(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('内容\n"没有成对\n' + "很长\n" * 20_000, "utf-8")
    rows = list(formats.opened(path).rows)
    assert len(rows) == 20_001
    assert [row.number for row in rows if row.fault] == [2]
    assert rows[-1].number == 20_002


def test_quotes_with_line_ends_and_stray_quotes_are_taken(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + 'A1,"第一行\n第二行",app\nA2,他说"信号差,app\nA3,"他说""差""",app\n', "utf-8")
    report, _, ids = imported(own_database, path, now)
    assert (report.added, report.rejected, ids and sorted(i or "" for i in ids)) == (3, 0, ["A1", "A2", "A3"])


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_line_of_a_hundred_megabytes_is_told_and_the_rest_goes_on(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    good = "好,1\n" if suffix == "csv" else '{"内容": "好"}\n'
    with path.open("w", encoding="utf-8") as text:
        text.write("内容,编号\n" if suffix == "csv" else good)
        text.write(good)
        for _ in range(100):
            text.write("x" * 1_000_000)
        text.write("\n" + good)
    tracemalloc.start()
    rows = list(formats.opened(path).rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(row.number, bool(row.fault)) for row in rows][-3:] == [(2, False), (3, True), (4, False)]
    assert "超过" in rows[-2].fault
    assert peak < 30_000_000


def test_a_missing_column_is_named_with_those_there_are(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "a.csv"
    path.write_text("工号,电话\n1,2\n", "utf-8")
    with pytest.raises(Invalid, match="工号、电话"):
        importers.run(own_database, path, now=now)


def test_too_few_cells_are_told_by_what_is_missing(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + "K1\n" + "".join(GOOD), "utf-8")
    report, told, _ = imported(own_database, path, now)
    assert report.added == 20
    assert "请写下" in told["2"]


@pytest.mark.parametrize("content", ["", "\n\n  \n", "\ufeff", "，\n"])
def test_an_empty_file_says_so(own_database: Engine, tmp_path: Path, now: datetime, content: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(Invalid):
        importers.run(own_database, path, now=now)


def test_a_workbook_with_formulas_gives_their_values_and_tells_of_none(
    own_database: Engine, tmp_path: Path, now: datetime
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["编号", "内容", "来源"],
        ["F1", '="信号" & "很差"', "app"],
        ["F2", "宽带断", "app"],
        [],
        ["F3", "#REF!", "app"],
    ):
        sheet.append(row)
    path = tmp_path / "a.xlsx"
    book.save(path)
    report, told, ids = imported(own_database, path, now)
    assert report.rejected + report.added == 3
    assert "F2" in ids
    assert "2" in told  # a formula nobody has calculated holds no words


def test_a_workbook_of_many_rows_needs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["编号", "内容"])
    for n in range(20_000):
        sheet.append([n, f"第{n}次反映信号差，希望尽快解决"])
    book.save(path)
    tracemalloc.start()
    count = sum(1 for _ in formats.opened(path).rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 5_000_000


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(Invalid, match="Excel"):
        formats.opened(path)


def test_damaged_json_lines_are_told_by_number(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "a.jsonl"
    good = [json.dumps({"text": f"第{n}次", "source": "app", "id": n}, ensure_ascii=False) for n in range(12)]
    path.write_bytes(
        "\n".join([*good[:6], "{", *good[6:]]).encode() + b'\n{"text": "\xff", "source": "app", "id": 99}\n'
    )
    report, told, _ = imported(own_database, path, now)
    assert (report.added, sorted(told)) == (12, ["14", "7"])
    assert "UTF-8" in told["14"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_characters='"\r\n', exclude_categories=["Cs"]), max_size=20), max_size=30)
)
def test_lines_without_quotes_all_come_back_with_their_numbers(many: list[str]) -> None:
    read = lines.Lines(StringIO("\n".join(many), newline=""))
    seen = []
    while True:
        number = read.begin()
        line = next(read, None)
        if line is None:
            break
        seen.append((number, line.rstrip("\n")))
    expected = list(enumerate("\n".join(many).split("\n"), start=1))
    assert seen == (expected if expected[-1][1] else expected[:-1])
