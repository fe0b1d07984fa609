"""The setup file: what stands in it is made once, and what cannot be is refused with its place."""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session

from experience.ground.errors import Invalid
from experience.setup import apply
from experience.touchpoints.tables import Site

CENTRE = {"code": "centre", "name": "集团客户体验管理中心", "kind": "centre"}
BASE = {"code": "migu", "name": "咪咕基地", "kind": "base", "parent": "centre"}
USER = {"login": "lin", "name": "林", "unit": "centre", "roles": ["triager"]}
TOUCHPOINT = {"code": "web.pay", "name": "缴费", "channel": "web"}
SITE = {"key": "shop", "name": "营业厅", "origins": ["http://shop.example"]}
MORNINGS = {"mon": [["09:00", "12:00"]]}
POLICY = {"code": "p", "name": "投诉", "clocks": {"accept": "1wh", "resolve": "8wh"}}


def test_a_file_may_be_applied_again(session: Session, now: datetime) -> None:
    document = {
        "calendars": [{"name": "mornings", "weekly": MORNINGS}],
        "policies": [POLICY],
        "units": [CENTRE, BASE | {"calendar": "mornings", "territory": None}],
        "users": [USER | {"email": None}],
        "touchpoints": [TOUCHPOINT],
        "sites": [SITE],
    }
    first = apply(session, document, now=now)
    assert apply(session, document, now=now) == first
    assert session.get_one(Site, "shop").origins == ["http://shop.example"]


@pytest.mark.parametrize(
    ("section", "entry"),
    [
        ("units", BASE | {"code": "a\0b"}),
        ("units", BASE | {"code": "a\ud800"}),
        ("units", BASE | {"name": 7}),
        ("units", BASE | {"internal_review": "yes"}),
        ("units", BASE | {"calendar": "nowhere"}),
        ("users", USER | {"roles": "triager"}),
        ("users", USER | {"unit": {"code": "centre"}}),
        ("touchpoints", TOUCHPOINT | {"steps": [1, {"a": "b"}]}),
        ("touchpoints", TOUCHPOINT | {"weight": float("nan")}),
        ("touchpoints", TOUCHPOINT | {"key": 1}),
        ("sites", SITE | {"origins": "http://shop.example"}),
        ("sites", SITE | {"origins": [5]}),
        ("calendars", {"name": "empty"}),
        ("calendars", {"name": "far", "weekly": MORNINGS, "zone": "Mars/Base"}),
        ("policies", POLICY | {"clocks": ["8wh"]}),
        ("policies", POLICY | {"match": {"type": {"a": "b"}}}),
        ("policies", POLICY | {"match": {"touchpoint": "\0"}}),
        ("policies", POLICY | {"position": 10**20}),
    ],
)
def test_what_a_field_cannot_hold_is_refused_with_its_place(
    session: Session, now: datetime, section: str, entry: dict[str, Any]
) -> None:
    apply(session, {"units": [CENTRE]}, now=now)
    with pytest.raises(Invalid, match=f"{section} 第 1 项"):
        apply(session, {section: [entry]}, now=now)
