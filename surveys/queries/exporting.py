"""Answers as a table: one row a response, one column an item, as csv or xlsx, harmless to spreadsheets."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy
from openpyxl import Workbook
from sqlmodel import Session, col

from analysis.normalise import mask
from experience.organisation.permissions import Scope
from surveys.definition import SurveyDefinition, in_language
from surveys.queries.numbers import Filter, counted
from surveys.tables import Answer, Publication, Response, Survey

BATCH = 1_000
#: What makes a spreadsheet take a cell for a formula, full-width forms included (some spreadsheets fold them).
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
HEAD = ("答卷", "时间", "版本", "渠道", "触点", "省份", "样本", "用时（秒）")

Cell = str | int | float | None


def harmless(value: str) -> str:
    """A text that no spreadsheet runs: an apostrophe before what would begin a formula."""
    return f"'{value}" if value.startswith(DANGEROUS) else value


def rows(
    session: Session, scope: Scope, survey: Survey, definition: SurveyDefinition, wanted: Filter
) -> Iterator[list[Cell]]:
    """The heading and one row for each counted response, oldest first; words are masked."""
    items = [item for item in definition.items if item.type != "statement"]
    yield [*HEAD, *(f"{item.id} {in_language(item.title, definition.default_lang)}" for item in items)]
    last = 0
    while batch := _batch(session, scope, survey, wanted, last):
        last = batch[-1][0].id
        answers = _answers(session, [response.id for response, _ in batch])
        for response, version in batch:
            given = answers.get(response.id, {})
            yield [*_head(response, version), *(_cell(given.get(item.id)) for item in items)]


def _batch(session: Session, scope: Scope, survey: Survey, wanted: Filter, last: int) -> list[Any]:
    found = session.execute(
        sqlalchemy.select(Response, col(Publication.version))
        .join(Publication, col(Publication.id) == col(Response.publication_id))
        .where(*counted(scope, survey, wanted), col(Response.id) > last)
        .order_by(col(Response.id))
        .limit(BATCH)
    )
    return list(found)


def _answers(session: Session, response_ids: list[int]) -> dict[int, dict[str, Answer]]:
    found: dict[int, dict[str, Answer]] = {}
    wanted = sqlalchemy.select(Answer).where(col(Answer.response_id).in_(response_ids), ~col(Answer.is_inactive))
    for answer in session.execute(wanted).scalars():
        found.setdefault(answer.response_id, {})[answer.item] = answer
    return found


def _head(response: Response, version: int) -> list[Cell]:
    return [
        response.code,
        response.at.strftime("%Y-%m-%d %H:%M:%S"),
        version,
        response.channel,
        harmless(response.touchpoint),
        harmless(response.province),
        response.sample_class,
        response.seconds,
    ]


def _cell(answer: Answer | None) -> Cell:
    if answer is None:
        return None
    if answer.number is not None:
        return int(answer.number)
    chosen = "；".join(_said(option) for option in answer.options)
    words = mask(answer.text) if answer.text else ""
    return harmless("：".join(part for part in (chosen, words) if part))


def _said(option: Mapping[str, str]) -> str:
    return f"{option['row_text']}：{option['text']}" if option.get("row_text") else option["text"]


def as_csv(table: Iterable[list[Cell]]) -> Iterator[bytes]:
    """The table as UTF-8 with a byte-order mark, piece by piece: Excel in China would take it for GB18030 without."""
    yield b"\xef\xbb\xbf"
    for row in table:
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow(["" if cell is None else cell for cell in row])
        yield line.getvalue().encode()


def as_xlsx(table: Iterable[list[Cell]]) -> Iterator[bytes]:
    """The table as a workbook; text cells are text, whatever they look like."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("答卷")
    for row in table:
        sheet.append(row)
    kept = io.BytesIO()
    book.save(kept)
    yield kept.getvalue()


#: format -> (writer, media type)
WRITERS: Mapping[str, tuple[Callable[[Iterable[list[Cell]]], Iterator[bytes]], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
