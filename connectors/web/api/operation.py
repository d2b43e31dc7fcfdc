"""What can be asked for: one value says it to the router, to the checks and to the document."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct
from msgspec.structs import FieldInfo

from connectors.web.problem import Refused, wrong
from stream.config.bounds import number_in_words
from stream.config.redact import shown
from stream.schemas import mask_schema

_NUMBERS = {"integer", "number"}
Handle = Callable[[web.Request, Any], Awaitable[web.StreamResponse]]
"""Answers a request, given its parameters, checked."""
Media = Mapping[str, type | None]
"""What a body may be: the type of its JSON, or None for bytes."""


@dataclass(frozen=True)
class Operation:
    """One path of the API with its one method.

    ``query`` has a field for each parameter, with its type, bounds, default and description.
    ``refusals`` are the statuses, besides 400, that it may end with, and why.
    """

    method: str
    path: str
    name: str
    summary: str
    query: type[Struct]
    answer: Media
    handle: Handle
    body: Media = field(default_factory=dict)
    refusals: Mapping[int, str] = field(default_factory=dict)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Check the parameters, then answer."""
        return await self.handle(request, self._asked(request))

    def _asked(self, request: web.Request) -> Struct:
        fields = {each.encode_name: each for each in msgspec.structs.fields(self.query)}
        for name in request.query:
            if name not in fields:
                raise wrong(shown(name)[1:-1], "as a parameter", ", ".join(fields) or "none")
        given = {
            each.name: _value(each, request.query.getall(name))
            for name, each in fields.items()
            if name in request.query
        }
        return self.query(**given)


def schemas_of(
    types: list[Any], template: str = "#/components/schemas/{name}"
) -> tuple[list[Any], dict[str, Any]]:
    """JSON Schemas of ``types``, and of what they refer to, by name."""
    own, components = msgspec.json.schema_components(
        types, schema_hook=mask_schema, ref_template=template
    )
    return list(own), dict(components)


def schema_of(parameter: FieldInfo) -> dict[str, Any]:
    """The JSON Schema of a parameter, with its default."""
    (schema,), _ = schemas_of([parameter.type])
    if parameter.required or parameter.default_factory is not msgspec.NODEFAULT:
        return dict(schema)
    if parameter.default is None:
        return dict(next(each for each in schema["anyOf"] if each.get("type") != "null"))
    return {**schema, "default": parameter.default}


def _value(parameter: FieldInfo, given: list[str]) -> Any:
    schema = schema_of(parameter)
    many = schema.get("type") == "array"
    if len(given) > 1 and not many:
        raise _refusal(parameter, f"{len(given)} times", "once")
    try:
        value = msgspec.convert(given if many else given[0], parameter.type, strict=False)
    except msgspec.ValidationError:
        text = ", ".join(map(shown, given))
        raise _refusal(parameter, text, allowed(schema)) from None
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise _refusal(parameter, shown(given[0]), allowed(schema))
    return value


def _refusal(parameter: FieldInfo, given: str, may_be: str) -> Refused:
    return wrong(parameter.encode_name, given, may_be)


def allowed(schema: Mapping[str, Any]) -> str:
    """What a schema allows, in words."""
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if schema.get("type") == "array":
        return f"each of: {allowed(schema['items'])}"
    if "pattern" in schema:
        return f"text that matches {schema['pattern']}"
    return f"a {number_in_words(schema)}" if schema.get("type") in _NUMBERS else "text"
