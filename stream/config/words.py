"""Pydantic's errors in the words of our errors: what was given, what is allowed.

The JSON Schema of the settings says which keys stand where, and what they mean.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stream.config.bounds import number_in_words
from stream.config.faults import Fault, Path
from stream.config.redact import SECRET_KEY, shown
from stream.config.settings import Settings
from stream.specs import ID_PATTERN

_ALLOWED = {
    "bool_type": "true or false",
    "path_type": "a path",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "string_type": "text",
    "string_unicode": "text",
    "too_long": "at most {max_length} items",
    "too_short": "at least {min_length} items",
    "tuple_type": "a list: [...]",
}
_NUMBERS = {
    "finite_number", "float_type", "greater_than", "greater_than_equal", "int_type", "less_than",
    "less_than_equal", "multiple_of",
}  # fmt: skip
"""What came is no number, or none that is allowed."""
_MAPPINGS = {"dict_type", "model_attributes_type", "model_type"}
"""What came is no mapping."""
_OWN_WORDS = {
    *_MAPPINGS, "string_pattern_mismatch", "greater_than", "greater_than_equal", "less_than_equal"
}  # fmt: skip
"""Where the schema's own ``allowed`` says more than the type or bound that was broken."""
_NAMED = {"rules": "rule", "zones": "zone", "endpoints": "endpoint"}


@cache
def settings_schema() -> dict[str, Any]:
    """The JSON Schema of `Settings`, durations marked by ``format: duration``."""
    return Settings.model_json_schema()


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a ``$ref`` or a "this or null" leads to."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return resolved(settings_schema()["$defs"][name])
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return resolved(options[0]) if len(options) == 1 else schema


def near(word: str, known: list[str]) -> str | None:
    """The one of ``known`` that ``word`` seems to mean."""
    return next(iter(get_close_matches(word[:64].lower(), known, n=1, cutoff=0.6)), None)


def suggestion(word: str, known: list[str]) -> str:
    """``did you mean …?`` where one of ``known`` is near, else what is known."""
    meant = near(word, known)
    return f"did you mean {meant}?" if meant else f"allowed: {', '.join(known) or 'none'}"


def model_faults(error: ValidationError, data: object) -> Iterator[Fault]:
    """The faults that pydantic tells of, without those that only follow from another."""
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue
        if detail["loc"][-1:] == ("[key]",) and detail["type"] == "literal_error":
            yield _unknown_name(detail, data)
            continue
        path, parent, node = _follow(detail["loc"])
        if detail["type"].startswith("union_tag_"):
            path = (*path, "kind")
        text = owner(path, data) + _text(detail, path, (parent, node), data)
        yield Fault(path, text, comes_first=detail["type"] == "extra_forbidden")


def no_mapping(data: object) -> Fault:
    """The fault of a document that is no mapping at its top."""
    return Fault((), f"given {shown(data)}; allowed: {_mapping(settings_schema())}")


def _mapping(node: Mapping[str, Any]) -> str:
    """``a mapping with …``: its keys, of a list of several kinds those that all have."""
    if "discriminator" not in node:
        return f"a mapping with {', '.join(node['properties'])}"
    kinds = [kind_of(node, tag)["properties"] for tag in node["discriminator"]["mapping"]]
    keys = [key for key in kinds[0] if all(key in kind for kind in kinds)]
    return f"a mapping with {', '.join(keys)}, and the keys of its kind"


def _unknown_name(error: ErrorDetails, data: object) -> Fault:
    """A key that is none of the names of a mapping from names to values."""
    path: Path = error["loc"][:-1]
    text = f"unknown key, {suggestion(str(path[-1]), _expected(error))}"
    return Fault(path, owner(path, data) + text, comes_first=True)


