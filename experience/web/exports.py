"""Lists as files: exactly what the filters of the list show, all pages of it, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence

from flask import Blueprint, Response, stream_with_context
from flask_babel import gettext

from experience.audit.operations import record
from experience.reports.queries import orders as order_reads
from experience.voices import queries
from experience.voices.importers.rejects import guarded
from experience.voices.queries import Heard
from experience.web import door, kit
from experience.web.orders import wanted
from experience.web.saying import beijing, word
from experience.web.voices import filters
from experience.web.words import N_

bp = Blueprint("exports", __name__)

BATCH = 500
_WHEN = "%Y-%m-%d %H:%M"
_VOICE_HEAD = (
    N_("编号"), N_("时间"), N_("来源"), N_("触点"), N_("省分"), N_("情感"), N_("得分"), N_("主题"), N_("紧急程度"),
    N_("意图"), N_("关键词"), N_("内容"),
)  # fmt: skip
_ORDER_HEAD = (
    N_("编号"), N_("标题"), N_("类型"), N_("状态"), N_("承办单位"), N_("经办人"), N_("问题"), N_("严重程度"),
    N_("派单时间"), N_("办结时限"), N_("超时时间"), N_("回单时间"), N_("催办"), N_("驳回"), N_("督办"), N_("强派"),
)  # fmt: skip


@bp.get("/voices/export.csv")
@door.requires("voices.read")
def voices() -> Response:
    """The voices that the stream's filters show, unfolded; masked as on the page."""
    chosen = filters()

    def rows() -> Iterator[Sequence[object]]:
        cursor: str | None = ""
        while cursor is not None:
            page = queries.page(door.db(), door.scope(), chosen, cursor=cursor, limit=BATCH)
            yield from (_voice(heard) for heard in page.items)
            cursor = page.next

    return _file("voices", _VOICE_HEAD, rows)


def _voice(heard: Heard) -> Sequence[object]:
    voice, reading = heard.voice, heard.reading
    said = (voice.code, beijing(voice.at, _WHEN), word(voice.source, "source"), kit.touchpoint_name(voice.touchpoint))
    place = word(voice.province, "province") if voice.province else ""
    if reading is None:
        return (*said, place, "", "", "", "", "", "", voice.masked)
    read = (word(reading.label, "label"), round(reading.sentiment, 3), word(reading.topic, "topic"))
    more = (word(reading.urgency, "urgency"), word(reading.intent, "intent"), " ".join(reading.keywords))
    return (*said, place, *read, *more, voice.masked)


@bp.get("/orders/export.csv")
@door.requires("orders.read")
def orders() -> Response:
    """The orders that the list's filters show."""
    chosen = wanted()

    def rows() -> Iterator[Sequence[object]]:
        cursor: str | None = ""
        while cursor is not None:
            page, cursor = order_reads.orders(
                door.db(), door.scope(), chosen, now=door.now(), cursor=cursor, limit=BATCH
            )
            yield from (_order(line) for line in page)

    return _file("orders", _ORDER_HEAD, rows)


def _order(o: order_reads.OrderLine) -> Sequence[object]:
    at = [beijing(i, _WHEN) if i else "" for i in (o.dispatched_at, o.due_at, o.breached_at, o.submitted_at)]
    named = (o.code, o.title, word(o.type, "type"), word(o.state, "order"), kit.unit_name(o.unit_id), o.handler)
    flags = ("是" if o.is_supervised else "", "是" if o.is_forced else "")
    return (*named, o.issue_code, word(o.severity, "severity"), *at, o.urge_count, o.reject_count, *flags)


def _file(name: str, head: Iterable[str], rows: Callable[[], Iterator[Sequence[object]]]) -> Response:
    """A CSV that Excel opens as UTF-8, sent while it is read; the act of taking it away is in the audit."""
    record(door.db(), door.scope(), f"{name}.export", (name, "list"), now=door.now())
    door.commit()

    def lines() -> Iterator[str]:
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        buffer.write("\ufeff")
        writer.writerow([gettext(title) for title in head])
        for row in rows():
            writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])
            if buffer.tell() > 65536:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    file = f"{name}-{beijing(door.now(), '%Y%m%d-%H%M')}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Response(stream_with_context(lines()), mimetype="text/csv", headers=headers)
