"""Who may do what: every route of the whole application, for every person, by a table.

Each subject keeps its rows in `tests/matrix/<subject>.py`: `ROWS` of (method, rule, act), where the rule is written as
Flask has it and act is what the door demands: None for everybody, "" for any known caller. A route without a row fails,
a row without a route too. Objects in the paths are Guangdong's; 王 of Hunan must find nothing and read nothing of them.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

from experience.ground import store
from experience.organisation.permissions import ACTS
from tests import matrix, whole
from tests.conftest import NOW, _admin, address
from tests.people import PEOPLE, someone
from tests.whole import MARK, Whole

ROWS: dict[tuple[str, str], str | None] = {
    (row[0], row[1]): row[2]
    for found in pkgutil.iter_modules(matrix.__path__)
    for row in importlib.import_module(f"tests.matrix.{found.name}").ROWS
}
_REFUSALS = (401, 403)
#: Rule prefix -> what stands for its first parameter.
OBJECTS = {
    "/orders/<": "order", "/desk/<": "order", "/api/v1/orders/<": "order",
    "/issues/<": "issue", "/api/v1/issues/<": "issue",
    "/voices/<": "voice", "/api/v1/voices/<": "voice",
}  # fmt: skip
FIRST = {
    "/admin/units/": "hunan", "/admin/users/": "spare", "/touchpoints/": "web.recharge", "/topics/<": "billing",
}  # fmt: skip
SECOND = {"action": "accept", "what": "accept", "request_id": "1", "filename": "app.css", "kind": "csv"}
#: What a program must send so that only the object's place decides.
BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/orders/<code>/actions": {"action": "accept", "version": 1},
    "/api/v1/orders/<code>/requests/<int:request_id>": {"decision": "approve", "reason": "同意"},
    "/api/v1/issues/<code>/dispatch": {"unit": "hunan", "type": "experience", "instructions": "x"},
    "/api/v1/voices/<int:voice_id>/reading": {"label": "positive"},
    "/api/v1/voices/<int:voice_id>/unmask": {"reason": "回访"},
}
_PARAMETER = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")


@pytest.fixture(scope="module")
def house(server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    name = f"{template}_matrix"
    _admin(server, f"create database {name} template {template}")
    engine = store.engine(address(server, name))
    made = whole.make(engine, tmp_path_factory.mktemp("home"), NOW)
    yield made
    whole.security.limiter.enabled = True
    engine.dispose()
    made.app.extensions["huisheng.engine"].dispose()
    _admin(server, f"drop database {name} with (force)")


def _path(rule: str, facts: dict[str, str]) -> str:
    kind = next((kind for prefix, kind in OBJECTS.items() if rule.startswith(prefix)), None)
    first = next((value for prefix, value in FIRST.items() if rule.startswith(prefix)), None)
    names = iter(_PARAMETER.findall(rule))
    filled = rule
    for number, (_, name) in enumerate(names):
        value = SECOND.get(name, "1")
        if number == 0 and kind is not None and name in ("code", "voice_id"):
            value = facts[kind]
        elif number == 0 and first is not None:
            value = first
        if "any(" in rule and name == "what":
            value = re.findall(r"any\((\w+)", rule)[0]
        filled = _PARAMETER.sub(value, filled, count=1)
    return filled


def _ask(house: Whole, who: str | None, method: str, rule: str) -> Any:
    more = {"json": BODIES.get(rule, {})} if rule.startswith("/api/") and method != "GET" else {}
    return house.ask(who, method, _path(rule, house.facts), **more)


def _may(login: str, act: str | None) -> bool:
    scope = someone(*PEOPLE[login][2], user_id=1)
    return not act or scope.may(act)


def test_every_route_has_a_row_and_every_row_a_route(house: Whole) -> None:
    routes = {
        (method, rule.rule)
        for rule in house.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert sorted(routes - ROWS.keys()) == []
    assert sorted(ROWS.keys() - routes) == []


def test_every_act_of_a_row_exists() -> None:
    assert {act for act in ROWS.values() if act} <= ACTS.keys()


@pytest.mark.parametrize(("method", "rule"), sorted(ROWS), ids=str)
def test_the_door_lets_in_who_holds_the_act_and_nobody_else(house: Whole, method: str, rule: str) -> None:
    act = ROWS[method, rule]
    wrong = []
    for login in PEOPLE:
        answer = _ask(house, login, method, rule)
        is_in = answer.status_code not in _REFUSALS
        if answer.status_code >= 500 and rule != "/healthz":
            wrong.append((login, answer.status_code, answer.text[-300:]))
        elif not _may(login, act) and is_in:
            wrong.append((login, answer.status_code, "let in"))
        elif method == "GET" and _may(login, act) and not is_in:
            wrong.append((login, answer.status_code, "kept out"))
    assert wrong == []


@pytest.mark.parametrize(("method", "rule"), sorted(key for key, act in ROWS.items() if act is not None))
def test_nobody_known_is_let_in_nowhere(house: Whole, method: str, rule: str) -> None:
    answer = _ask(house, None, method, rule)
    if rule.startswith("/api/"):
        assert answer.status_code == 401
    else:
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login?next=")


@pytest.mark.parametrize(("method", "rule"), sorted(key for key, act in ROWS.items() if act))
def test_a_narrowed_token_opens_only_what_it_names(house: Whole, method: str, rule: str) -> None:
    answer = _ask(house, "narrowed", method, rule)
    assert (answer.status_code == 403) == (ROWS[method, rule] != "touchpoints.read"), answer.status_code


@pytest.mark.parametrize(("method", "rule"), sorted(ROWS))
def test_another_province_finds_and_reads_nothing_of_guangdong(house: Whole, method: str, rule: str) -> None:
    answer = _ask(house, "wang", method, rule)
    assert MARK not in answer.text
    is_object = any(rule.startswith(prefix) for prefix in OBJECTS)
    if is_object and _may("wang", ROWS[method, rule]) and (method == "GET" or rule in BODIES):
        assert answer.status_code == 404, f"{answer.status_code} {answer.text[:300]}"


@pytest.mark.parametrize(
    "path", ["/voices", "/issues", "/orders", "/api/v1/voices", "/api/v1/issues", "/api/v1/orders"]
)
def test_the_province_itself_reads_what_is_its_own(house: Whole, path: str) -> None:
    assert MARK in house.ask("zhou", "GET", path).text


FORMS = sorted(rule for method, rule in ROWS if method == "POST" and not rule.startswith(("/api/", "/collect/")))


@pytest.mark.parametrize("rule", FORMS)
def test_a_reloaded_address_of_a_form_leads_to_a_page(house: Whole, rule: str) -> None:
    """A browser asks by GET for what it shows after a refusal: reloading it, or coming back to it, meets no 405."""
    path, seen = _path(rule, house.facts), []
    while path not in seen:
        answer = house.ask("lin", "GET", path)
        assert answer.status_code != 405
        seen.append(path)
        path = answer.headers.get("Location", path)
    is_object = any(rule.startswith(prefix) for prefix in OBJECTS)
    assert answer.status_code in ((200,) if is_object else (200, 403, 404)), seen
