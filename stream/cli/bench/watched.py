"""What is watched in the bench's yard: five zones, and a rule of another kind in each."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from stream.rules import AnyRule, Rule
from stream.specs import ZoneSpec

_POLYGONS = {
    "left": ((0.02, 0.5), (0.45, 0.45), (0.5, 0.95), (0.05, 0.98)),
    "right": ((0.5, 0.45), (0.9, 0.5), (0.98, 0.95), (0.55, 0.98)),
    "notched": ((0.3, 0.3), (0.7, 0.3), (0.8, 0.6), (0.5, 0.5), (0.2, 0.6)),
    "far": ((0.0, 0.3), (0.3, 0.3), (0.3, 0.7), (0.0, 0.7)),
    "loading": ((0.67, 0.88), (0.96, 0.88), (0.82, 0.62), (0.62, 0.62)),
}
_RULES: tuple[dict[str, Any], ...] = (
    {"kind": "presence", "zone": "left", "labels": ["person"], "overlap": 0.3},
    {"kind": "dwell", "zone": "right", "labels": ["person"], "overlap": 0.3, "duration": 3},
    {"kind": "count", "zone": "notched", "at_least": 3, "for": 1},
    {
        "kind": "coverage",
        "zone": "far",
        "labels": ["person", "forklift"],
        "at_least": 0.2,
        "for": 1,
    },
    {"kind": "contact", "zone": "loading", "labels": ["person"], "others": ["forklift"]},
)


def sections(cameras: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """``zones`` and ``rules`` of a configuration, the same on each camera."""
    return {
        "zones": [
            {"id": f"{camera}-{name}", "camera": camera, "polygon": polygon}
            for camera in cameras
            for name, polygon in _POLYGONS.items()
        ],
        "rules": [
            {**rule, "id": f"{camera}-{rule['kind']}", "zone": f"{camera}-{rule['zone']}"}
            for camera in cameras
            for rule in _RULES
        ],
    }


def specs(camera: str) -> tuple[list[AnyRule], list[ZoneSpec]]:
    """The same, for one camera, as `stream.watching.plans` takes it."""
    found = sections([camera])
    rules: list[AnyRule] = TypeAdapter(list[Rule]).validate_python(found["rules"])
    return rules, TypeAdapter(list[ZoneSpec]).validate_python(found["zones"])
