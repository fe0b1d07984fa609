"""The first page: each figure of the last hours opens the list that makes it."""

import csv
import html
import re
from datetime import timedelta

from sqlmodel import select

from experience.ground.store import transaction
from experience.orders.tables import WorkOrder
from experience.organisation.permissions import SYSTEM
from experience.voices import operations
from experience.voices.intake import VoiceIn
from tests.experience.web.staff import Office, Staff
from tests.experience.web.test_order_pages import dispatched

HEARD = ("充值扣了钱不到账，太失望了", "宽带师傅态度很好，很满意", "流量乱扣费，没人管")


def _heard(office: Office, hours: int) -> None:
    """All that is heard, so many hours ago."""
    with transaction(office.engine) as session:
        told = [VoiceIn(text, "hotline", at=office.now - timedelta(hours=hours)) for text in HEARD]
        voices = [operations.hear(session, SYSTEM, one, now=office.now) for one in told]
        operations.read_now(session, voices, now=office.now)


def _shown(staff: Staff, link: str) -> int:
    """How many rows the list behind a link holds, as its export gives them."""
    path, _, query = html.unescape(link).partition("?")
    return len(list(csv.reader(staff.see(f"{path}/export.csv?{query}").splitlines()))) - 1


def test_each_figure_of_the_last_day_opens_as_many_rows(office: Office) -> None:
    for hours in (1, 30, 60):
        _heard(office, hours)
    for hours in (1, 30):
        code = dispatched(office)
        with transaction(office.engine) as session:
            order = session.exec(select(WorkOrder).where(WorkOrder.code == code)).one()
            order.dispatched_at = order.breached_at = office.now - timedelta(hours=hours)
    lin = office.staff("lin")
    figures = re.findall(r'<td class="num"><a href="([^"]+)"><b>(\d+)</b>', lin.see("/"))
    assert [int(n) for _, n in figures][:2] == [3, 2]
    assert len(figures) == 5
    assert [_shown(lin, link) for link, _ in figures] == [int(n) for _, n in figures]
    assert "近 24 小时" in lin.see(html.unescape(figures[0][0]))


def test_what_waits_of_three_days_opens_three_days(office: Office) -> None:
    for hours in (1, 60, 80):
        with transaction(office.engine) as session:
            told = VoiceIn("再不退钱我就向工信部投诉，找媒体曝光", "hotline", at=office.now - timedelta(hours=hours))
            operations.read_now(session, [operations.hear(session, SYSTEM, told, now=office.now)], now=office.now)
    lin = office.staff("lin")
    needed = re.findall(r'<a class="need"[^>]* href="(/voices[^"]+)"><span[^>]*>(\d+)</span>', lin.see("/"))
    assert ("/voices?urgency=2&amp;hours=72", "2") in needed
    assert [_shown(lin, link) for link, _ in needed] == [int(n) for _, n in needed]
