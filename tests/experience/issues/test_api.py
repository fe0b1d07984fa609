"""The API of issues: raised from voices, changed with a version, closed with a reason, seen by whom it concerns."""

from typing import Any

import pytest

from tests.experience.voices.conftest import Web


def ask(web: Web, method: str, path: str, body: Any = None, *, login: str = "lin", status: int = 200) -> Any:
    answer = web.client.open(f"/api/v1{path}", method=method, json=body, headers=web.bearer(login))
    assert answer.status_code == status, answer.text
    return answer.json


def raised(web: Web, **more: Any) -> Any:
    said = {"text": "充值话费扣了钱不到账", "source": "app", "touchpoint": "web.recharge", "province": "guangdong"}
    voice = ask(web, "POST", "/voices", said, status=201)["id"]
    body = {"title": "网厅充值扣款不到账", "severity": 2, "touchpoint": "web.recharge", "voices": [voice], **more}
    return ask(web, "POST", "/issues", body, status=201)


def test_an_issue_is_raised_from_voices(web: Web) -> None:
    issue = raised(web)
    assert (issue["state"], issue["severity"], issue["province"], issue["voice_count"]) == ("open", 2, "guangdong", 1)
    assert issue["voices"][0]["reading"]["label"] == "negative"
    assert ask(web, "GET", f"/issues/{issue['code']}") == issue
    assert [i["code"] for i in ask(web, "GET", "/issues?state=live&touchpoint=web.recharge")["items"]] == [
        issue["code"]
    ]


def test_without_a_severity_one_is_suggested_with_its_reason(web: Web) -> None:
    issue = raised(web, severity=None)
    assert 1 <= issue["severity"] <= 4
    assert issue["severity_reason"]


def test_another_province_sees_no_issue(web: Web) -> None:
    code = raised(web)["code"]
    ask(web, "GET", f"/issues/{code}", login="wang", status=404)
    assert ask(web, "GET", "/issues", login="wang")["items"] == []
    assert ask(web, "GET", f"/issues/{code}", login="zhou")["code"] == code


def test_a_stale_version_is_answered_with_the_state_now(web: Web) -> None:
    code = raised(web)["code"]
    ask(web, "PATCH", f"/issues/{code}", {"version": 1, "severity": 1})
    told = ask(web, "PATCH", f"/issues/{code}", {"version": 1, "severity": 3}, status=409)
    assert told["version"] == 2


def test_an_issue_is_closed_with_a_reason_and_reopened(web: Web) -> None:
    code = raised(web)["code"]
    ask(web, "PATCH", f"/issues/{code}", {"state": "dismissed"}, status=422)
    assert ask(web, "PATCH", f"/issues/{code}", {"state": "dismissed", "reason": "系统维护"})["state"] == "dismissed"
    assert ask(web, "PATCH", f"/issues/{code}", {"state": "solved", "reason": "已修复"}, status=409)["allowed"] == [
        "reopen"
    ]
    assert ask(web, "PATCH", f"/issues/{code}", {"state": "open", "reason": "又出现了"})["state"] == "open"


def test_a_change_that_fails_leaves_nothing_half_done(web: Web) -> None:
    code = raised(web)["code"]
    ask(web, "PATCH", f"/issues/{code}", {"title": "新标题", "voices": [999_999]}, status=404)
    assert ask(web, "GET", f"/issues/{code}")["title"] == "网厅充值扣款不到账"


def test_two_issues_become_one(web: Web) -> None:
    one, other = raised(web)["code"], raised(web)["code"]
    merged = ask(web, "PATCH", f"/issues/{one}", {"merge_into": other})
    assert (merged["code"], merged["voice_count"]) == (other, 2)
    assert ask(web, "GET", f"/issues/{one}")["merged_into"] == other


@pytest.mark.parametrize(
    "body",
    [
        {}, {"title": ""}, {"title": "长" * 121}, {"title": "慢了", "severity": 0}, {"title": "慢了", "severity": "x"},
        {"title": "慢了", "voices": [0]}, {"title": "慢了", "voices": [2**63]}, {"title": "慢了", "voices": ["a"]},
        {"title": "慢了", "unknown": 1}, {"title": "慢了", "stage": "x"},
    ],
)  # fmt: skip
def test_what_is_no_issue_is_refused(web: Web, body: Any) -> None:
    assert ask(web, "POST", "/issues", body, status=422)["errors"]


def test_who_may_not_triage(web: Web) -> None:
    ask(web, "POST", "/issues", {"title": "充值不到账"}, login="viewer", status=403)
    assert web.client.get("/api/v1/issues").status_code == 401


def test_a_province_may_be_told_by_name_and_must_be_one(web: Web) -> None:
    code = raised(web, province="广东省")["code"]
    assert ask(web, "GET", f"/issues/{code}", login="zhou")["province"] == "guangdong"
    told = ask(web, "PATCH", f"/issues/{code}", {"province": "亚特兰蒂斯"}, status=422)
    assert told["errors"][0]["field"] == "province"
    assert ask(web, "PATCH", f"/issues/{code}", {"province": "湖南"})["province"] == "hunan"
    ask(web, "GET", f"/issues/{code}", login="wang")


@pytest.mark.parametrize("severity", [True, 1.5, "2", 0, 5])
def test_a_severity_is_a_whole_number_from_one_to_four(web: Web, severity: Any) -> None:
    ask(web, "POST", "/issues", {"title": "充值不到账", "severity": severity}, status=422)
