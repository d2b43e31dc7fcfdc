"""Recordings that are made by hand, so that their alerts are known."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from stream import codec
from stream.types import MaskMessage, Result
from tests.support.build import MODEL, SIZE, instance
from tests.support.clock import START_US

STEP_US = 1_000_000

CONFIG = """\
model: {weights: yolo}
cameras:
  - {id: hall, url: hall.mp4, mode: archive}
  - {id: yard, url: yard.mp4, mode: archive}
zones:
  - {id: door, camera: hall, polygon: [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}
rules:
  - {id: in-door, kind: presence, zone: door, labels: [person], frames: 1, resolve: 0,
     severity: info}
  - {id: quiet, kind: presence, zone: door, labels: [person], frames: 1000}
  - {id: down, kind: health, conditions: [lost], for: 0, resolve: 0, severity: critical}
"""


def at_us(second: int) -> int:
    """The event time of a result."""
    return START_US + second * STEP_US


def seen(
    pattern: str, camera: str = "hall", *, first: int = 0, epoch: int = 1, label: str = "person"
) -> Iterator[Result]:
    """A result each second for each sign: ``x`` somebody, ``.`` nobody; ``-`` none was made."""
    for second, sign in enumerate(pattern, first):
        if sign != "-":
            some = (instance(label=label),) if sign == "x" else ()
            yield Result(camera, epoch, second, at_us(second), at_us(second), SIZE, MODEL, some)


def written(path: Path, messages: Iterable[MaskMessage]) -> Path:
    """A results file of these."""
    path.write_bytes(b"".join(codec.to_json(each) + b"\n" for each in messages))
    return path
