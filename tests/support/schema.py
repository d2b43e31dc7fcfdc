"""JSON Schema, as far as our schemas use it."""

from typing import Any

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "null": type(None),
    "boolean": bool,
}


def faults(value: Any, schema: dict[str, Any], top: dict[str, Any], at: str = "$") -> list[str]:
    """What is wrong with a value, by the few words of JSON Schema that the schemas use."""
    if "$ref" in schema:
        schema = top["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in schema:
        tries = [faults(value, option, top, at) for option in schema["anyOf"]]
        return [] if [] in tries else tries[0]
    kind = schema.get("type")
    if kind and (
        not isinstance(value, TYPES[kind]) or isinstance(value, bool) != (kind == "boolean")
    ):
        return [f"{at}: {value!r} is no {kind}"]
    if value not in schema.get("enum", [value]):
        return [f"{at}: {value!r} not in enum"]
    if isinstance(value, dict):
        return [*missing(value, schema, at), *inner_faults(value, schema, top, at)]
    if isinstance(value, list):
        return list_faults(value, schema, top, at)
    return number_faults(value, schema, at) if kind in {"integer", "number"} else []


def missing(value: dict[str, Any], schema: dict[str, Any], at: str) -> list[str]:
    return [f"{at}: {key} is missing" for key in schema.get("required", []) if key not in value]


def inner_faults(
    value: dict[str, Any], schema: dict[str, Any], top: dict[str, Any], at: str
) -> list[str]:
    inner = schema.get("properties", {})
    return [
        fault
        for key in inner.keys() & value.keys()
        for fault in faults(value[key], inner[key], top, f"{at}.{key}")
    ]


def list_faults(
    value: list[Any], schema: dict[str, Any], top: dict[str, Any], at: str
) -> list[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return [f"{at}: {len(value)} items"]
    inner = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
    pairs = enumerate(zip(value, inner, strict=True))
    return [f for n, (item, one) in pairs for f in faults(item, one, top, f"{at}[{n}]")]


def number_faults(value: float, schema: dict[str, Any], at: str) -> list[str]:
    inside = schema.get("minimum", value) <= value <= schema.get("maximum", value)
    return [] if inside else [f"{at}: {value} is out of range"]


def undeclared(value: Any, schema: dict[str, Any], top: dict[str, Any], at: str = "$") -> list[str]:
    """What stands in a value and not in its schema, which allows more than it names."""
    if "$ref" in schema:
        schema = top["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in schema:
        fits = (option for option in schema["anyOf"] if not faults(value, option, top))
        return undeclared(value, next(fits, {}), top, at)
    if isinstance(value, list):
        inner = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
        pairs = enumerate(zip(value, inner, strict=True))
        return [found for n, pair in pairs for found in undeclared(*pair, top, f"{at}[{n}]")]
    if not isinstance(value, dict):
        return []
    found = []
    known = schema.get("properties", {})
    for key, inner in value.items():
        place = f"{at}.{key}"
        found += undeclared(inner, known[key], top, place) if key in known else [place]
    return found
