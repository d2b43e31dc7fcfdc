"""What a document seems to mean where its keys are misspelt, so that no fault is told that only
follows from such a key.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stream.config.faults import Path
from stream.config.words import child, kind_of, near, resolved, settings_schema
from stream.config.yaml_lines import Document


def as_meant(document: Document) -> Document:
    """The document with each unknown key under the known one that it seems to mean, where that is
    missing. Those places are holes: what is wrong there is told once the key is right.
    """
    holes = set(document.holes)
    data = _renamed(document.data, settings_schema(), (), holes)
    return replace(document, data=data, holes=holes)


def _renamed(value: object, schema: Mapping[str, Any], path: Path, holes: set[Path]) -> object:
    node = resolved(schema)
    if isinstance(value, list):
        return [
            _renamed(each, child(node, index), (*path, index), holes)
            for index, each in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    node = kind_of(node, value.get("kind"))
    names = _names(value, list(node.get("properties", ())))
    holes |= {(*path, name) for key, name in names.items() if key != name}
    return {
        name: _renamed(value[key], child(node, name), (*path, name), holes)
        for key, name in names.items()
    }


def _names(value: Mapping[str, object], known: list[str]) -> dict[str, str]:
    """The keys of ``value``, each with the one that it means; none means what another one is."""
    names = {key: key for key in value if key in known}
    free = [key for key in known if key not in names]
    for key in value:
        if key in names:
            continue
        meant = near(key, known)
        if meant in free:
            free.remove(meant)
            names[key] = meant
        else:
            names[key] = key
    return names
