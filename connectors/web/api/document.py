"""The API as an OpenAPI document, made from what answers it."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec
from msgspec.structs import FieldInfo

from connectors.web.api.operation import Media, Operation, schema_of, schemas_of
from connectors.web.problem import MEDIA_TYPE, Problem

OPENAPI = "3.1.0"
_REFUSALS = {400: "a parameter or the body is wrong", 403: "another host or origin was named"}


def document(operations: Sequence[Operation], *, with_token: bool) -> dict[str, Any]:
    """All of ``operations``; ``with_token`` says that each needs one."""
    types = [kind for each in operations for kind in _types(each)]
    own, components = schemas_of([*types, Problem])
    schemas = {id(kind): schema for kind, schema in zip(types, own, strict=False)}
    problem = {"content": {MEDIA_TYPE: {"schema": own[-1]}}}
    refusals = _REFUSALS | ({401: "the token is missing or wrong"} if with_token else {})
    found: dict[str, Any] = {
        "openapi": OPENAPI,
        "info": {
            "title": "maskstream",
            "version": version("maskstream"),
            "description": "Instance masks of single pictures, and how cameras and alerts are.",
            "license": {"name": "AGPL-3.0-only", "identifier": "AGPL-3.0-only"},
        },
        "paths": {
            each.path: {each.method.lower(): _operation(each, schemas, refusals, problem)}
            for each in operations
        },
        "components": {"schemas": {name: _worded(each) for name, each in components.items()}},
    }
    if with_token:
        found["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        found["security"] = [{"token": []}]
    return found


def _worded(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema whose description is that of a docstring, on one line."""
    text = " ".join(schema.get("description", "").split()).replace("``", "`")
    return {**schema, "description": text}


def _types(operation: Operation) -> Iterable[type]:
    bodies = [*operation.body.values(), *operation.answer.values()]
    return (kind for kind in bodies if kind is not None)


def _operation(
    operation: Operation,
    schemas: Mapping[int, Any],
    refusals: Mapping[int, str],
    problem: Mapping[str, Any],
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [_parameter(each) for each in msgspec.structs.fields(operation.query)],
        "responses": {
            "200": {"description": "done", "content": _content(operation.answer, schemas)},
            **{
                str(status): {"description": f"{HTTPStatus(status).phrase}: {why}", **problem}
                for status, why in sorted({**refusals, **operation.refusals}.items())
            },
        },
    }
    if operation.body:
        content = _content(operation.body, schemas)
        found["requestBody"] = {"required": True, "content": content}
    return found


def _content(media: Media, schemas: Mapping[int, Any]) -> dict[str, Any]:
    return {
        name: {"schema": {"type": "string", "format": "binary"} if kind is None
               else schemas[id(kind)]}
        for name, kind in media.items()
    }  # fmt: skip


def _parameter(parameter: FieldInfo) -> dict[str, Any]:
    schema = schema_of(parameter)
    return {
        "name": parameter.encode_name,
        "in": "query",
        "required": parameter.required,
        "description": schema.pop("description"),
        "schema": schema,
    }
