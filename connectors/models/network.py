"""What the segmenting model asks of a runtime: buffers to fill, and what is found in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from connectors.models.letterbox import Geometry
from stream.types import Box, Size


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """What is asked of one picture of a batch.

    ``geometry`` is how its window was letterboxed, ``corner`` the window's x and y in its frame,
    ``frame_height`` the frame's height, all in pixels. Scores above ``confidence`` count, boxes
    that overlap a better one by more than ``iou`` go, ``wanted`` (labels,) says which labels count;
    None: all.
    """

    geometry: Geometry
    corner: tuple[int, int]
    frame_height: int
    confidence: float
    iou: float
    wanted: NDArray[np.bool_] | None


class Detection(NamedTuple):
    """Something found: ``box`` x1, y1, x2, y2 in window pixels, clipped to it, ``label`` an index.

    ``edges`` are the run boundaries of its mask in column-major order of the frame: they ascend,
    and two are equal where a run is empty or touches the next one.
    """

    box: Box
    score: float
    label: int
    edges: NDArray[np.signedinteger]


class Slot(Protocol):
    """One place in the device's queue, for one network shape. Used by one thread at a time."""

    pictures: NDArray[np.uint8]
    """The input to fill: (batch, height, width, 3) BGR."""
    network_s: float
    """How long the network took for what was detected last, as far as the host can tell."""

    def warm_up(self) -> None:
        """Do now what would else be done, slowly, at the first batches."""

    def detect(self, queries: Sequence[Query]) -> list[list[Detection]]:
        """Block until the first pictures, one a query, went through; of each, the best first.

        Raises `OutOfMemoryError` where the device has no memory for so many at once.
        """


class Network(Protocol):
    """A network on a device. ``in_flight`` runs at once keep it busy."""

    batch_size: int
    in_flight: int
    precision: str
    """What it computes in, as results name it."""

    def slot(self, shape: Size) -> Slot:
        """A new place for network inputs of this (height, width). Slow: the first compiles."""
