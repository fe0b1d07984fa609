"""Files come in whole: any encoding Chinese Excel writes, bad rows told apart, and never twice."""

import csv
import json
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from experience.ground import sweep
from experience.ground.errors import Invalid
from experience.ground.store import transaction
from experience.organisation.permissions import SYSTEM
from experience.voices import importers
from experience.voices.importers import columns, formats, rejects, rows
from experience.voices.jobs import JOBS
from experience.voices.operations import upload
from experience.voices.tables import Voice, VoiceImport
from tests.people import someone

HEADER = "工单号,反馈内容,来源,触点,省份,反馈时间"
LINES = (
    "T1,充值不到账，等了两小时,热线,web.recharge,广东省,2026-09-01 08:33",
    'T2,"信号差,还贵",微博,,湖南,2026/9/2 9:05:00',
    "T3,营业员态度很好,营业厅,store.counter,北京市,2026年9月3日 10时20分",
)


def written(folder: Path, *lines: str, encoding: str = "utf-8", name: str = "原声.csv") -> Path:
    path = folder / name
    path.write_bytes("\r\n".join((HEADER, *lines)).encode(encoding))
    return path


def kept(engine: Engine) -> list[Voice]:
    with Session(engine) as session:
        return list(session.exec(select(Voice).order_by(col(Voice.external_id))))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_encoding_excel_writes_is_read(
    own_database: Engine, tmp_path: Path, now: datetime, encoding: str
) -> None:
    report = importers.run(own_database, written(tmp_path, *LINES, encoding=encoding), now=now)
    assert (report.total, report.added, report.rejected) == (3, 3, 0)
    voices = kept(own_database)
    assert [(v.source, v.province, v.touchpoint) for v in voices] == [
        ("hotline", "guangdong", "web.recharge"), ("weibo", "hunan", ""), ("store", "beijing", "store.counter"),
    ]  # fmt: skip
    assert voices[0].text == "充值不到账，等了两小时"
    assert voices[1].text == "信号差,还贵"
    assert voices[0].at.isoformat() == "2026-09-01T00:33:00+00:00"


