"""What ``segment`` is able to do, measured on made-up frames before it takes real ones.

The whole loop runs, from JPEG to encoded results, with as much under way as for files; only the
transport is left out. The picture has no instances: what these cost shows in service.
"""

from collections.abc import Callable, Collection, Sequence

import cv2
import numpy as np

from stream import codec
from stream.errors import EndOfStream
from stream.ports import Clock, Delivery, Record, Window
from stream.segment import ARCHIVE, Segment
from stream.types import Frame, FrameId, Picture, Pixels

CAMERA = "capacity"
RAMP_BATCHES = 2
"""Rounds of full batches that are not counted: every place is taken first, and what is done at
first use is done."""
RUN_US = 1_000_000
"""For how long is counted."""
MOST_US = 2_000_000
"""All in all, at most: a role is ready as much later."""
BLOB_PX, GREYS = 8, (84, 144)
"""Size and greys of the blobs in the picture. As a JPEG of quality 80 it has 0.8 bits a pixel,
where the films that the tests use have 0.4 to 1.3; neither the demo's model nor YOLOv8n sees
anything in it, as the former does in louder ones.
"""


async def measured_rate(
    segment: Segment,
    full: int,
    encode: Callable[[Pixels], Picture],
    window: Window,
    clock: Clock,
) -> float | None:
    """Frames of the size of ``window`` that ``segment`` answers a second; None where too few came
    through to tell.

    ``segment`` counts into metrics of its own; its device holds ``full`` frames at once.
    """
    results = _Results(RAMP_BATCHES * full, clock)
    frames = _Frames(encode(_picture(window)), (window.height, window.width), results, clock)

    async def last(_: str) -> None:
        return None

    await segment.run({ARCHIVE: frames}, results, last)
    return results.rate


def _picture(window: Window) -> Pixels:
    """Grey blobs, the same in each run."""
    rows, columns = -(-window.height // BLOB_PX), -(-window.width // BLOB_PX)
    blobs = np.random.default_rng(0).integers(*GREYS, (rows, columns, 1), np.uint8)
    size = window.width, window.height
    grey = cv2.resize(np.repeat(blobs, 3, axis=2), size, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(grey, np.uint8)


class _Results:
    """A `stream.ports.Outbox` that remembers when results came. ``ramp`` of them do not count."""

    def __init__(self, ramp: int, clock: Clock) -> None:
        self._ramp = ramp
        self._clock = clock
        self._began_us = clock.now_us()
        self._came_us: list[int] = []
        self._is_over = False

    async def send(
        self, topic: str, record: Record, acknowledged: Callable[[], None] | None = None
    ) -> None:
        if topic == "masks" and not self._is_over:  # at the end there is less and less under way
            self._came_us.append(self._clock.now_us())

    async def flush(self) -> None:
        pass

    def over(self) -> bool:
        """Whether enough came."""
        now_us, counted_us = self._clock.now_us(), self._came_us[self._ramp :]
        is_enough = bool(counted_us) and now_us - counted_us[0] > RUN_US
        self._is_over |= is_enough or now_us - self._began_us > MOST_US
        return self._is_over

    @property
    def rate(self) -> float | None:
        """Results a second, as the slope of their number over time: batches come at once. Of a
        device that is slow, half of what came is the ramp.
        """
        counted_us = self._came_us[min(self._ramp, len(self._came_us) // 2) :]
        if len(set(counted_us)) < 2:
            return None
        seconds = (np.asarray(counted_us) - counted_us[0]) / 1e6
        return float(np.polyfit(seconds, np.arange(len(seconds)), 1)[0])


class _Frames:
    """A `stream.ports.Inbox` that has more until there are enough ``results``."""

    def __init__(
        self, picture: Picture, size: tuple[int, int], results: _Results, clock: Clock
    ) -> None:
        self._picture = picture
        self._size = size
        self._results = results
        self._clock = clock
        self._count = 0

    async def receive(
        self, limit: int, timeout_s: float, under_way: Collection[Delivery] = ()
    ) -> list[Delivery]:
        if self._results.over():
            raise EndOfStream("enough was measured")
        self._count += limit
        numbers = range(self._count - limit, self._count)
        return [Delivery(ARCHIVE, self._record(each), each, "") for each in numbers]

    async def commit(self, deliveries: Sequence[Delivery]) -> None:
        pass

    def _record(self, number: int) -> Record:
        place, now_us = FrameId(CAMERA, 0, number), self._clock.now_us()
        return codec.encode_frame(
            Frame(place, "archive", self._size, now_us, now_us, self._picture)
        )
