"""YAML to plain values, with the line of each.

Only what a configuration needs is read: mappings, lists and scalars of YAML 1.2's core schema, so
that a label ``no`` and a time ``12:30`` stay text. Tags and aliases are refused by name, which
leaves no way to build objects or to let a small file grow. Nothing is built before the depth is
known, and the parser is stopped at the first level too many.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from stream.config.faults import Fault, Path
from stream.config.redact import SECRET_KEY

MOST_BYTES = 1 << 20
MOST_LEVELS = 32
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it, as its wheels are: 1 MiB in 2 s and not in 30 s."""
_STANDARD_TAG = "tag:yaml.org,2002:"

_SCALARS: tuple[tuple[re.Pattern[str], Callable[[str], object]], ...] = (
    (re.compile(r"~|null|Null|NULL|"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]{1,400}"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"\.nan|\.NaN|\.NAN"), lambda _: math.nan),
    (re.compile(r"\+?\.(inf|Inf|INF)"), lambda _: math.inf),
    (re.compile(r"-\.(inf|Inf|INF)"), lambda _: -math.inf),
)


@dataclass(slots=True)
class Document:
    """What a file holds: ``data`` of dict, list and scalars, the ``lines`` (from 1) and faults.

    ``data`` is None where the file as a whole could not be read. Under ``holes`` it says nothing
    of use, as what stood there was refused.
    """

    data: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    holes: set[Path] = field(default_factory=set)

    def in_hole(self, path: Path) -> bool:
        """Whether ``path`` lies in something that was refused already."""
        return any(path[:length] in self.holes for length in range(len(path) + 1))


def read_yaml(source: bytes, *, is_secret: bool = False) -> Document:
    """Read one document. Whatever is wrong with it stands in its ``faults``; nothing is raised.

    ``is_secret``: no fault says what stood there. A password that begins with ``!`` or ``*`` and
    has no quotes is a tag or an alias.
    """
    if len(source) > MOST_BYTES:
        return _refused(1, f"{len(source)} bytes; allowed: at most {MOST_BYTES} (1 MiB)")
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        return _refused(line, f"not UTF-8: byte 0x{source[error.start]:02x} at {error.start}")
    reader = _Reader(is_secret)
    try:
        reader.read(text)
    except yaml.YAMLError as error:
        return _refused(*_syntax(error, text))
    except _TooDeepError as error:
        return _refused(error.line, f"nested deeper than {MOST_LEVELS} levels")
    return reader.document


def _refused(line: int, text: str) -> Document:
    return Document(faults=[Fault((), text, line)])


def _syntax(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return line, f"not YAML: character {error.character!r} is not allowed"
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "cannot be read"
    return (mark.line + 1 if mark else 1), f"not YAML: {problem}"


class _TooDeepError(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _Reader:
    """One pass over the parser's events; `MOST_LEVELS` bounds its recursion."""

    def __init__(self, is_secret: bool) -> None:
        self.document = Document()
        self._is_secret = is_secret
        self._events: Iterator[Event] = iter(())

    def read(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=_LOADER)
        documents = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fault((), "a second document begins; allowed: one", event)
                    self.document.holes.add(())
                    return
                self.document.data = self._value((), next(self._events))
            elif isinstance(event, StreamEndEvent) and not documents:
                self._fault((), "the file is empty", event)

    def _fault(self, path: Path, text: str, event: Event) -> None:
        self.document.faults.append(Fault(path, text, _line(event)))

    def _shown(self, path: Path, name: str) -> str:
        is_secret = any(isinstance(part, str) and SECRET_KEY.search(part) for part in path)
        if not (is_secret or self._is_secret):
            return name
        return f"that is not shown (text that begins with {name[0]} needs quotes)"

    def _value(self, path: Path, event: Event) -> object:
        line = _line(event)
        self.document.lines.setdefault(path, line)
        if isinstance(event, AliasEvent):
            name = self._shown(path, f"*{event.anchor}")
            text = f"alias {name}: aliases are not allowed, write the value out"
            self._fault(path, text, event)
            self.document.holes.add(path)
            return None
        tag = getattr(event, "tag", None)
        if tag is not None:
            name = self._shown(path, tag.replace(_STANDARD_TAG, "!!"))
            self._fault(path, f"tag {name[:80]}: tags are not allowed", event)
            self.document.holes.add(path)
        if isinstance(event, ScalarEvent):
            return _scalar(event)
        if len(path) >= MOST_LEVELS:
            raise _TooDeepError(line)
        return self._list(path) if isinstance(event, SequenceStartEvent) else self._mapping(path)

    def _list(self, path: Path) -> list[object]:
        values: list[object] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            values.append(self._value((*path, len(values)), event))
        return values

    def _mapping(self, path: Path) -> dict[str, object]:
        values: dict[str, object] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(path, event)
            at = (*path, key)
            if key in values:
                first = self.document.lines[at]
                self._fault(at, f"key given twice, first on line {first}", event)
            self.document.lines.setdefault(at, _line(event))
            values[key] = self._value(at, next(self._events))
        return values

    def _key(self, path: Path, event: Event) -> str:
        if isinstance(event, ScalarEvent) and event.tag is None:
            return str(event.value)
        self._fault(path, "a key that is not plain text", event)
        self.document.holes.add((*path, "?"))
        if isinstance(event, SequenceStartEvent | MappingStartEvent):
            self._value((*path, "?"), event)
        return "?"


def _line(event: Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1


def _scalar(event: ScalarEvent) -> object:
    if not event.style:
        for pattern, read in _SCALARS:
            if pattern.fullmatch(event.value):
                return read(event.value)
    return event.value
