"""A plain document, in which anything may stand anywhere: what is mistyped is passed over."""

from collections.abc import Iterator
from typing import Any

Entry = dict[str, Any]


def entries(data: Entry, section: str) -> Iterator[tuple[int, Entry]]:
    """The mappings listed in a section, right or wrong, with their indices."""
    for index, entry in enumerate(listed(data, section)):
        if isinstance(entry, dict):
            yield index, entry


def mapping(data: Entry, key: str) -> Entry:
    """The mapping under a key; empty where there is none."""
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def listed(entry: Entry, key: str) -> list[Any]:
    """The list under a key; empty where there is none."""
    found = entry.get(key)
    return found if isinstance(found, list) else []


def string(entry: Entry, key: str) -> str | None:
    """The text under a key; None where there is none."""
    found = entry.get(key)
    return found if isinstance(found, str) else None
