"""JSON Schemas of what stands in the records, one for each wire type, from the types themselves.

They are kept in ``docs/schemas``, for readers in other languages. Fields that a schema does not
name are allowed, as readers ignore what they do not know.
"""

import json
from typing import Any, get_args

import msgspec

from stream.codec import Message
from stream.masks import Mask
from stream.specs import CameraSpec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
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
    """The schema of each wire type, by the name that its ``type`` field holds, and of a camera."""
    return {_tag(kind): _schema(kind) for kind in get_args(Message)} | {"camera": _camera()}


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


def mask_schema(kind: type) -> dict[str, Any]:
    """The schema of a mask, for msgspec: its ``schema_hook``."""
    if kind is Mask:
        return _MASK
    raise NotImplementedError(f"{kind.__name__} has no JSON Schema")