def _follow(
    loc: tuple[str | int, ...],
) -> tuple[Path, Mapping[str, Any], Mapping[str, Any]]:
    """The path that ``loc`` means, without the tags of unions, and the schemas found there."""
    path: Path = ()
    parent: Mapping[str, Any] = {}
    node = resolved(settings_schema())
    for part in loc:
        parent = node
        if "discriminator" in node:
            node = kind_of(node, str(part))
            continue
        path = (*path, part)
        node = {**resolved(child(node, part)), **_described(child(node, part))}
    return path, parent, node


def kind_of(node: Mapping[str, Any], tag: object) -> Mapping[str, Any]:
    """Of a node of several kinds, the one that ``tag`` names, nothing for an unknown one; any other
    node itself.
    """
    if "discriminator" not in node:
        return node
    kinds = node["discriminator"]["mapping"]
    return resolved({"$ref": kinds[tag]}) if isinstance(tag, str) and tag in kinds else {}


def _described(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands beside a ``$ref`` or a "this or null", and not in it."""
    return {key: schema[key] for key in ("description", "allowed") if key in schema}


def child(node: Mapping[str, Any], part: str | int) -> Mapping[str, Any]:
    """What the schema says of a key or an item; nothing of one that it does not know."""
    if isinstance(part, str):
        others = node.get("additionalProperties")  # of a mapping from names to values
        rest = others if isinstance(others, Mapping) else {}
        return node.get("properties", {}).get(part, rest)  # type: ignore[no-any-return]
    if part < len(node.get("prefixItems", ())):
        return node["prefixItems"][part]  # type: ignore[no-any-return]
    return node.get("items", {})  # type: ignore[no-any-return]


def _text(
    error: ErrorDetails,
    path: Path,
    schemas: tuple[Mapping[str, Any], Mapping[str, Any]],
    data: object,
) -> str:
    parent, node = schemas
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key, {suggestion(str(path[-1]), list(parent.get('properties', ())))}"
    if kind == "missing":
        return f"missing: {node.get('description', 'a ' + str(node.get('type', 'value')))}"
    if kind.startswith("union_tag_"):
        came = "missing" if kind == "union_tag_not_found" else f"given {_given(data, path)}"
        return f"{came}; allowed: {', '.join(node['discriminator']['mapping'])}"
    if kind == "fault":
        return error["msg"]
    if kind == "string_pattern_mismatch" and context["pattern"] == ID_PATTERN:
        return f"given {_given(data, path)}; id must match {ID_PATTERN}"
    return f"given {_given(data, path)}; allowed: {_allowed(error, node)}"


def _allowed(error: ErrorDetails, node: Mapping[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _OWN_WORDS and "allowed" in node:
        return str(node["allowed"])
    if kind in _MAPPINGS:
        return _mapping(node)
    if kind == "literal_error":
        return ", ".join(_expected(error))
    if kind in _NUMBERS:
        finite = "finite " if kind == "finite_number" else ""
        return f"a {finite}{number_in_words(node)}"
    if kind not in _ALLOWED:
        return error["msg"][:1].lower() + error["msg"][1:]
    return re.sub(r"\b1 (item|character)s", r"1 \1", _ALLOWED[kind].format(**context))


def _expected(error: ErrorDetails) -> list[str]:
    """The words of which one was expected."""
    return re.findall(r"'([^']*)'", error["ctx"]["expected"])


def _given(data: object, path: Path) -> str:
    """What stands at ``path`` as it was written, where it may be shown."""
    if any(isinstance(part, str) and SECRET_KEY.search(part) for part in path):
        return "a value that is not shown"
    value: Any = data
    for part in path:
        value = value[part]
    return shown(value)


def owner(path: Path, data: object) -> str:
    """``rule person-leaves: `` where the path lies in a rule, zone or endpoint with an id."""
    if len(path) < 2 or path[0] not in _NAMED or not isinstance(data, dict):
        return ""
    item = data[path[0]][path[1]]
    name = item.get("id") if isinstance(item, dict) else None
    return f"{_NAMED[str(path[0])]} {shown(name)[1:-1]}: " if isinstance(name, str) else ""
