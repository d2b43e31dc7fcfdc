"""What was recorded, a line at a time: the lines of a results file, or the records of ``masks``."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from connectors import open_kafka
from stream import codec
from stream.codec import Message
from stream.config import Settings
from stream.errors import ConfigError
from stream.ports import Record

_CAMERA = re.compile(rb'"camera"\s*:\s*"([^"\\]*)"')


class Line(NamedTuple):
    """A record and where it was found, in words."""

    place: str
    record: Record


@dataclass
class Passed:
    """How many lines were taken of about how many: a file's are estimated from its size."""

    total: int | None = None
    done: int = 0
    _began_s: float = field(default_factory=monotonic)

    @property
    def done_per_s(self) -> float | None:
        """Lines a second since the beginning."""
        return self.done / (monotonic() - self._began_s) if self.done else None

    rate_per_s = done_per_s


Read = Callable[[Record], Message]


@dataclass(frozen=True)
class Recording:
    """``read`` makes messages of its lines; ``lines`` begins at the first, once."""

    name: str
    read: Read
    passed: Passed
    lines: AsyncIterator[Line]


def of_file(path: Path) -> Recording:
    """A results file. Raises `ConfigError` where it cannot be opened."""
    try:
        with path.open("rb"):
            size_bytes = path.stat().st_size
    except OSError as error:
        hint = "; maskstream run CONFIG writes results where outputs.results says"
        raise ConfigError(f"{path}: {error.strerror}{hint}") from error
    passed = Passed()
    return Recording(str(path), from_line, passed, _lines(path, size_bytes, passed))


def of_topic(settings: Settings, since_us: int | None) -> Recording:
    """The topic ``masks`` as it is now, or what its brokers have had of it since an instant."""
    passed = Passed()
    return Recording("masks", codec.decode, passed, _records(settings, since_us, passed))


def from_line(record: Record) -> Message:
    """The message in a line of a file. Raises as `stream.codec.from_json` does."""
    return codec.from_json(record.value)


async def _lines(path: Path, size_bytes: int, passed: Passed) -> AsyncIterator[Line]:
    read_bytes = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            read_bytes += len(line)
            passed.total = size_bytes * number // read_bytes
            found = _CAMERA.search(line)
            camera = found[1].decode(errors="replace") if found else ""
            yield Line(f"{path}:{number}", Record(camera, line))


async def _records(settings: Settings, since_us: int | None, passed: Passed) -> AsyncIterator[Line]:
    transport = open_kafka(settings)
    await transport.check("audit")
    passed.total = await transport.count("masks", since_us)
    async for record in transport.whole("masks", since_us):
        name = record.headers.get("ce_id", b"").decode(errors="replace")[:100]
        yield Line(f"masks: {name or record.key}", record)
