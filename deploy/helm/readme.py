"""The README of the chart: a table of its values, made of the comments in values.yaml.

A comment that begins with ``# --`` is of the value below it; every other is of a section. Values of
a mapping without comments of their own are told as one.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
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
refused, and so is one that makes no sense beside others. What is in `config` is judged by the job
`topics`, which runs before anything changes.
"""
_TABLE = "| value | default | meaning |\n|---|---|---|\n"


@dataclass(frozen=True)
class Explained:
    """A value, or a section of values, by its path, and what its comment says."""

    path: tuple[str, ...]
    text: str
    is_section: bool


def readme(values: Path = CHART / "values.yaml") -> str:
    """The text of the README. Raises `ValueError` for a value without an explanation."""
    source = values.read_text()
    tree = yaml.safe_load(source)
    told = list(explained(source))
    known = {each.path for each in told if not each.is_section}
    missing = [path for path in _leaves(tree) if not any(_begins(path, each) for each in known)]
    if missing:
        raise ValueError(f"{values}: without an explanation: {', '.join(map('.'.join, missing))}")
    sections = groupby(told, key=lambda each: each.path[0])
    return _HEAD + "".join(_section(name, list(of_it), tree) for name, of_it in sections)


def explained(source: str) -> Iterator[Explained]:
    """What values.yaml says of its values and sections, in order."""
    path: list[str] = []
    comment: list[str] = []
    for line in source.splitlines():
        text = line.strip()
        if text.startswith("# "):
            comment.append(text.removeprefix("# "))
        elif key := _KEY.match(line):
            path[len(key[1]) // 2 :] = [key[2]]
            if comment:
                words = " ".join(comment)
                of_value = words.startswith("-- ")
                yield Explained(tuple(path), words.removeprefix("-- "), not of_value)
            comment = []
        else:
            comment = []


def _leaves(tree: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*at, key))
        else:
            yield (*at, key)


def _begins(path: tuple[str, ...], start: tuple[str, ...]) -> bool:
    return path[: len(start)] == start


def _section(name: str, told: Sequence[Explained], tree: Any) -> str:
    """A heading, what is said of the section, and a table of its values."""
    words = [each.text for each in told if each.is_section and each.path == (name,)]
    rows = "".join(_row(each, tree) for each in told if not each.is_section)
    return "\n".join(["", f"## `{name}`", *words, "", _TABLE + rows])


def _row(each: Explained, tree: Any) -> str:
    for key in each.path:
        tree = tree[key]
    default = json.dumps(tree, ensure_ascii=False)
    return f"| `{'.'.join(each.path)}` | `{default}` | {each.text.replace('|', chr(92) + '|')} |\n"
