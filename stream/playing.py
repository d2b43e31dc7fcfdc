"""One epoch of one camera: the shots of a feed become frames, from its opening to its close.

What a file gives waits for the transport. What a live camera gives never waits: a few frames are
held while the transport is full, then the oldest becomes part of a gap. Only frames that are
offered are converted from the decoder's own format, off the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from stream import codec, tracing
from stream.epoch import EpochWriter
from stream.errors import CameraChangedError, CameraError
from stream.metrics import Metrics
from stream.ports import Begin, Clock, Feed, Outbox, Shot
from stream.privacy import black_out
from stream.sampling import Sampler, frames_kept
from stream.seeing import Look, Thumbnail, thumbnail
from stream.specs import CameraSpec
from stream.telling import Teller
from stream.types import CloseReason, EpochClosed, EpochOpened, Frame, Picture, Pixels

ToPicture = Callable[[Pixels], Picture]
"""Makes of pixels what travels."""
HELD_FRAMES = 4
"""Live frames that wait for the transport: enough to ride out a pause of some frames, few enough
that what waits is still worth sending."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A frame that sampling kept, not yet converted."""

    seq: int
    time_us: int
    shot: Shot


class Player:
    """Writes epochs to ``outbox``."""

    def __init__(
        self,
        to_picture: ToPicture,
        outbox: Outbox,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._to_picture = to_picture
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics

    async def play_file(self, camera: CameraSpec, feed: Feed, begin: Begin) -> None:
        """Write the epoch that ``begin`` names until ``feed`` ends. Raises what it breaks with.

        Each offered frame from ``begin`` on is written; event time is the file's own.
        """
        writer = self.writer(camera, begin)
        await self.close(begin.due)
        if begin.is_new:
            await writer.open(self._opened(camera, begin.epoch, feed))
        offers = _Offers(camera, feed, self._clock)
        async with _closing(offers, writer, begin.goes_on):
            async for offer in offers:
                if offer.seq >= begin.first:
                    with _traced(offer, writer):
                        picture = await asyncio.to_thread(self._picture, camera, offer.shot)
                        frame = _frame(camera, offer, writer, picture)
                        await writer.write(frame, self._published(frame))

    async def play_live(self, camera: CameraSpec, feed: Feed, begin: Begin, teller: Teller) -> None:
        """As `play_file`, but what the transport has no room for is dropped, the oldest first.

        ``teller`` has a look at what is written.
        """
        writer = self.writer(camera, begin)
        opened = self._opened(camera, begin.epoch, feed)
        await writer.open(opened)
        teller.begin(writer, opened.time_us, feed.size, opened.fps)
        offers = _Offers(camera, feed, self._clock)
        held: asyncio.Queue[_Offer | None] = asyncio.Queue(HELD_FRAMES)
        async with _closing(offers, writer):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write_held(camera, held, writer, teller))
                lost = await _hold(offers, held)
            if lost is not None:
                raise lost

    def writer(self, camera: CameraSpec, begin: Begin) -> EpochWriter:
        """A writer of the epoch that ``begin`` names."""
        topic = "frames-archive" if camera.mode == "archive" else "frames"
        return EpochWriter(topic, camera.id, begin, self._outbox, self._metrics)

    async def close(self, due: EpochClosed | None) -> None:
        """Write the close of a file's epoch in which nobody goes on, where there is one."""
        if due is not None:
            await self._outbox.send("frames-archive", codec.encode(due))

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

    async def _write_held(
        self,
        camera: CameraSpec,
        held: asyncio.Queue[_Offer | None],
        writer: EpochWriter,
        teller: Teller,
    ) -> None:
        while (offer := await held.get()) is not None:
            with _traced(offer, writer):
                picture, small = await asyncio.to_thread(self._converted, camera, offer.shot)
                await writer.reach(offer.seq, offer.time_us)
                await teller.look(Look(offer.seq, offer.time_us, small, offer.shot.camera_us))
                frame = _frame(camera, offer, writer, picture)
                await writer.write(frame, self._published(frame))

    def _picture(self, camera: CameraSpec, shot: Shot) -> Picture:
        return self._encoded(self._decoded(camera, shot))

    def _converted(self, camera: CameraSpec, shot: Shot) -> tuple[Picture, Thumbnail]:
        pixels = self._decoded(camera, shot)
        return self._encoded(pixels), thumbnail(pixels)

    def _decoded(self, camera: CameraSpec, shot: Shot) -> Pixels:
        began_us = self._clock.now_us()
        pixels = _shown(camera, shot)
        self._metrics.spent("ingest_decode", shot.decoding_us + self._clock.now_us() - began_us)
        return pixels

    def _encoded(self, pixels: Pixels) -> Picture:
        began_us = self._clock.now_us()
        with tracing.span("encode"):
            picture = self._to_picture(pixels)
        self._metrics.spent("ingest_encode", self._clock.now_us() - began_us)
        return picture

    def _published(self, frame: Frame) -> Callable[[], None]:
        """To be called once the frame that is about to be handed over is acknowledged."""
        handed_us = self._clock.now_us()

        def acknowledged() -> None:
            now_us = self._clock.now_us()
            self._metrics.spent("ingest_publish", now_us - handed_us)
            if frame.mode == "live":
                self._metrics.aged("published", now_us - frame.arrived_us)

        return acknowledged


def _shown(camera: CameraSpec, shot: Shot) -> Pixels:
    with tracing.span("convert"):
        pixels = shot.pixels()
        black_out(pixels, camera.privacy)
    return pixels


@contextmanager
def _traced(offer: _Offer, writer: EpochWriter) -> Iterator[None]:
    """The body is what a frame takes here. Here its trace begins, when its picture came."""
    spans = tracing.first("ingest", offer.shot.arrived_us)
    try:
        with tracing.within(spans):
            if spans:
                tracing.tell(camera=writer.camera, frame=str(writer.frame_id(offer.seq)))
            if (decoded_us := offer.shot.decoded_us) is not None:
                tracing.was("decode", offer.shot.arrived_us, decoded_us)
            yield
    finally:
        tracing.end(spans)


class _Offers:
    """The frames of a feed that are offered, numbered; remembers how many and when the last was."""

    def __init__(self, camera: CameraSpec, feed: Feed, clock: Clock) -> None:
        self._shots = feed.shots(Sampler(camera.fps))
        self._started_us = feed.started_us if camera.mode == "archive" else None
        self.count = 0
        self.last_us = clock.now_us() if self._started_us is None else self._started_us

    async def __aiter__(self) -> AsyncIterator[_Offer]:
        async for shot in self._shots:
            self.last_us = shot.arrived_us
            if self._started_us is not None:
                self.last_us = self._started_us + round(shot.time_s * 1e6)
            yield _Offer(self.count, self.last_us, shot)
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
    except CameraChangedError:
        reason = "changed"
        raise
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


def _frame(camera: CameraSpec, offer: _Offer, writer: EpochWriter, picture: Picture) -> Frame:
    return Frame(
        writer.frame_id(offer.seq),
        camera.mode,
        offer.shot.size,
        offer.time_us,
        offer.shot.arrived_us,
        picture,
        offer.shot.camera_us,
    )


def _expected(camera: CameraSpec, feed: Feed) -> int | None:
    if feed.frames is None or camera.loop:
        return None
    if camera.fps is None or feed.fps is None:
        return feed.frames
    return frames_kept(feed.frames, feed.fps, camera.fps)
