"""One batch's way over a torch device: pictures and queries in, network, boxes, masks, and back.

The network and the boxes have shapes that never change, so they are one captured step. The lists of
masks have room for what the last batches needed; a batch that needs more shows in the counts that
come back with it, and then what follows the network is done again.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from connectors.models.device_boxes import Boxes, anchors, keep
from connectors.models.device_detections import needed, pack, unpack
from connectors.models.device_masks import edges
from connectors.models.device_queries import FIGURES, Queries, queries, rows
from connectors.models.device_room import LEAST, Room, Rooms
from connectors.models.letterbox import Geometry
from connectors.models.network import Detection, Query
from connectors.models.torch_streams import Stream
from stream import tracing
from stream.errors import OutOfMemoryError
from stream.types import Size

Tensor = Any

_log = logging.getLogger(__name__)


class RawNetwork(Protocol):
    """A network whose raw outputs are those of `connectors.models.raw_head.RawHead`.

    ``sizes`` are those of its batches, ascending, ``labels`` how many it tells apart.
    """

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    labels: int

    def run(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Raw outputs of uint8 (batch, height, width, 3) BGR on the device."""


class Seen(NamedTuple):
    """What the captured step gives: raw outputs, what was asked, and the boxes that stay."""

    outputs: tuple[Tensor, ...]
    queries: Queries
    boxes: Boxes


class TorchSlot:
    """Buffers on both sides and a stream between them, for one network input."""

    def __init__(self, network: RawNetwork, stream: Stream, shape: Size) -> None:
        self._network = network
        self._stream = stream
        self._shape = shape
        most, columns = network.sizes[-1], FIGURES + network.labels
        self._staged = stream.host((most, *shape, 3), torch.uint8)
        self._asked = stream.host((most, columns), torch.float64)
        self.pictures: NDArray[np.uint8] = self._staged.numpy()
        self._input, self._figures, self._anchors = stream.run(
            lambda: (
                torch.zeros_like(self._staged, device=stream.device),
                torch.zeros_like(self._asked, device=stream.device),
                anchors(shape, network.strides, stream.device),
            )
        )
        self._steps: dict[int, Callable[[], Seen]] = {}
        self._rooms: defaultdict[int, Rooms] = defaultdict(Rooms)
        self._too_large = most + 1
        self._watch = stream.stopwatch()
        self.network_s = 0.0

    def warm_up(self) -> None:
        """Prepare batches of every size that the device has memory for, and run each once."""
        geometry = Geometry(
            window=self._shape, network=self._shape, inner=self._shape, top=0, left=0
        )
        query = Query(geometry, (0, 0), self._shape[0], confidence=0.5, iou=0.7, wanted=None)
        # The largest first: its memory serves the others.
        for size in reversed(self._network.sizes):
            try:
                self.detect([query] * size)
            except OutOfMemoryError as error:
                _log.warning("batches of %d: %s", size, error)

    def detect(self, queries: Sequence[Query]) -> list[list[Detection]]:
        """What is found in the first pictures, one a query, best first.

        Raises `OutOfMemoryError` where the device has no memory for so many.
        """
        with tracing.span("network"):  # boxes and masks with it: the host waits for all at once
            return self._stream.run(lambda: self._detect(queries))

    def _detect(self, asked: Sequence[Query]) -> list[list[Detection]]:
        count = len(asked)
        size = next(size for size in self._network.sizes if size >= count)
        step = self._step(size)
        self._asked[:size] = torch.from_numpy(rows(asked, self._network.labels, size))
        self._input[:count].copy_(self._staged[:count], non_blocking=True)
        self._figures[:size].copy_(self._asked[:size], non_blocking=True)
        self._watch.start()
        seen = step()
        self._watch.stop()
        room = self._rooms[size].next
        packed = self._fetched(seen, room)
        while not room.holds(needs := needed(packed)):
            room = room.larger(needs.in_powers())
            packed = self._fetched(seen, room)
        self._rooms[size].took(needs)
        self.network_s = self._watch.seconds()
        return unpack(packed, size, count)

    def _step(self, size: int) -> Callable[[], Seen]:
        """Network and boxes of a batch of this size, captured when it is first asked for."""
        if size not in self._steps:
            if size >= self._too_large:
                raise OutOfMemoryError(f"no memory for the network with a batch of {size}")
            before, self._too_large = self._too_large, size  # unless this goes well
            self._steps[size] = self._stream.captured(lambda: self._seen(size))
            self._too_large = before
        return self._steps[size]

    def _seen(self, size: int) -> Seen:
        outputs = self._network.run(self._input[:size])
        asked = queries(self._figures[:size])
        boxes = keep(outputs, self._anchors, asked, LEAST.candidates, LEAST.rounds)
        return Seen(outputs, asked, boxes)

    def _fetched(self, seen: Seen, room: Room) -> NDArray[np.int32]:
        """What of a batch fits into this room, and what it would have taken, on the host."""
        outputs, asked, boxes = seen
        if (room.candidates, room.rounds) != (LEAST.candidates, LEAST.rounds):
            boxes = keep(outputs, self._anchors, asked, room.candidates, room.rounds)
        return self._stream.fetch(pack(boxes, edges(outputs[-1], boxes, asked, room)))
