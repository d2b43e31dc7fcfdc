"""A fault of a configuration, and where in the file it is."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from stream.config.redact import quoted, redact
from stream.errors import ConfigError

Path = tuple[str | int, ...]
"""Keys and indices from the top of the document, as ``("cameras", 0, "fps")``."""

MOST_FAULTS = 50
_PLAIN_KEY = re.compile(r"[\w-]{1,64}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong at ``path``. ``line`` (from 1) where the path does not tell it.

    ``comes_first``: others may only follow from it.
    """

    path: Path
    text: str
    line: int | None = None
    comes_first: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that settings came from, and the line of each of its paths, from 1."""

    file: str = "configuration"
    lines: Mapping[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """The line of ``path``, or of what it lies in."""
        longest = (path[:length] for length in range(len(path), -1, -1))
        return next((self.lines[part] for part in longest if part in self.lines), None)

    def error(self, faults: Iterable[Fault]) -> ConfigError:
        """All faults, as `told` says them."""
        return ConfigError("\n".join(self.told(faults)))

    def told(self, faults: Iterable[Fault]) -> list[str]:
        """A line each: those that others may follow from, then the others, in the order of the
        file; the first `MOST_FAULTS` are worded.
        """
        placed = sorted(((fault.line or self.line(fault.path) or 0, fault) for fault in faults),
                        key=lambda pair: (not pair[1].comes_first, pair[0]))  # fmt: skip
        said = list(dict.fromkeys(self._worded(line, fault) for line, fault in placed))
        rest = len(said) - MOST_FAULTS
        more = [f"{self.file}: and {rest} more"] if rest > 0 else []
        return [*islice(said, MOST_FAULTS), *more]

    def _worded(self, line: int, fault: Fault) -> str:
        where = f"{self.file}:{line}" if line else self.file
        return ": ".join(part for part in (where, place(fault.path), fault.text) if part)


def place(path: Path) -> str:
    """``cameras[0].fps`` for ``("cameras", 0, "fps")``; odd keys are quoted and cut short."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _PLAIN_KEY.fullmatch(part) else quoted(redact(part))
            text += f".{key}" if text else key
    return text