@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_the_delimiter_is_found_out(own_database: Engine, tmp_path: Path, now: datetime, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(delimiter.join(("内容", "来源")) + "\n" + delimiter.join(("太慢，真的", "app")), "utf-8")
    importers.run(own_database, path, now=now)
    assert [v.text for v in kept(own_database)] == ["太慢，真的"]


def test_the_same_file_again_adds_nothing(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    path = written(tmp_path, *LINES)
    importers.run(own_database, path, now=now)
    again = importers.run(own_database, path, now=now)
    assert (again.added, again.repeated) == (0, 3)


def test_equal_rows_without_an_id_stay_as_many_voices_and_are_known_again(
    own_database: Engine, tmp_path: Path, now: datetime
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("内容\n" + "太慢了\n" * 50, "utf-8")
    assert importers.run(own_database, path, now=now, source="weibo").added == 50
    assert importers.run(own_database, path, now=now, source="weibo").repeated == 50


def test_bad_rows_are_told_with_number_and_reason_and_the_others_come_in(
    own_database: Engine, tmp_path: Path, now: datetime
) -> None:
    bad = ("T4,,热线,,广东,2026-09-01", "T5,慢,热线,,火星,2026-09-01", "T6,慢,热线,,广东,2026-13-01",
           "T7,慢,热线,,广东,2026-09-01,多一列", "T8,=cmd()|x,,,,")  # fmt: skip
    report = importers.run(own_database, written(tmp_path, *LINES, *bad), now=now)
    assert (report.total, report.added, report.rejected) == (8, 3, 5)
    with Path(report.rejects_path).open(encoding="utf-8-sig", newline="") as text:
        told = list(csv.reader(text))
    assert told[0][:2] == ["行号", "原因"]
    assert [row[0] for row in told[1:]] == ["5", "6", "7", "8", "9"]
    assert "请写下" in told[1][1]
    assert "省份" in told[2][1]
    assert "时间" in told[3][1]
    assert "列数" in told[4][1]
    assert "来源" in told[5][1]
    assert told[5][3] == "'=cmd()|x"


def test_a_dry_run_says_the_same_and_keeps_nothing(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    path = written(tmp_path, *LINES, "T4,,热线,,,")
    tried = importers.run(own_database, path, now=now, dry_run=True)
    assert (tried.added, tried.rejected, kept(own_database)) == (3, 1, [])
    with Session(own_database) as session:
        assert session.exec(select(VoiceImport)).all() == []


def test_an_id_known_for_other_words_is_rejected_and_not_lost(
    own_database: Engine, tmp_path: Path, now: datetime
) -> None:
    importers.run(own_database, written(tmp_path, *LINES), now=now)
    report = importers.run(own_database, written(tmp_path, "T1,完全是另一件事,热线,,,", name="b.csv"), now=now)
    assert (report.added, report.repeated, report.rejected) == (0, 0, 1)


def test_a_workbook_is_read_with_its_dates_and_numbers(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["编号", "意见内容", "渠道", "日期", "省分"])
    sheet.append([20260901001, "宽带老掉线", "客服热线", datetime(2026, 9, 1, 8, 30), "四川公司"])
    sheet.append([20260901002, "资费看不懂", "微信", date(2026, 9, 2), None])
    path = tmp_path / "原声.xlsx"
    book.save(path)
    report = importers.run(own_database, path, now=now)
    assert (report.kind, report.added) == ("xlsx", 2)
    first = kept(own_database)[0]
    assert (first.external_id, first.province) == ("20260901001", "sichuan")
    assert first.at.isoformat() == "2026-09-01T00:30:00+00:00"


def test_json_lines_are_read_and_a_broken_line_is_rejected(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        json.dumps({"text": "太慢", "source": "app", "id": 1}, ensure_ascii=False),
        "{broken",
        "[1]",
        '{"text": {}}',
    ]
    path.write_text("\n".join(lines), "utf-8")
    report = importers.run(own_database, path, now=now)
    assert (report.added, report.rejected) == (1, 3)


def test_a_mapping_names_columns_nobody_would_guess(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "a.csv"
    path.write_text("甲,乙\n太慢,7\n", "utf-8")
    with pytest.raises(Invalid, match="--map"):
        importers.run(own_database, path, now=now, source="app")
    report = importers.run(
        own_database, path, now=now, source="app", mapping=columns.mapping(["甲=text", "乙=external_id"])
    )
    assert report.added == 1
    with pytest.raises(Invalid):
        importers.run(own_database, path, now=now, source="app", mapping={"丙": "text"})


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\x00\x01\x02\x03bin", b"PK\x03\x04broken", b"[{}]"])
def test_what_is_no_file_of_voices_is_refused(
    own_database: Engine, tmp_path: Path, now: datetime, content: bytes
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(Invalid):
        importers.run(own_database, path, now=now, source="app")


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    assert path.stat().st_size < 100_000
    with pytest.raises(Invalid, match="解压"):
        formats.opened(path)


def test_a_province_imports_its_own_rows_only(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    zhou = someone("analyst", territories=frozenset({"guangdong"}))
    report = importers.run(own_database, written(tmp_path, *LINES), now=now, scope=zhou)
    assert (report.added, report.rejected) == (1, 2)


def test_the_clock_brings_in_an_upload_and_goes_on_where_it_stopped(
    own_database: Engine, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experience.voices.jobs.ROWS", 40)
    path = tmp_path / "a.csv"
    path.write_text("内容,编号\n" + "".join(f"第{i}条太慢,{i}\n" if i % 10 else f",{i}\n" for i in range(100)), "utf-8")
    with transaction(own_database) as session, path.open("rb") as stream:
        upload(
            session,
            SYSTEM,
            stream,
            name="C:\\报表\\a.csv",
            folder=tmp_path / "kept",
            source="weibo",
            mapping={},
            now=now,
        )
    assert sweep.run(own_database, JOBS[0], now) == 3
    with Session(own_database) as session:
        done = session.exec(select(VoiceImport)).one()
        assert (done.state, done.total, done.added, done.rejected) == ("done", 100, 90, 10)
        assert done.file_name == "a.csv"
        assert len(Path(done.rejects_path).read_text("utf-8-sig").splitlines()) == 11
        assert session.exec(select(func.count()).select_from(Voice)).one() == 90


def test_an_upload_that_cannot_be_read_says_why(own_database: Engine, tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "a.csv"
    path.write_text("甲\n1\n", "utf-8")
    with transaction(own_database) as session, path.open("rb") as stream:
        upload(session, SYSTEM, stream, name="a.csv", folder=tmp_path / "kept", source="", mapping={}, now=now)
    sweep.run(own_database, JOBS[0], now)
    with Session(own_database) as session:
        done = session.exec(select(VoiceImport)).one()
        assert done.state == "failed"
        assert "text" in done.failure


@given(st.text(max_size=30))
def test_no_cell_of_the_reject_file_is_a_formula(cell: str) -> None:
    assert not rejects.guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


@given(st.datetimes(min_value=datetime(2000, 1, 2), max_value=datetime(2100, 1, 1)))
def test_an_instant_written_the_chinese_way_is_read_back(at: datetime) -> None:
    at = at.replace(microsecond=0)
    for form in ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H时%M分%S秒", "%Y-%m-%dT%H:%M:%S"):
        told: Any = rows.instant(at.strftime(form))
        assert told.replace(tzinfo=None) == at
