"""Topics as files: exactly the tables a page shows, as CSV or as a workbook."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile

from flask import Blueprint, Response, abort, stream_with_context
from flask_babel import gettext
from openpyxl import Workbook

from analysis.topics import TOPICS
from experience.audit.operations import record
from experience.voices import trends
from experience.voices.gist import Part
from experience.voices.importers.rejects import guarded
from experience.voices.trends import Line
from experience.web import door
from experience.web.saying import aspect, beijing, word
from experience.web.topics import GROUPS, about_of, asked, grid_of, line_of, lines_of, place_names
from experience.web.words import N_

bp = Blueprint("topic_files", __name__, url_prefix="/topics")

_HEAD = (
    N_("主题"), N_("原声"), N_("不同说法"), N_("占比"), N_("上期占比"), N_("占比变化"), N_("变化下限"), N_("变化上限"),
    N_("负面"), N_("负面占比"), N_("负面下限"), N_("负面上限"), N_("平均情感"), N_("突增日"),
)  # fmt: skip
_DAY_HEAD = (N_("日期"), N_("原声"), N_("不同说法"), N_("负面"), N_("正面"), N_("平均情感"), N_("突增"))
_PART_HEAD = (N_("名称"), N_("原声"), N_("负面"), N_("正面"))
_PIECE = 65_536
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Row = Sequence[object]
Sheet = tuple[str, Iterable[Row]]


@bp.get("/export.<any(csv, xlsx):kind>")
@door.requires("voices.read")
def every(kind: str) -> Response:
    """The map's table and the grid as they are shown."""
    view = asked()
    grid, name = grid_of(view), place_names(view)
    places = [gettext(GROUPS[view.by]), gettext("合计"), *(word(topic, "topic") for topic in grid.topics)]
    rows = [[name.get(p, p) or gettext("未注明"), t.n, *(cell.tally.n for cell in cells)] for p, t, cells in grid.rows]
    return _file(
        "topics",
        [
            (gettext("主题"), [_titles(_HEAD), *map(_line, lines_of(view))]),
            (gettext("主题分布"), [places, *rows]),
        ],
        kind,
    )


@bp.get("/<code>/export.<any(csv, xlsx):kind>")
@door.requires("voices.read")
def one(code: str, kind: str) -> Response:
    """One topic's days, its second-level topics, aspects and words."""
    if code not in TOPICS:
        abort(404)
    view = asked()
    line, (about, _) = line_of(view, code), about_of(view, code)
    return _file(
        f"topic-{code}",
        [
            (gettext("每日"), [_titles(_DAY_HEAD), *_days(line, view.span)]),
            (gettext("二级主题"), [_titles(_PART_HEAD), *map(_part, about.details)]),
            (gettext("评价对象"), [_titles(_PART_HEAD), *map(_part, about.aspects)]),
            (gettext("关键词"), [[gettext("关键词"), gettext("原声")], *about.words]),
        ],
        kind,
    )


def _titles(head: Iterable[str]) -> list[str]:
    return [gettext(title) for title in head]


def _line(line: Line) -> Row:
    bad, change = line.now.negative_share, line.change
    return (
        word(line.topic, "topic"), line.now.n, line.now.texts, round(line.share.value, 4),
        round(line.share.value - change.value, 4) if change else "",
        *([round(value, 4) for value in (change.value, change.low, change.high)] if change else ["", "", ""]),
        line.now.negative, *([round(value, 4) for value in (bad.value, bad.low, bad.high)] if bad else ["", "", ""]),
        _mean(line.now), " ".join(day.isoformat() for day in line.bursts),
    )  # fmt: skip


def _days(line: Line, span: trends.Span) -> Iterator[Row]:
    for day, tally in zip(span, line.days, strict=True):
        burst = gettext("突增") if day in line.bursts else ""
        yield (day.isoformat(), tally.n, tally.texts, tally.negative, tally.positive, _mean(tally), burst)


def _mean(tally: trends.Tally) -> float | str:
    return "" if tally.mean is None else round(tally.mean, 3)


def _part(part: Part) -> Row:
    return (aspect(part.name) or gettext("未细分"), part.n, part.bad, part.good)


def _file(name: str, sheets: Sequence[Sheet], kind: str) -> Response:
    """The sheets as one file; the act of taking it away is in the audit."""
    record(door.db(), door.scope(), "topics.export", ("topics", name), now=door.now())
    door.commit()
    pieces, mime = (_workbook(sheets), _XLSX) if kind == "xlsx" else (_csv(sheets), "text/csv")
    file = f"{name}-{beijing(door.now(), '%Y%m%d-%H%M')}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Response(stream_with_context(pieces), mimetype=mime, headers=headers)


def _safe(row: Row) -> list[object]:
    return [guarded(cell) if isinstance(cell, str) else cell for cell in row]


def _csv(sheets: Sequence[Sheet]) -> Iterator[str]:
    """The sheets one after the other, each under its title, for Excel as UTF-8."""
    yield "\ufeff"
    for title, rows in sheets:
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow([title])
        writer.writerows(_safe(row) for row in rows)
        writer.writerow([])
        yield buffer.getvalue()


def _workbook(sheets: Sequence[Sheet]) -> Iterator[bytes]:
    book = Workbook(write_only=True)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(_safe(row))
    with SpooledTemporaryFile(max_size=16 * _PIECE) as file:
        book.save(file)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece
