"""Pages of importing a file of voices: upload, check what would happen, bring it in, fetch what was refused."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext
from sqlmodel import col, select
from werkzeug.wrappers import Response as AnyResponse

from analysis import normalise
from experience.ground.config import settings
from experience.ground.errors import Invalid, NotFound
from experience.ground.i18n import say
from experience.voices import operations
from experience.voices.importers import columns, formats, rows
from experience.voices.intake import SOURCES
from experience.voices.tables import VoiceImport
from experience.web import door
from experience.web.saying import told

bp = Blueprint("imports", __name__, url_prefix="/voices/import")

SHOWN = 20
SAMPLE = 3  # rows of the file shown beside its columns
CELL = 60  # characters of a cell shown
REFUSED = 5  # refused rows told on the page; the file has them all
OPEN = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its header, the field it is taken for ('' for none), and its first cells, masked."""

    header: str
    field: str
    cells: Sequence[str]


@bp.get("")
@door.requires("voices.import")
def index() -> str:
    """The upload form and the latest imports."""
    return _index()


def _index(refused: str = "") -> str:
    latest = select(VoiceImport).order_by(col(VoiceImport.id).desc()).limit(SHOWN)
    scope = door.scope()
    if not scope.reach("voices.import").is_everything:
        latest = latest.where(VoiceImport.user_id == scope.user_id)
    return render_template(
        "voices/import.html",
        imports=door.db().exec(latest).all(),
        sources=[(code, name) for code, (name, _) in SOURCES.items()],
        refused=refused,
    )


@bp.post("")
@door.requires("voices.import")
def upload() -> AnyResponse | tuple[str, int]:
    """Keeps the file and has it tried without bringing anything in."""
    given = request.files.get("file")
    if given is None or not given.filename:
        return _index(told(say("请先选择要导入的文件。"))), 422
    try:
        kept = _kept(
            cast(BinaryIO, given.stream), given.filename, {}, source=request.form.get("source", ""), is_dry_run=True
        )
    except Invalid as refused:
        return _index(told(refused)), 422
    return redirect(url_for("imports.one", import_id=kept.id), 303)


@bp.get("/<int(max=9223372036854775807):import_id>")
@door.requires("voices.import")
def one(import_id: int) -> str:
    """What the file holds, what would become of it or became of it."""
    kept = _of(import_id)
    shown, fault = _columns(kept)
    return render_template(
        "voices/imported.html",
        kept=kept,
        columns=shown,
        fault=fault,
        fields=list(columns.HEADERS),
        refused=_refused(kept),
    )


@bp.get("/<int(max=9223372036854775807):import_id>/progress")
@door.requires("voices.import")
def progress(import_id: int) -> Response:
    """The counts alone, asked for again while the clock works on the file; then the whole page is asked for."""
    kept = _of(import_id)
    answer = Response(render_template("voices/_progress.html", kept=kept))
    if kept.state not in OPEN:
        answer.headers["HX-Refresh"] = "true"
    return answer


@bp.post("/<int(max=9223372036854775807):import_id>/again")
@door.requires("voices.import")
def again(import_id: int) -> AnyResponse:
    """The same file once more, with other columns or in earnest."""
    kept = _of(import_id)
    mapping = {
        header: field
        for header, field in zip(request.form.getlist("header"), request.form.getlist("field"), strict=False)
        if field in columns.HEADERS
    }
    is_dry_run = request.form.get("go") != "1"
    try:
        with Path(kept.path).open("rb") as stream:
            made = _kept(stream, kept.file_name, mapping, source=kept.source, is_dry_run=is_dry_run)
    except FileNotFoundError:
        raise NotFound(say("原文件已清理，请重新上传。")) from None
    flash(gettext("正在试运行。") if is_dry_run else gettext("正在导入，可以离开本页。"), "good")
    return redirect(url_for("imports.one", import_id=made.id), 303)


@bp.get("/<int(max=9223372036854775807):import_id>/rejects")
@door.requires("voices.import")
def rejects(import_id: int) -> Response:
    """The rows that were refused, each with its reason, as a file to mend and upload again."""
    kept = _of(import_id)
    if not kept.rejects_path or not Path(kept.rejects_path).exists():
        abort(404)
    name = f"{Path(kept.file_name).stem}.rejects.csv"
    return send_file(Path(kept.rejects_path).resolve(), mimetype="text/csv", as_attachment=True, download_name=name)


def _kept(stream: BinaryIO, name: str, mapping: dict[str, str], *, source: str, is_dry_run: bool) -> VoiceImport:
    kept = operations.upload(
        door.db(),
        door.scope(),
        stream,
        name=name,
        folder=settings().home / "imports",
        source=source,
        mapping=mapping,
        now=door.now(),
        is_dry_run=is_dry_run,
    )
    door.commit()
    return kept


def _of(import_id: int) -> VoiceImport:
    kept = door.db().get(VoiceImport, import_id)
    scope = door.scope()
    if kept is None or not (scope.reach("voices.import").is_everything or kept.user_id == scope.user_id):
        raise NotFound(say("没有这次导入。"))
    return kept


def _refused(kept: VoiceImport) -> list[tuple[str, str, str]]:
    """(number, reason, what it held, masked) of the first refused rows."""
    if kept.state in OPEN or not kept.rejects_path or not Path(kept.rejects_path).exists():
        return []
    with Path(kept.rejects_path).open(encoding="utf-8-sig", newline="") as file:
        lines = islice(csv.reader(file), 1, 1 + REFUSED)
        return [
            (number, reason, normalise.mask(" · ".join(filter(None, cells)))[:CELL]) for number, reason, *cells in lines
        ]


def _columns(kept: VoiceImport) -> tuple[list[Column], str]:
    """The file's columns with their first cells, and why it cannot be read, if it cannot."""
    if not Path(kept.path).exists():
        return [], ""
    try:
        file = formats.opened(Path(kept.path))
    except Invalid as refused:
        return [], told(refused)
    sample = list(islice(file.rows, SAMPLE))
    fault = ""
    try:
        places = {place: field for field, place in columns.placed(file.headers, kept.mapping).places.items()}
    except Invalid as refused:
        places, fault = {i: columns.recognised(h) for i, h in enumerate(file.headers)}, told(refused)
    return [
        Column(header, places.get(place, ""), [_cell(row, place) for row in sample])
        for place, header in enumerate(file.headers)
    ], fault


def _cell(row: rows.Row, place: int) -> str:
    return normalise.mask(rows.shown(row.cells[place]))[:CELL] if place < len(row.cells) else ""
