"""The loop of ``ingest``: cameras in, frames and control records out.

One task a camera. What a file gives waits for the transport. What a live camera gives never
waits: a few frames are held while the transport is full, then the oldest becomes part of a gap.
Only frames that are offered are converted from the decoder's own format, off the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from stream import codec
from stream.epoch import EpochWriter
from stream.errors import CameraError
from stream.metrics import Metrics
from stream.ports import Begin, Clock, Epochs, Feed, Outbox, Shot
from stream.sampling import Sampler, frames_kept
from stream.specs import CameraSpec
from stream.types import (
    CameraState,
    CameraStatus,
    CloseReason,
    EpochOpened,
    Frame,
    Picture,
    Pixels,
)

OpenFeed = Callable[[CameraSpec], AbstractAsyncContextManager[Feed]]
TOPICS = ("frames", "frames-archive", "camera-status")

HELD_FRAMES = 4
"""Live frames that wait for the transport: enough to ride out a pause of some frames, few enough
that what waits is still worth sending."""
RETRY_FIRST_S, RETRY_MOST_S = 0.2, 3.0
"""Back-off of a lost live camera: nobody looks at a dark picture for longer than this."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A frame that sampling kept, not yet converted."""

    seq: int
    time_us: int
    arrived_us: int
    shot: Shot


class Ingest:
    """Runs cameras until each has ended (files) or is cancelled (live)."""

    def __init__(
        self,
        open_feed: OpenFeed,
        to_picture: Callable[[Pixels], Picture],
        outbox: Outbox,
        clock: Clock,
        metrics: Metrics,
        epochs: Epochs,
    ) -> None:
        self._open_feed = open_feed
        self._to_picture = to_picture
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._epochs = epochs

    async def run(self, cameras: tuple[CameraSpec, ...]) -> None:
        """Run all cameras side by side."""
        async with asyncio.TaskGroup() as tasks:
            for camera in cameras:
                tasks.create_task(self._run_camera(camera), name=f"ingest {camera.id}")

    async def _run_camera(self, camera: CameraSpec) -> None:
        retry_s = RETRY_FIRST_S
        while (begin := await self._epochs.begin(camera)) is not None:
            began_us = self._clock.now_us()
            try:
                await self._run_epoch(camera, begin)
            except CameraError as error:
                if camera.mode == "archive" or not error.retriable:
                    await self._status(camera, "failed", str(error))
                    return
                await self._status(camera, "lost", str(error))
                if self._clock.now_us() - began_us > RETRY_MOST_S * 1e6:
                    retry_s = RETRY_FIRST_S  # it was there for a while, or slow to fail
                await self._clock.sleep(retry_s)
                retry_s = min(2 * retry_s, RETRY_MOST_S)
            else:
                await self._status(camera, "ended")
                if not camera.loop:
                    return
                await self._outbox.flush()  # where a file stands is read from what is acknowledged
                retry_s = RETRY_FIRST_S

    async def _run_epoch(self, camera: CameraSpec, begin: Begin) -> None:
        await self._status(camera, "connecting")
        async with self._open_feed(camera) as feed:
            topic = "frames-archive" if camera.mode == "archive" else "frames"
            writer = EpochWriter(topic, camera.id, begin, self._outbox, self._metrics)
            if begin.is_new:
                await writer.open(self._opened(camera, begin.epoch, feed))
            await self._status(camera, "live")
            if camera.mode == "archive":
                await self._play_archive(camera, feed, writer, begin)
            else:
                await self._play_live(camera, feed, writer)

    def _opened(self, camera: CameraSpec, number: int, feed: Feed) -> EpochOpened:
        start_us = self._clock.now_us()
        if camera.mode == "archive" and feed.started_us is not None:
            start_us = feed.started_us
        rates = [fps for fps in (camera.fps, feed.fps) if fps is not None]
        return EpochOpened(
            camera.id,
            number,
            start_us,
            camera.mode,
            feed.size,
            min(rates, default=None),
            _expected(camera, feed),
        )

    async def _play_archive(
        self, camera: CameraSpec, feed: Feed, writer: EpochWriter, begin: Begin
    ) -> None:
        """Write each offered frame of a file from ``begin`` on; event time is the file's own."""
        offers = _Offers(camera, feed, self._clock)
        async with _closing(offers, writer, begin.goes_on):
            async for offer in offers:
                if offer.seq >= begin.first:
                    await writer.write(await self._frame(camera, offer, writer))

    async def _play_live(self, camera: CameraSpec, feed: Feed, writer: EpochWriter) -> None:
        """Write what the transport has room for; the oldest of the rest is dropped."""
        offers = _Offers(camera, feed, self._clock)
        held: asyncio.Queue[_Offer | None] = asyncio.Queue(HELD_FRAMES)
        async with _closing(offers, writer):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write_held(camera, held, writer))
                lost = await _hold(offers, held)
            if lost is not None:
                raise lost

    async def _write_held(
        self, camera: CameraSpec, held: asyncio.Queue[_Offer | None], writer: EpochWriter
    ) -> None:
        while (offer := await held.get()) is not None:
            await writer.write(await self._frame(camera, offer, writer))

    async def _frame(self, camera: CameraSpec, offer: _Offer, writer: EpochWriter) -> Frame:
        picture = await asyncio.to_thread(lambda: self._to_picture(offer.shot.pixels()))
        return Frame(
            writer.frame_id(offer.seq),
            camera.mode,
            offer.shot.size,
            offer.time_us,
            offer.arrived_us,
            picture,
        )

    async def _status(self, camera: CameraSpec, state: CameraState, reason: str = "") -> None:
        self._metrics.camera_live.labels(camera.id).set(state == "live")
        status = CameraStatus(camera.id, state, self._clock.now_us(), reason)
        await self._outbox.send("camera-status", codec.encode(status))


