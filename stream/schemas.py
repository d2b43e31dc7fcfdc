"""JSON Schemas of what stands in the records, one for each wire type, from the types themselves;
and of what endpoints are posted.

They are kept in ``docs/schemas``, for readers in other languages. Fields that a schema does not
name are allowed, as readers ignore what they do not know.
"""

import json
from typing import Any, get_args

import msgspec

from stream.codec import Message
from stream.masks import Mask
from stream.specs import CameraSpec
from stream.types import Alert, AlertState

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INNER = {"type", "notify"}
"""Of an alert, what an endpoint is not told, or not there."""
_MASK = {
    "type": "object",
    "description": "A mask as COCO's compressed run-length encoding, as pycocotools reads it: "
    "runs go down the columns, `size` is [height, width] of the whole frame.",
    "properties": {
        "size": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1},
            "minItems": 2,
            "maxItems": 2,
        },
        "counts": {"type": "string"},
    },
    "required": ["size", "counts"],
}


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each wire type, by the name that its ``type`` field holds; of a camera; and of
    a webhook's body in our own format.
    """
    by_type = {_tag(kind): _schema(kind) for kind in get_args(Message)}
    return by_type | {"camera": _camera(), "webhook": _webhook()}


def schema_text(schema: dict[str, Any]) -> str:
    """A schema as its file in ``docs/schemas`` holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def _schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components(
        [kind], schema_hook=mask_schema, ref_template="#/$defs/{name}"
    )
    body = components.pop(kind.__name__)
    parts = {"$defs": components} if components else {}
    return {"$schema": DIALECT, **body, **parts}


def _camera() -> dict[str, Any]:
    """What a user writes, and what stands in ``cameras``: there a partition is always named."""
    schema = CameraSpec.model_json_schema()
    for each in (schema, *schema["$defs"].values()):
        del each["additionalProperties"]
    return {"$schema": DIALECT, **schema}


def _webhook() -> dict[str, Any]:
    """What `stream.notify.body.plain` makes of an alert."""
    alert = _schema(Alert)
    parts = alert.pop("$defs")
    del alert["$schema"]
    parts["Evidence"]["properties"]["mask_left_out"] = {
        "type": "boolean",
        "description": "The mask did not fit into the body. Absent where it did.",
    }
    properties = {name: each for name, each in alert["properties"].items() if name not in _INNER}
    properties["tracks_left_out"] = {
        "type": "integer",
        "description": "How many tracks did not fit into the body. Absent where all did.",
        "minimum": 1,
    }
    required = [name for name in alert["required"] if name not in _INNER]
    parts["Alert"] = {**alert, "properties": properties, "required": required}
    return {
        "$schema": DIALECT,
        "title": "Webhook",
        "description": "What an endpoint with `body: json` is posted for each change of an alert, "
        "as Standard Webhooks 1.0.0 recommends.",
        "type": "object",
        "properties": {
            "type": {"enum": [f"alert.{state}" for state in sorted(get_args(AlertState))]},
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "When it happened, in event time and UTC: `data.time_us` as text.",
            },
            "data": {"$ref": "#/$defs/Alert"},
        },
        "required": ["type", "timestamp", "data"],
        "$defs": parts,
    }


def mask_schema(kind: type) -> dict[str, Any]:
    """The schema of a mask, for msgspec: its ``schema_hook``."""
    if kind is Mask:
        return _MASK
    raise NotImplementedError(f"{kind.__name__} has no JSON Schema")
