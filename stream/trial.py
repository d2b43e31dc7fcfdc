"""A trial run of ``segment`` on made-up frames, before it takes real ones: what it is able to do.

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

CAMERA = "trial"
RAMP_US = 200_000
"""Until every place is taken and the first batches are through."""
RUN_US = 1_200_000
"""All in all: a role is ready as much later."""
BLOB_PX = 32
"""Size of the blobs in the picture: as a JPEG of quality 80 it has 0.8 bits a pixel, where the
films that the tests use have 0.4 to 1.3."""


async def trial_rate(
    segment: Segment, encode: Callable[[Pixels], Picture], window: Window, clock: Clock
) -> float | None:
    """Frames of the size of ``window`` that ``segment`` answers a second; None where too few came
    through to tell.

    ``segment`` counts into metrics of its own.
    """
    frames = _Frames(encode(_picture(window)), (window.height, window.width), clock)
    results = _Results(clock)

    async def last(_: str) -> None:
        return None

    await segment.run({ARCHIVE: frames}, results, last)
    return results.rate(frames.began_us + RAMP_US)


def _picture(window: Window) -> Pixels:
    """Coloured blobs, the same in each run."""
    rows, columns = -(-window.height // BLOB_PX), -(-window.width // BLOB_PX)
    blobs = np.random.default_rng(0).integers(0, 256, (rows, columns, 3), np.uint8)
    size = window.width, window.height
    return np.asarray(cv2.resize(blobs, size, interpolation=cv2.INTER_CUBIC), np.uint8)


class _Frames:
    """A `stream.ports.Inbox` that always has more, for `RUN_US`."""

    def __init__(self, picture: Picture, size: tuple[int, int], clock: Clock) -> None:
        self.began_us = clock.now_us()
        self._picture = picture
        self._size = size
        self._clock = clock
        self._count = 0

    async def receive(
        self, limit: int, timeout_s: float, under_way: Collection[Delivery] = ()
    ) -> list[Delivery]:
        now_us = self._clock.now_us()
        if now_us - self.began_us > RUN_US:
            raise EndOfStream("the trial is over")
        self._count += limit
        numbers = range(self._count - limit, self._count)
        return [Delivery(ARCHIVE, self._record(each, now_us), each, "") for each in numbers]

    async def commit(self, deliveries: Sequence[Delivery]) -> None:
        pass

    def _record(self, number: int, now_us: int) -> Record:
        place = FrameId(CAMERA, 0, number)
        return codec.encode_frame(
            Frame(place, "archive", self._size, now_us, now_us, self._picture)
        )


class _Results:
    """A `stream.ports.Outbox` that remembers when results came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._came_us: list[int] = []

    async def send(
        self, topic: str, record: Record, acknowledged: Callable[[], None] | None = None
    ) -> None:
        if topic == "masks":
            self._came_us.append(self._clock.now_us())

    async def flush(self) -> None:
        pass

    def rate(self, from_us: int) -> float | None:
        """Results a second between the first after ``from_us`` and the last that more waited
        behind.
        """
        until_us = from_us - RAMP_US + RUN_US
        counted = [at for at in self._came_us if from_us <= at <= until_us]
        if not counted or counted[-1] == counted[0]:
            return None
        later = sum(at > counted[0] for at in counted)
        return later / (counted[-1] - counted[0]) * 1e6