class _Offers:
    """The frames of a feed that are offered, numbered; remembers how many and when the last was."""

    def __init__(self, camera: CameraSpec, feed: Feed, clock: Clock) -> None:
        self._feed = feed
        self._clock = clock
        self._sampler = Sampler(camera.fps)
        self._started_us = feed.started_us if camera.mode == "archive" else None
        self.count = 0
        self.last_us = clock.now_us() if self._started_us is None else self._started_us

    async def __aiter__(self) -> AsyncIterator[_Offer]:
        async for shot in self._feed:
            if not self._sampler.keeps(shot.time_s):
                continue
            now_us = self._clock.now_us()
            self.last_us = now_us
            if self._started_us is not None:
                self.last_us = self._started_us + round(shot.time_s * 1e6)
            yield _Offer(self.count, self.last_us, now_us, shot)
            self.count += 1  # not before it was taken: a file that is stopped has no gap


@asynccontextmanager
async def _closing(
    offers: _Offers, writer: EpochWriter, goes_on: bool = False
) -> AsyncIterator[None]:
    """Close the epoch however it ends, with the reason; not where a later process goes on in it."""
    reason: CloseReason | None = None if goes_on else "stopped"
    try:
        yield
        reason = "ended"
    except CameraError:
        reason = "lost"
        raise
    finally:
        if reason is not None:
            await writer.close(offers.count, offers.last_us, reason)


async def _hold(offers: _Offers, held: asyncio.Queue[_Offer | None]) -> CameraError | None:
    """Put offers into ``held``, at the cost of the oldest when it is full, then the end.

    Returns the error that the feed broke with, so that what is held is still written.
    """
    lost = None
    try:
        async for offer in offers:
            if held.full():
                held.get_nowait()
            held.put_nowait(offer)
    except CameraError as error:
        lost = error
    await held.put(None)
    return lost


def _expected(camera: CameraSpec, feed: Feed) -> int | None:
    if feed.frames is None or camera.loop:
        return None
    if camera.fps is None or feed.fps is None:
        return feed.frames
    return frames_kept(feed.frames, feed.fps, camera.fps)
