"""Picture sources made of arrays."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from stream.errors import CameraError
from stream.ingest import OpenFeed
from stream.ports import Feed, Shot
from stream.sampling import Sampler
from stream.specs import CameraSpec
from stream.types import Pixels, Size
from tests.support.build import picture
from tests.support.clock import START_US


class ArrayFeed:
    """A `stream.ports.Feed` of pictures at a steady rate. They arrive at ``began_us``, or from then
    on at their rate where ``paced``.

    It breaks with ``error`` after the last picture, where one is given. A picture comes only once
    ``gate`` lets one through, where there is a gate. ``exhausted`` is set after the last.
    """

    def __init__(
        self,
        pictures: Iterable[Pixels],
        *,
        fps: float = 10.0,
        started_us: int | None = None,
        error: CameraError | None = None,
        gate: asyncio.Semaphore | None = None,
        paced: bool = False,
        began_us: int = START_US,
    ) -> None:
        self._pictures = list(pictures)
        self._times_s = [index / fps for index in range(len(self._pictures))]
        self._error = error
        self._gate = gate
        self._paced = paced
        self._began_us = began_us
        self.exhausted = asyncio.Event()
        self.size: Size = self._pictures[0].shape[:2] if self._pictures else (4, 6)
        self.fps: float | None = fps
        self.started_us = started_us
        self.frames: int | None = len(self._pictures)

    async def shots(self, sampler: Sampler) -> AsyncIterator[Shot]:
        for time_s, pixels in zip(self._times_s, self._pictures, strict=True):
            await (self._gate.acquire() if self._gate else asyncio.sleep(0))
            if sampler.keeps(time_s):
                arrived_us = self._began_us + round(time_s * 1e6) * self._paced
                yield Shot(time_s, arrived_us, pixels.shape[:2], pixels.copy)
        self.exhausted.set()
        if self._error is not None:
            raise self._error


def blank_feed(count: int, *, started_us: int | None = None) -> ArrayFeed:
    """``count`` black pictures, ten a second."""
    return ArrayFeed([picture()] * count, started_us=started_us)


def feeds(sources: Mapping[str, Iterable[Feed | CameraError]]) -> OpenFeed:
    """Opens each camera's sources one after another; an error among them is raised in opening."""
    waiting = {camera: iter(list(each)) for camera, each in sources.items()}

    @asynccontextmanager
    async def open_feed(camera: CameraSpec) -> AsyncIterator[Feed]:
        source = next(waiting[camera.id])
        if isinstance(source, CameraError):
            raise source
        yield source

    return open_feed
