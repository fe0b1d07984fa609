"""Orders over HTTP for programs: what an act answers, how it is refused, and what it costs."""

from typing import Any

import pytest
from sqlmodel import Session

from experience.issues.operations import IssueIn, raise_issue
from experience.orders.operations import DispatchIn, dispatch
from experience.organisation import operations as organisation
from experience.organisation.permissions import SYSTEM
from tests.experience.orders.test_speed import counted
from tests.experience.web.staff import Office

REPLY: dict[str, Any] = {"note": "回调超时", "cause": "system", "measure": "扩容队列", "contacted": True}


class Programs:
    """Programs of several people, each with a token, and one order to Guangdong."""

    def __init__(self, office: Office) -> None:
        self.office, self.client, self.tokens = office, office.app.test_client(), dict[str, str]()
        with Session(office.engine) as session:
            told = IssueIn("充值不到账", province="guangdong", touchpoint="web.recharge")
            issue = raise_issue(session, SYSTEM, told, now=office.now)
            wanted = DispatchIn(("guangdong",), "complaint", "请核查")
            order = dispatch(session, SYSTEM, issue.id or 0, wanted, now=office.now)
            self.code, self.issue, self.version = order.code, issue.code, order.version
            for login in ("lin", "zhou", "approver", "wang"):
                self.tokens[login] = organisation.issue_token(session, SYSTEM, login, now=office.now)
            session.commit()

    def ask(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {self.tokens[who]}", **headers}
        return self.client.open(path, method=method, json=body, headers=sent)

    def act(self, who: str, action: str, version: int | None = None, **fields: Any) -> Any:
        body = {"action": action, "version": self.version if version is None else version, **fields}
        answer = self.ask(who, "POST", f"/api/v1/orders/{self.code}/actions", body)
        if answer.status_code == 200:
            self.version = answer.json["version"]
        return answer


@pytest.fixture
def programs(office: Office) -> Programs:
    return Programs(office)


def test_an_accept_costs_five_statements(programs: Programs, office: Office) -> None:
    programs.ask("zhou", "GET", f"/api/v1/orders/{programs.code}")
    body = {"action": "accept", "version": programs.version}
    with counted(office.engine) as seen:
        answer = programs.ask(
            "zhou", "POST", f"/api/v1/orders/{programs.code}/actions", body, **{"Idempotency-Key": "once"}
        )
    assert (answer.status_code, answer.json["state"]) == (200, "processing")
    assert len(seen) == 5, seen  # who asks and with which key, the order, the act, its history, the answer kept


def test_what_an_act_answers_is_what_looking_answers(programs: Programs) -> None:
    done = programs.act("zhou", "accept")
    assert done.json == programs.ask("zhou", "GET", f"/api/v1/orders/{programs.code}").json
    assert "submit" in done.json["allowed"]
    assert {
        "kind",
        "unit",
        "started_at",
        "due_at",
        "original_due_at",
        "state",
        "breached_at",
        "provisional",
        "marks",
    } <= set(done.json["clocks"][0])


def test_a_stale_version_tells_state_version_and_what_is_allowed(programs: Programs) -> None:
    stale = programs.version
    programs.act("zhou", "accept")
    refused = programs.act("zhou", "accept", stale)
    assert (refused.status_code, refused.mimetype) == (409, "application/problem+json")
    assert (refused.json["state"], refused.json["version"]) == ("processing", programs.version)
    assert "submit" in refused.json["allowed"]


def test_an_act_the_state_does_not_know_is_a_conflict(programs: Programs) -> None:
    refused = programs.act("lin", "confirm")
    assert refused.status_code == 409
    assert refused.json["state"] == "dispatched"


def test_the_wrong_person_is_forbidden_and_another_province_finds_nothing(programs: Programs) -> None:
    assert programs.act("lin", "accept").status_code == 403
    assert programs.act("wang", "accept").status_code == 404
    assert programs.ask("wang", "GET", f"/api/v1/orders/{programs.code}").status_code == 404


def test_missing_unknown_and_unsound_fields_are_each_named(programs: Programs) -> None:
    programs.act("zhou", "accept")
    refused = programs.act("zhou", "submit", note="查了", contacted="yes", colour="red")
    assert refused.status_code == 422
    assert {error["field"] for error in refused.json["errors"]} == {"cause", "measure", "contacted", "colour"}
    assert programs.act("zhou", "dance").status_code == 422
    unknown = programs.act("zhou", "transfer", unit="atlantis", reason="x")
    assert (unknown.status_code, unknown.json["errors"][0]["field"]) == (422, "unit")
    assert "atlantis" in unknown.json["detail"]


def test_an_unknown_unit_type_or_policy_is_refused_and_nothing_is_dispatched(programs: Programs) -> None:
    path = f"/api/v1/issues/{programs.issue}/dispatch"
    for body in (
        {"unit": "atlantis", "type": "complaint", "instructions": "请核查"},
        {"unit": "hunan", "type": "party", "instructions": "请核查"},
        {"unit": "hunan", "type": "complaint", "instructions": "请核查", "policy": "none"},
        {"unit": "centre", "type": "complaint", "instructions": "请核查"},
    ):
        assert programs.ask("lin", "POST", path, body).status_code == 422, body
    assert len(programs.ask("lin", "GET", "/api/v1/orders").json["items"]) == 1


def test_a_reply_goes_through_the_internal_review_to_the_centre(programs: Programs) -> None:
    programs.act("zhou", "accept")
    assert programs.act("zhou", "reply", **REPLY).json["state"] == "internal_review"
    assert programs.act("approver", "reject_internal", reason="请补充").json["state"] == "processing"
    programs.act("zhou", "reply", **REPLY)
    assert programs.act("approver", "approve_internal").json["state"] == "submitted"
    rejected = programs.act("lin", "reject", reason="请补充凭证").json
    assert (rejected["state"], rejected["rejects"]) == ("processing", 1)


def test_two_returns_force_the_next_dispatch(programs: Programs) -> None:
    request = programs.act("zhou", "return", reason="不归本省").json["requests"][-1]["id"]
    path = f"/api/v1/orders/{programs.code}/requests/{request}"
    assert programs.ask("zhou", "POST", path, {"decision": "approve", "reason": "好"}).status_code == 403
    refused = programs.ask("lin", "POST", path, {"decision": "reject", "reason": "属地在贵省"})
    programs.version = refused.json["version"]
    request = programs.act("zhou", "return", reason="再退").json["requests"][-1]["id"]
    path = path.rpartition("/")[0] + f"/{request}"
    decided = programs.ask("lin", "POST", path, {"decision": "approve", "reason": "同意"})
    assert decided.json["state"] == "returned"
    programs.version = decided.json["version"]
    sent_on = programs.act("lin", "dispatch", unit="guangdong", instructions="终审强派")
    assert (sent_on.json["state"], sent_on.json["forced"]) == ("dispatched", True)
    assert programs.act("zhou", "return", reason="还退").status_code == 409


def test_a_request_decided_already_tells_the_order_as_it_is(programs: Programs) -> None:
    request = programs.act("zhou", "return", reason="不归本省").json["requests"][-1]["id"]
    path = f"/api/v1/orders/{programs.code}/requests/{request}"
    programs.ask("lin", "POST", path, {"decision": "reject", "reason": "属地在贵省"})
    again = programs.ask("lin", "POST", path, {"decision": "approve", "reason": "同意"})
    assert (again.status_code, again.json["state"], again.json["version"]) == (409, "dispatched", 3)
    assert "urge" in again.json["allowed"]


@pytest.mark.parametrize(
    ("unit", "fields"),
    [("", ["unit"]), ("x" * 999, ["unit"]), (["hunan", ""], ["unit.1"]), (["", 3], ["unit.0", "unit.1"])],
)
def test_a_bad_unit_is_named_as_it_was_given(programs: Programs, unit: object, fields: list[str]) -> None:
    told = {"unit": unit, "type": "complaint", "instructions": "请核查"}
    refused = programs.ask("lin", "POST", f"/api/v1/issues/{programs.issue}/dispatch", told)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json["errors"]] == fields


