"""What the segmenting model asks of a runtime: buffers to fill, a blocking run, raw outputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from connectors.models.candidates import Level
from stream.types import Size


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """The outputs of one picture: its levels, and prototypes (rows, columns, 32) float32."""

    levels: tuple[Level, ...]
    prototypes: NDArray[np.float32]


class Slot(Protocol):
    """One place in the device's queue, for one network shape. Used by one thread at a time."""

    pictures: NDArray[np.uint8]
    """The input to fill: (batch, height, width, 3) BGR."""

    def run(self, count: int) -> Sequence[Raw]:
        """Block until the first ``count`` pictures went through.

        What comes back is valid until the next run of this slot.
        """


class Network(Protocol):
    """A network on a device. ``in_flight`` runs at once keep it busy."""

    batch_size: int
    in_flight: int
    precision: str
    """What it computes in, as results name it."""

    def slot(self, shape: Size) -> Slot:
        """A new place for network inputs of this (height, width). Slow: the first compiles."""


def split(outputs: Sequence[NDArray[np.float32]], strides: Sequence[int], count: int) -> list[Raw]:
    """The outputs of `connectors.models.raw_head.RawHead`, picture by picture, without a copy."""
    return [
        Raw(
            levels=tuple(
                Level(stride, *(outputs[3 * level + kind][index] for kind in range(3)))
                for level, stride in enumerate(strides)
            ),
            prototypes=outputs[-1][index],
        )
        for index in range(count)
    ]
