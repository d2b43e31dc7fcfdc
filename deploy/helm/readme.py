"""The README of the chart: a table of its values, made of the comments in values.yaml.

A comment that begins with ``# --`` is of the value below it; every other is of a section. Values of
a mapping without comments of their own are told as one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parent / "maskstream"
README = CHART / "README.md"

_KEY = re.compile(r"( *)([A-Za-z][A-Za-z0-9]*):")
_HEAD = """# The chart `maskstream`

<!-- Written by `make chart` from values.yaml; do not edit. -->

How to install, upgrade and scale it is in [docs/kubernetes.md](../../../docs/kubernetes.md);
[examples](examples) are for a laptop, one GPU, and a large site. A value that is not here is
refused, and so is one that makes no sense beside others, each with what is allowed.

| value | default | meaning |
|---|---|---|
"""


@dataclass(frozen=True)
class Explained:
    """A value by its path, and what its comment says."""

    path: tuple[str, ...]
    text: str


def readme(values: Path = CHART / "values.yaml") -> str:
    """The text of the README. Raises `ValueError` for a value without an explanation."""
    source = values.read_text()
    tree = yaml.safe_load(source)
    told = list(explained(source))
    known = {each.path for each in told}
    missing = [
        path for path in _leaves(tree) if not any(path[: len(each)] == each for each in known)
    ]
    if missing:
        raise ValueError(f"{values}: without an explanation: {', '.join(map('.'.join, missing))}")
    return _HEAD + "".join(_row(each, tree) for each in told)


def explained(source: str) -> Iterator[Explained]:
    """The values of values.yaml that have a comment, in order."""
    path: list[str] = []
    comment: list[str] = []
    for line in source.splitlines():
        text = line.strip()
        if text.startswith("# -- "):
            comment = [text.removeprefix("# -- ")]
        elif text.startswith("# ") and comment:
            comment.append(text.removeprefix("# "))
        elif key := _KEY.match(line):
            path[len(key[1]) // 2 :] = [key[2]]
            if comment:
                yield Explained(tuple(path), " ".join(comment))
            comment = []
        else:
            comment = []


def _leaves(tree: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*at, key))
        else:
            yield (*at, key)


def _row(each: Explained, tree: Any) -> str:
    for key in each.path:
        tree = tree[key]
    default = json.dumps(tree, ensure_ascii=False)
    return f"| `{'.'.join(each.path)}` | `{default}` | {each.text.replace('|', chr(92) + '|')} |\n"
