"""The OpenAPI document, made from the operations' own models."""

import re
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from experience.web.api import contract
from experience.web.api.contract import Operation, Problem, operation

_PROBLEM = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}

_PARAMETER = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
#: Flask's converters -> what a path takes.
_PLACES: dict[str, dict[str, Any]] = {
    "": {"type": "string", "minLength": 1},
    "int": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
}


@operation("GET", "/api/v1/openapi.json", act=None, summary="This document")
def openapi() -> dict[str, Any]:
    """The document."""
    return document()


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1 of every registered operation."""
    known = [op for op in contract.OPERATIONS if op.path.startswith(("/api/", "/collect"))]
    models: list[type[BaseModel]] = [Problem]
    for op in known:
        models += [m for m in (op.body, op.query, op.answer) if isinstance(m, type) and issubclass(m, BaseModel)]
    _, schemas = models_json_schema(
        [(m, "validation") for m in dict.fromkeys(models)], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, Any] = {}
    for op in known:
        paths.setdefault(op.path, {})[op.method.lower()] = _described(op)
    return {
        "openapi": "3.1.0",
        "info": {"title": "huisheng 回声", "version": version("huisheng"), "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(op: Operation) -> dict[str, Any]:
    answers: dict[str, Any] = {str(op.status): _answer(op)}
    for status in sorted({*_refusals(op), *op.statuses}):
        answers[str(status)] = {"description": "Refused"} | _PROBLEM
    told: dict[str, Any] = {
        "summary": op.summary,
        "operationId": f"{op.method.lower()}_{op.path.strip('/').replace('/', '_').replace('{', '').replace('}', '')}",
        "parameters": [*_path_parameters(op), *_query_parameters(op), *_header_parameters(op)],
        "responses": answers,
    }
    if op.act is not None:
        told["security"] = [{"bearer": []}]
    if op.body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(op.body)}}}
    return told


def _refusals(op: Operation) -> set[int]:
    found = {429, 500, 503}
    if op.act is not None:
        found |= {401}
    if op.act:
        found |= {403}
    if "{" in op.path:
        found |= {404}
    if op.body is not None:
        found |= {400, 409, 413, 415, 422}
    if op.is_idempotent:
        found |= {409, 422}
    if op.query is not None:
        found |= {422}
    return found - {op.status}


def _answer(op: Operation) -> dict[str, Any]:
    if "application/json" not in op.media:
        return {"description": "Done", "content": {kind: {"schema": {"type": "string"}} for kind in op.media}}
    is_model = isinstance(op.answer, type) and issubclass(op.answer, BaseModel)
    schema = _ref(op.answer) if is_model else {"type": "object"}
    if op.status == 204:
        return {"description": "Done"}
    return {"description": "Done", "content": {"application/json": {"schema": schema}}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _path_parameters(op: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _PLACES.get(converter, _PLACES[""])}
        for converter, name in _PARAMETER.findall(op.rule or op.path.replace("{", "<").replace("}", ">"))
    ]


def _query_parameters(op: Operation) -> list[dict[str, Any]]:
    if op.query is None:
        return []
    schema = op.query.model_json_schema(ref_template="#/components/schemas/{model}")
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": described}
        for name, described in schema.get("properties", {}).items()
    ]


def _header_parameters(op: Operation) -> list[dict[str, Any]]:
    if not op.is_idempotent:
        return []
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
        }
    ]
