"""What the database will not hold or cannot answer is told as such, to people and to programs."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine

from experience.ground.config import Settings
from experience.ground.store import transaction
from experience.organisation.operations import issue_token
from experience.organisation.permissions import SYSTEM
from experience.web import assembly
from experience.web.api.contract import cursor_of
from tests.experience.web.staff import Office


@pytest.mark.parametrize("page", ["/issues?topic=%00", "/orders?q=%00", "/voices?source=%00", "/rants?touchpoint=%00"])
def test_a_page_asked_for_with_nul_says_what_is_wrong(office: Office, page: str) -> None:
    assert "提交的内容有误" in office.staff("lin").see(page, status=422)


def test_a_refusal_stands_in_the_readers_own_frame_and_names_no_code(office: Office) -> None:
    lin = office.staff("lin")
    told = lin.see("/audit", status=403)
    assert "您没有“审计”的这项权限" in told
    assert "audit.read" not in told
    assert 'id="menu"' in told
    assert 'id="menu"' in lin.see("/orders/none", status=404)
    assert 'id="menu"' not in lin.see("/rants/none", status=404)
    assert "去吐槽专区" in office.app.test_client().get("/rants/none").text


@pytest.mark.parametrize(
    ("subject", "parts"),
    [
        ("orders", (10**30,)),
        ("orders", (True,)),
        ("units", ("\ud800",)),
        ("notices", ("2026-11-22T00:00:00+00:00", 10**30)),
        ("notices", ("2026-11-22T00:00:00+00:00", True)),
    ],
)
def test_a_cursor_we_did_not_make_is_refused_as_invalid(office: Office, subject: str, parts: tuple[object]) -> None:
    with transaction(office.engine) as session:
        bearer = {"Authorization": f"Bearer {issue_token(session, SYSTEM, 'lin', now=office.now)}"}
    answer = office.app.test_client().get(f"/api/v1/{subject}?cursor={cursor_of(*parts)}", headers=bearer)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/v/abc", "/api/v1/me"])
def test_a_database_that_does_not_answer_asks_to_come_back(tmp_path: Path, path: str) -> None:
    app = assembly.make(Settings(home=tmp_path), create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nowhere"))
    answer = app.test_client().get(path, headers={"Authorization": "Bearer hs_unknown"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
