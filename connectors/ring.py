"""The latest frames of each camera with their results, kept in this process.

It reads along as any observer does. A picture is kept as JPEG, a tenth of what its pixels take;
threads encode it, and only where several wait for that does the writer of frames wait as well.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from stream.codec import decode, decode_frame, kind_of
from stream.errors import RecordError
from stream.follow import follow
from stream.join import Join
from stream.ports import RESULT_LATE_S, Delivery, Inbox
from stream.types import Encoded, Frame, FrameId, Gap, Joined, Pixels, Raw, Result

TOPICS = ("frames", "frames-archive", "masks")
MOST_BYTES = 256 * 1024 * 1024
"""Pictures of all cameras; beyond, the camera that has most of it loses its oldest."""
ENCODINGS = 8
"""Frames that are pixels still, while threads encode them."""
NOTHING = Encoded(b"")

Encode = Callable[[Pixels], Encoded]


@dataclass
class _Kept:
    frame: Frame
    result: Result | None = None

    @property
    def size_bytes(self) -> int:
        picture = self.frame.picture
        return len(picture.jpeg) if isinstance(picture, Encoded) else picture.pixels.nbytes


@dataclass
class _Camera:
    kept: dict[FrameId, _Kept] = field(default_factory=dict)
    settled: tuple[int, int] = (-1, -1)
    """Epoch and number of the newest frame of which it is known how it ended."""
    size_bytes: int = 0

    def drop_oldest(self) -> None:
        self.size_bytes -= self.kept.pop(next(iter(self.kept))).size_bytes


class Ring:
    """See `stream.ports.Retained`.

    A frame stays for ``span_s`` of event time, and for ``stay_s`` after it arrived, whichever is
    longer: event time of files runs as fast as they are read.
    """

    def __init__(
        self, span_s: float, stay_s: float, encode: Encode, most_bytes: int = MOST_BYTES
    ) -> None:
        self._span_us, self._stay_us = round(span_s * 1e6), round(stay_s * 1e6)
        self._encode = encode
        self._most_bytes = most_bytes
        self._cameras: dict[str, _Camera] = defaultdict(_Camera)
        self._join = Join(with_tracks=False)
        self._changed = asyncio.Condition()
        self._encodings = asyncio.Semaphore(ENCODINGS)
        self._ended = False

    async def keep(self, inboxes: Mapping[str, Inbox]) -> None:
        """Keep what comes in on ``inboxes`` (by topic, all of `TOPICS`) until they have ended."""
        async with asyncio.TaskGroup() as encoding:

            async def use(delivery: Delivery) -> None:
                if (message := _read(delivery)) is None:
                    return
                if isinstance(message, Frame):
                    await self._add(message, encoding)
                    stub = replace(message, picture=NOTHING)  # pixels are not to wait for a result
                    await self._settle(self._join.add_frame(stub))
                else:
                    await self._settle(self._join.add_terminal(message))

            await follow(inboxes, use)
        self._ended = True
        await self._settle(self._join.rest())

    async def frame(self, at: FrameId, ref: str | None) -> Joined | None:
        """As `stream.ports.Retained.frame`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(RESULT_LATE_S), self._changed:
                await self._changed.wait_for(lambda: self._is_settled(at))
        kept = self._cameras[at.camera].kept.get(at)
        return None if kept is None else Joined(kept.frame, kept.result, None)

    async def around(
        self, at: FrameId, ref: str | None, before_us: int, after_us: int
    ) -> AsyncGenerator[Joined, None]:
        """As `stream.ports.Retained.around`."""
        middle = await self.frame(at, ref)
        if middle is None:
            return
        first_us, last_us = middle.frame.time_us - before_us, middle.frame.time_us + after_us
        for kept in list(self._cameras[at.camera].kept.values()):
            frame = kept.frame
            if frame.id.epoch == at.epoch and first_us <= frame.time_us <= last_us:
                yield Joined(frame, kept.result, None)

    def _is_settled(self, at: FrameId) -> bool:
        return self._ended or self._cameras[at.camera].settled >= (at.epoch, at.seq)

    async def _add(self, frame: Frame, encoding: asyncio.TaskGroup) -> None:
        camera = self._cameras[frame.id.camera]
        if frame.id in camera.kept:
            return
        kept = _Kept(frame)
        camera.kept[frame.id] = kept
        camera.size_bytes += kept.size_bytes
        self._forget(camera, frame)
        if isinstance(frame.picture, Raw):
            await self._encodings.acquire()
            encoding.create_task(self._shrink(camera, kept, frame.picture))

    async def _shrink(self, camera: _Camera, kept: _Kept, picture: Raw) -> None:
        try:
            encoded = await asyncio.to_thread(self._encode, picture.pixels)
        finally:
            self._encodings.release()
        before = kept.size_bytes
        kept.frame = replace(kept.frame, picture=encoded)
        if kept.frame.id in camera.kept:
            camera.size_bytes += kept.size_bytes - before

    def _forget(self, camera: _Camera, newest: Frame) -> None:
        while self._is_over(next(iter(camera.kept.values())).frame, newest):
            camera.drop_oldest()
        while sum(each.size_bytes for each in self._cameras.values()) > self._most_bytes:
            max(self._cameras.values(), key=lambda each: each.size_bytes).drop_oldest()

    def _is_over(self, frame: Frame, newest: Frame) -> bool:
        is_of_now = (
            frame.id.epoch == newest.id.epoch and newest.time_us - frame.time_us <= self._span_us
        )
        return not is_of_now and newest.arrived_us - frame.arrived_us > self._stay_us

    async def _settle(self, joined: Iterable[Joined]) -> None:
        for each in joined:
            camera, at = self._cameras[each.frame.id.camera], each.frame.id
            camera.settled = max(camera.settled, (at.epoch, at.seq))
            if at in camera.kept:
                camera.kept[at].result = each.result
        async with self._changed:
            self._changed.notify_all()


def _read(delivery: Delivery) -> Frame | Result | Gap | None:
    """What of a record is kept; what cannot be read is the business of whoever works on it."""
    record = delivery.record
    try:
        kind = kind_of(record)
        if kind == "frame":
            return decode_frame(record)
        if delivery.topic == "masks" and kind in {"result", "gap"}:
            message = decode(record)
            return message if isinstance(message, Result | Gap) else None
    except RecordError:
        pass
    return None
