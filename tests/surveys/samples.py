"""Surveys for the tests, and a house to put them in."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from experience.organisation.permissions import SYSTEM
from experience.organisation.tables import Unit
from surveys import operations

RECHARGE: dict[str, Any] = {
    "schema": "cx-survey/1",
    "title": {"zh-CN": "充值体验"},
    "defaultLang": "zh-CN",
    "privacy": {"level": "pseudonymous", "retentionDays": 730},
    "blocks": [
        {
            "id": "b1",
            "items": [
                {
                    "id": "q1",
                    "type": "csat",
                    "metric": "csat.recharge",
                    "required": True,
                    "title": {"zh-CN": "刚才等待了 {{probe.seconds|较长时间}}，您对本次办理满意吗？"},
                },
                {
                    "id": "q2",
                    "type": "multi",
                    "max": 2,
                    "shuffle": {"keepLast": 1},
                    "showIf": {"ref": "a.q1", "op": "lte", "value": 3},
                    "title": {"zh-CN": "主要是哪些问题？"},
                    "options": [
                        {"id": "o_slow", "text": {"zh-CN": "页面太慢"}},
                        {"id": "o_fail", "text": {"zh-CN": "扣款后没到账"}},
                        {"id": "o_else", "text": {"zh-CN": "其他"}, "other": True},
                        {"id": "o_none", "text": {"zh-CN": "以上都不是"}, "exclusive": True},
                    ],
                },
                {
                    "id": "q3",
                    "type": "text",
                    "max": 500,
                    "analyse": True,
                    "title": {"zh-CN": "请告诉我们发生了什么"},
                    "showIf": {
                        "any": [
                            {"ref": "a.q1", "op": "lte", "value": 2},
                            {"ref": "a.q2", "op": "includesAny", "value": ["o_slow"]},
                        ]
                    },
                },
            ],
            "next": [{"if": {"ref": "a.q1", "op": "gte", "value": 4}, "to": "end_thanks"}],
        }
    ],
    "endings": [{"id": "end_thanks", "kind": "complete"}, {"id": "end_quota", "kind": "screenout"}],
    "distribution": {
        "channels": ["popover", "link", "api"],
        "audience": {"all": [{"ref": "tag.staff", "op": "ne", "value": True}]},
        "contact": {"holdout": 0},
    },
    "actions": [{"if": {"ref": "a.q1", "op": "lte", "value": 2}, "do": "voice"}],
}


def build_centre(session: Session) -> Unit:
    """The centre, the root of every organisation."""
    made = Unit(code="centre", name="体验中心", kind="centre", parent_id=None, path="/1/")
    session.add(made)
    session.flush()
    return made


def published(
    session: Session, now: datetime, *, code: str = "recharge", purpose: str = "transaction", **changes: Any
) -> None:
    """A published survey under this code; `changes` replace parts of the recharge survey."""
    unit = session.exec(select(Unit)).first() or build_centre(session)
    operations.create(session, SYSTEM, code, {**RECHARGE, **changes}, unit_id=unit.id or 0, purpose=purpose, now=now)
    operations.publish(session, SYSTEM, code, now=now)