@pytest.mark.parametrize("unit", [{}, {"hunan": 1}, 7, True])
def test_a_unit_of_no_known_type_is_named_without_the_types(programs: Programs, unit: object) -> None:
    told = {"unit": unit, "type": "complaint", "instructions": "请核查"}
    refused = programs.ask("lin", "POST", f"/api/v1/issues/{programs.issue}/dispatch", told)
    assert {error["field"] for error in refused.json["errors"]} == {"unit"}


def test_merging_into_another_unit_tells_what_is_allowed(programs: Programs) -> None:
    path = f"/api/v1/issues/{programs.issue}/dispatch"
    other = programs.ask("lin", "POST", path, {"unit": "hunan", "type": "complaint", "instructions": "请核查"})
    refused = programs.act("lin", "merge", into=other.json["code"])
    assert (refused.status_code, refused.json["state"], refused.json["version"]) == (409, "dispatched", 1)
    assert "merge" in refused.json["allowed"]


def test_an_unknown_unit_in_a_filter_is_named_in_words(programs: Programs) -> None:
    refused = programs.ask("lin", "GET", "/api/v1/orders?unit=atlantis")
    assert refused.status_code == 422
    assert refused.json["errors"] == [{"field": "unit", "message": "没有单位“atlantis”。"}]


def test_units_are_those_where_any_role_reaches(programs: Programs) -> None:
    def seen(who: str) -> set[str]:
        return {unit["code"] for unit in programs.ask(who, "GET", "/api/v1/units?limit=200").json["items"]}

    assert {"centre", "guangdong", "hunan"} <= seen("lin")
    assert {code.partition(".")[0] for code in seen("zhou")} == {"guangdong"}
