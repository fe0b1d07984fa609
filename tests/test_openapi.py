"""The document tells the truth: valid, complete, and no answer, however odd the question, lies outside it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from experience.ground import store
from experience.web.api import contract
from tests import whole
from tests.conftest import NOW, _admin, address
from tests.whole import Whole

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**63,
    1e308,
    "",
    "\x00",
    "\ud800",
    "x" * 3000,
    "<script>",
    [],
    [[]],
    {},
    {"a": 1},
)
PLACES = ("1", "0", "-1", str(2**63), str(10**30), "nothing", "%00", "x" * 300, "中文")


@pytest.fixture(scope="module")
def house(server: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    name = f"{template}_openapi"
    _admin(server, f"create database {name} template {template}")
    engine = store.engine(address(server, name))
    made = whole.make(engine, tmp_path_factory.mktemp("home"), NOW)
    yield made
    whole.security.limiter.enabled = True
    engine.dispose()
    made.app.extensions["huisheng.engine"].dispose()
    _admin(server, f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def document(house: Whole) -> dict[str, Any]:
    found = house.ask(None, "GET", "/api/v1/openapi.json")
    assert found.status_code == 200
    return dict(found.json)


def test_the_document_is_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_the_document_holds_every_route_of_the_api_and_the_collector(house: Whole, document: dict[str, Any]) -> None:
    told = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert {(op.method, op.path) for op in contract.OPERATIONS} == told
    assert any(path.startswith("/collect/") for _, path in told)


def _filled(path: str, value: str) -> str:
    before, _, rest = path.partition("{")
    return (
        before + value + "".join("/" + part if not part.startswith("{") else "/1" for part in rest.split("/")[1:])
        if rest
        else path
    )


def _bodies(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[Any]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    names = list(schema.get("properties", {}))
    yield {}
    yield {"no_such_field": 1}
    for odd in ODD:
        yield dict.fromkeys(names, odd)
    sound = dict.fromkeys(names, "1")
    for name in names:
        for odd in ("\x00", 2**63, [], {}):
            yield {**sound, name: odd}


def _questions(
    path: str, method: str, item: dict[str, Any], document: dict[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for place in PLACES if "{" in path else ("1",):
        yield _filled(path, place), ({"json": {}} if "requestBody" in item else {})
    for told in item.get("parameters", ()):
        if told["in"] == "query":
            for odd in (
                "",
                "\x00",
                "x" * 500,
                "-1",
                str(2**63),
                "中文",
                "e30",
                "WzFd",
                "2026-11-23",
                "9999-12-31T23:59:59-12:00",
            ):
                yield _filled(path, "1"), {"query_string": {told["name"]: odd}}
    yield _filled(path, "1"), {"query_string": {"no_such_parameter": "1"}}
    if "requestBody" in item:
        yield _filled(path, "1"), {"data": b"\xff{", "content_type": "application/json"}
        yield _filled(path, "1"), {"data": "a=1", "content_type": "application/x-www-form-urlencoded"}
        yield _filled(path, "1"), {"data": "[" * 5000, "content_type": "application/json"}
        kinds = item["requestBody"]["content"]
        for body in _bodies(next(iter(kinds.values()))["schema"], document):
            yield _filled(path, "1"), {"data": json.dumps(body), "content_type": "application/json"}


def test_no_question_gets_an_answer_outside_the_document(house: Whole, document: dict[str, Any]) -> None:
    wrong = set()
    for path, item in document["paths"].items():
        for method, told in item.items():
            for place, more in _questions(path, method, told, document):
                for who in ("lin", None):
                    answer = house.ask(who, method.upper(), place, **more)
                    if answer.status_code >= 500 or str(answer.status_code) not in told["responses"]:
                        wrong.add((method, path, answer.status_code, answer.text[:160]))
    assert sorted(wrong) == []


def test_a_method_not_in_the_document_is_refused_as_one(house: Whole, document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        if path.startswith("/collect/"):
            continue
        for method in {"get", "post", "put", "patch", "delete"} - item.keys():
            answer = house.ask("lin", method.upper(), _filled(path, "1"))
            assert answer.status_code in (404, 405), (method, path)
            assert answer.mimetype == "application/problem+json"
