"""Writing one epoch of one camera: every number from 0 to its close, without a hole."""

from collections.abc import Callable

from stream import codec, tracing
from stream.metrics import Metrics
from stream.ports import Begin, Outbox
from stream.seeing import Finding
from stream.types import (
    FIRST_US,
    CameraHealth,
    CloseReason,
    Condition,
    EpochClosed,
    EpochOpened,
    Frame,
    FrameId,
    Gap,
)

MOST_DETAIL = 300
"""Characters of what is told in words."""


class EpochWriter:
    """Writes an epoch's records in order and covers what was skipped with gaps.

    The writer only knows the next number to be written. A frame with a higher number, or a close
    after more frames, shows what was dropped in between, wherever that happened.
    """

    def __init__(
        self, topic: str, camera: str, begin: Begin, outbox: Outbox, metrics: Metrics
    ) -> None:
        self.camera = camera
        self.epoch = begin.epoch
        self._topic = topic
        self._outbox = outbox
        self._metrics = metrics
        metrics.frames_dropped.labels(camera, "overflow")
        self._next = begin.first
        self._told_us = FIRST_US

    def frame_id(self, seq: int) -> FrameId:
        """The identity of this epoch's frame ``seq``."""
        return FrameId(self.camera, self.epoch, seq)

    async def open(self, opened: EpochOpened) -> None:
        """Write the epoch's first record."""
        await self._outbox.send(self._topic, codec.encode(opened))
        self._metrics.camera_connects.labels(self.camera).inc()

    async def reach(self, seq: int, time_us: int) -> None:
        """Write a gap for the numbers before ``seq`` that were dropped."""
        await self._cover(seq, time_us)

    async def tell(self, time_us: int, condition: Condition, finding: Finding) -> None:
        """Write, before the next frame or behind the close, how the camera is."""
        self._told_us = max(time_us, self._told_us + 1)  # readers tell repeats by it
        place = self.camera, self.epoch, self._next, self._told_us
        health = CameraHealth(
            *place, condition, finding.is_on, finding.since_us, finding.detail[:MOST_DETAIL]
        )
        await self._outbox.send(self._topic, codec.encode(health))

    async def write(self, frame: Frame, acknowledged: Callable[[], None] | None = None) -> None:
        """Write a frame, after a gap for the numbers before it that were dropped."""
        await self.reach(frame.id.seq, frame.time_us)
        record = tracing.stamped(codec.encode_frame(frame))
        with tracing.span("publish"):
            await self._outbox.send(self._topic, record, acknowledged)
        self._next = frame.id.seq + 1
        self._metrics.frames_offered.labels(self.camera).inc()

    async def close(self, frames: int, time_us: int, reason: CloseReason) -> None:
        """Write the epoch's last record, after a gap for the frames that never went out."""
        await self._cover(frames, time_us)
        closed = EpochClosed(self.camera, self.epoch, time_us, frames, reason)
        await self._outbox.send(self._topic, codec.encode(closed))

    async def _cover(self, until: int, time_us: int) -> None:
        dropped = until - self._next
        if dropped <= 0:
            return
        gap = Gap(self.camera, self.epoch, self._next, until - 1, time_us, "overflow")
        await self._outbox.send(self._topic, codec.encode(gap))
        self._next = until
        self._metrics.frames_offered.labels(self.camera).inc(dropped)
        self._metrics.frames_dropped.labels(self.camera, "overflow").inc(dropped)
